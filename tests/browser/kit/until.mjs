/* Waiting for conditions, never for time. */

const EVERY = 50;

/** Asks until the answer is truthy and gives it; after the deadline, fails with the last answer or error. */
export async function until(what, ask, { deadline = 20_000 } = {}) {
  const end = Date.now() + deadline;
  let last;
  do {
    try {
      last = await ask();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  } while (Date.now() < end);
  const shown = last instanceof Error ? last.message : JSON.stringify(last);
  throw new Error(`not within ${deadline / 1000} s: ${what} (last: ${shown})`);
}
