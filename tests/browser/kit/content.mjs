/* What the processes of a browser cost, from Linux's /proc: those that show pages, not the browser around them. */

import { once } from 'node:events';
import fs from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** All processes that descend from this one. */
function descendants(root) {
  const children = new Map();
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const parent = /^PPid:\t(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [];
  for (const rest = [String(root)]; rest.length; ) for (const child of children.get(rest.pop()) ?? []) found.push(child) && rest.push(child);
  return found;
}

/** A process may end while it is read. */
function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** The processes of this browser that show pages. */
const pagesOf = (browser) => descendants(browser.process().pid).filter((pid) => read(`/proc/${pid}/cmdline`).replace(/\0+$/, '').endsWith('tab'));
/** The main threads' time on a processor, in milliseconds. */
const onProcessor = (pages) => sum(pages.map((pid) => Number(read(`/proc/${pid}/task/${pid}/schedstat`).split(' ')[0]) / 1e6));

/** The main threads' time on a processor, in milliseconds, and memory that no other process has, in kB: of all processes of this
    browser that show pages. */
export function contentOf(browser) {
  const pages = pagesOf(browser);
  const memory = pages.map((pid) => /^Private_Dirty: +(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1]);
  return { busy: onProcessor(pages), memory: sum(memory.map(Number)) };
}

/** Notes every few milliseconds how long those main threads were on a processor until then, to tell what a page did from what it
    waited for while the machine did something else. In a thread of its own, so that it is not held up by what this one does. */
export class Processor {
  #at;
  #busy;

  constructor(browser) {
    this.thread = new Worker(new URL(import.meta.url), { workerData: { pages: pagesOf(browser) } });
  }

  /** Ends the notes; after that they can be asked. */
  async end() {
    const notes = once(this.thread, 'message');
    this.thread.postMessage('end');
    [[this.#at, this.#busy]] = await notes;
    await this.thread.terminate();
  }

  /** How long they were on a processor between two times of the day, in milliseconds: at least, by the notes within, and at most, by
      those around. */
  between(from, to) {
    const after = this.#place(from), before = this.#place(to);
    const time = (first, last) => Math.max(0, (this.#busy[Math.min(last, this.#busy.length - 1)] ?? 0) - (this.#busy[Math.max(0, first)] ?? 0));
    return { least: Math.min(to - from, time(after, before - 1)), most: Math.min(to - from, time(after - 1, before)) };
  }

  /** The first note that is not before this time. */
  #place(time) {
    let [low, high] = [0, this.#at.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#at[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const sum = (numbers) => numbers.filter((one) => !Number.isNaN(one)).reduce((one, other) => one + other, 0);

if (!isMainThread) {
  const at = [], busy = [];
  setInterval(() => {
    at.push(performance.timeOrigin + performance.now());
    busy.push(onProcessor(workerData.pages));
  }, 4);
  parentPort.on('message', () => parentPort.postMessage([at, busy]));
}
