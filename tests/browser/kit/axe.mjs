/* axe (Deque's checker for accessibility) on what a guest has before them. */

import fs from 'node:fs';
import { createRequire } from 'node:module';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds, in all frames too, by all of its rules that are on by default: WCAG 2.2 A and AA, and its best practices. */
export async function faults(page) {
  const parts = await partsOf(page.mainFrame());
  return page.evaluate(async (texts) => {
    const { violations } = await axe.finishRun(texts.map((text) => JSON.parse(text)));
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target, html, failureSummary }) => `${id}: ${target} ${html}\n${failureSummary}`));
  }, parts);
}

/** What axe has to say of a frame and of those in it, one after the other, as it wants them. */
async function partsOf(frame, context) {
  if (!(await frame.evaluate(() => Boolean(window.axe)))) await frame.evaluate(AXE);
  const { part, inner } = await frame.evaluate(async (within = document) => ({
    inner: axe.utils.getFrameContexts(within),
    part: JSON.stringify(await axe.runPartial(within, {})),
  }), context);
  const parts = [part];
  for (const { frameSelector, frameContext } of inner) {
    const element = await frame.$(String(frameSelector));
    parts.push(...(await partsOf(await element.contentFrame(), frameContext)));
  }
  return parts;
}

/** A page without scripts as it is now, with its frames, as one text. axe works with callbacks, which do not run where scripts
    are off, so another browser shows it this text. */
export function copyOf(page) {
  return page.evaluate(() => {
    const copy = (original) => {
      const root = original.documentElement.cloneNode(true);
      const frames = [...root.querySelectorAll('iframe')];
      for (const [index, frame] of [...original.querySelectorAll('iframe')].entries()) frames[index].setAttribute('srcdoc', frame.hidden ? '' : copy(frame.contentDocument));
      const boxes = [...root.querySelectorAll('input[type=checkbox]')];
      for (const [index, { checked }] of [...original.querySelectorAll('input[type=checkbox]')].entries()) boxes[index].toggleAttribute('checked', checked);
      for (const script of root.querySelectorAll('script, meta[http-equiv]')) script.remove();
      /* Where scripts run, this element shows nothing. */
      for (const without of root.querySelectorAll('noscript')) {
        const shown = original.createElement('div');
        shown.append(...without.childNodes);
        for (const frame of shown.querySelectorAll('iframe')) frame.setAttribute('style', 'position: fixed; inset: 0; width: 100%; height: 100%; border: 0');
        without.replaceWith(shown);
      }
      return `<!doctype html>${root.outerHTML}`;
    };
    return copy(document);
  });
}

/** Shows such a text in a page, and waits for its frames. */
export async function showCopy(page, text) {
  await page.setContent(text, { waitUntil: 'load' });
}
