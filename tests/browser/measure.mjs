/* Measures the page in a real Firefox, through the private Tor network with distance between its relays, and prints a table.

     npm run measure                              some ten minutes
     npm run measure -- --minutes 60              memory over an hour
     npm run measure -- --only opening,messages   some of: opening, messages, idle, history, load
     npm run measure -- --only load --reader up   who has scrolled up and stays there; or `end`, who follows; `turns` is both in turn
     npm run measure -- --distance 40ms --rate 400 --guests 300 --kept 10000 --rounds 3

   What is measured, how, and the figures of the last time are in docs/performance.md. Needs Linux: what the processes of Firefox cost
   is read from /proc. */

import { parseArgs } from 'node:util';
import { contentOf, Processor } from './kit/content.mjs';
import { DESKTOP, Guest } from './kit/guest.mjs';
import { freePort, openLab, PROGRAM } from './kit/room.mjs';
import { saying, Senders } from './kit/senders.mjs';
import { until } from './kit/until.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: 'opening,messages,idle,history,load' },
    minutes: { type: 'string', default: '5' },
    distance: { type: 'string', default: '40ms' },
    rate: { type: 'string', default: '400' },
    guests: { type: 'string', default: '300' },
    kept: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    reader: { type: 'string', default: 'turns' },
  },
});
const parts = new Set(options.only.split(','));
const [minutes, rate, guests, kept, rounds] = ['minutes', 'rate', 'guests', 'kept', 'rounds'].map((name) => Number(options[name]));

/** Clocks of a page are coarse where Firefox protects them; everything else stays as in Tor Browser. */
const CLOCK = { 'privacy.resistFingerprinting': false, 'privacy.reduceTimerPrecision': false, 'privacy.trackingprotection.enabled': false };
/** Messages one at a time. */
const SINGLE = 50;
const IDLE_MINUTES = 3;

/**
 * Runs in a page, before its scripts: notes for how long the page could do nothing else. A message to itself comes back at once unless
 * another task is running, so the time between two of them is that task's, if it is longer than the least. `every` is the pause
 * before each in milliseconds: without one, a processor does nothing else.
 */
function watch(every) {
  const gaps = (window.gaps = { longest: 0, over: 0, long: [], now: 'at the end' });
  const { port1, port2 } = new MessageChannel();
  let last = performance.now();
  port1.onmessage = () => {
    const now = performance.now(), gap = now - last;
    if (gap > 50) gaps.over++;
    if (gap > gaps.longest) gaps.longest = gap;
    if (gap > 20) gaps.long.push([gaps.now, gap, performance.timeOrigin + last]);
    if (!every) return turn();
    setTimeout(turn, every);
  };
  const turn = () => {
    last = performance.now();
    port2.postMessage(0);
  };
  turn();
}

const table = [];
/** A line of the table; `most` is what it may be at most. */
function note(what, value, unit, most) {
  const shown = typeof value === 'number' ? `${Number(value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)).toLocaleString('en')} ${unit}` : value;
  table.push({ what, shown, most: most === undefined ? '' : `${most.toLocaleString('en')} ${unit}`, kept: most === undefined ? '' : value <= most ? 'yes' : 'no' });
  console.log(`${what}: ${shown}${most === undefined ? '' : ` (at most ${most.toLocaleString('en')})`}`);
}
const median = (values) => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)];
/** The number of the newest message that a page has. */
const newest = (guest) => guest.ask(() => log.items.findLast(({ seq }) => seq)?.seq ?? 0);
const connectionsOf = (guest) => guest.proxy.requests.filter((request) => request.endsWith('/chat')).length;
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

let room, local, senders, arrived = 0;

/** A browser of its own, whose circuits are its own too. */
const arrive = (preferences) => Guest.arrive(room, { name: `reader ${++arrived}`, size: DESKTOP, preferences });

/** Runs in a page, before its scripts: `window.arrived` is kept when a message with this text is shown and drawn. */
function notice(text) {
  window.arrived = new Promise((resolve) => {
    new MutationObserver((changes, observer) => {
      if (![...document.querySelectorAll('#said .words')].some((words) => words.textContent === text)) return;
      observer.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
    }).observe(document, { childList: true, subtree: true });
  });
}

/** Opens the room until a message with this text is there; what that took. The page is not asked meanwhile, since answering is work too. */
async function opened(guest, text, ...beforehand) {
  const page = (guest.page = await guest.browser.newPage());
  await page.setViewport(DESKTOP);
  for (const [script, ...values] of [[notice, text], ...beforehand]) await page.evaluateOnNewDocument(script, ...values);
  const busy = contentOf(guest.browser).busy;
  await page.goto(guest.url, { waitUntil: 'domcontentloaded', timeout: 90_000 });
  /* The WebSocket's handshake takes several distances more. */
  const document = guest.proxy.bytes.down;
  const took = await page.evaluate(() => window.arrived);
  const spent = contentOf(guest.browser).busy - busy;
  /* What comes with the newest messages is here. */
  let { down } = guest.proxy.bytes;
  await until('nothing comes any more', async () => {
    await wait(1000);
    const same = guest.proxy.bytes.down === down;
    ({ down } = guest.proxy.bytes);
    return same;
  });
  return { took, requests: guest.proxy.requests.length, ...guest.proxy.bytes, document, busy: spent };
}

/** A new guest opens the room, so many times, each in a browser of their own. */
async function openings(text, preferences, ...beforehand) {
  const found = [];
  for (let round = 0; round < rounds; round++) {
    const guest = await arrive(preferences);
    try {
      const figures = await opened(guest, text, ...beforehand);
      found.push({ ...figures, ...(await guest.ask(() => window.gaps)) });
    } finally {
      await guest.leave();
    }
  }
  return (name) => median(found.map((figures) => figures[name]));
}

const MEASURES = {
  async opening() {
    const of = await openings(saying(0));
    note('requests until the first message, with the WebSocket', of('requests'), '', 2);
    note('bytes until the first message, down', of('down'), 'B', 19_300);
    note('of them the page with its headers', of('document'), 'B');
    note('bytes until the first message, up', of('up'), 'B');
    note('time until the first message', of('took'), 'ms');
  },

  async messages() {
    const guest = await arrive();
    try {
      await opened(guest, saying(0));
      const before = { ...guest.proxy.bytes };
      for (let count = 0; count < SINGLE; count++) {
        const text = saying(senders.sent);
        await senders.say();
        await guest.hears(text);
      }
      note(`bytes per message of ${saying(0).length} characters, down`, (guest.proxy.bytes.down - before.down) / SINGLE, 'B', 213);
      note('bytes per message, up', (guest.proxy.bytes.up - before.up) / SINGLE, 'B');
    } finally {
      await guest.leave();
    }
  },

  async idle() {
    const guest = await arrive();
    try {
      await opened(guest, saying(senders.sent - 1));
      await until('all others have left, also those whose connection broke', async () => (await guest.people()).length === 1, { deadline: 240_000 });
      const before = { ...guest.proxy.bytes };
      await wait(IDLE_MINUTES * 60_000);
      note('bytes per idle minute, down', (guest.proxy.bytes.down - before.down) / IDLE_MINUTES, 'B', 32);
      note('bytes per idle minute, up', (guest.proxy.bytes.up - before.up) / IDLE_MINUTES, 'B');
    } finally {
      await guest.leave();
    }
  },

  async history() {
    await senders.sayMany(kept - senders.sent);
    const last = saying(senders.sent - 1);
    const of = await openings(last);
    note(`bytes to open with ${kept.toLocaleString('en')} kept messages, down`, of('down'), 'B', 60_000);
    note('the same, requests', of('requests'), '');
    note('the same, time until the newest is seen', of('took'), 'ms');
    note('the same, work of the page: its main thread on a processor', of('busy'), 'ms', 300);
    /* Apart, because to watch costs a processor's whole time. */
    note('the same, longest task', (await openings(last, CLOCK, [watch, 0]))('longest'), 'ms');
  },

  async load() {
    const [guest, control] = [await arrive(CLOCK), await arrive(CLOCK)];
    try {
      await opened(guest, saying(senders.sent - 1));
      control.page = await control.browser.newPage();
      await control.page.setViewport(DESKTOP);
      await wait(5000);
      const both = { page: guest, empty: control };
      for (const one of Object.values(both)) await one.ask(watch, 4);
      const began = performance.now(), first = senders.taken, samples = [];
      const busy = { page: contentOf(guest.browser).busy, empty: contentOf(control.browser).busy };
      const down = guest.proxy.bytes.down, connections = connectionsOf(guest);
      const processor = new Processor(guest.browser);
      senders.talk(rate);
      for (let turn = 0; performance.now() - began < minutes * 60_000; turn++) {
        await wait(Math.min(10_000, minutes * 60_000 - (performance.now() - began)));
        samples.push({ page: contentOf(guest.browser).memory, empty: contentOf(control.browser).memory, behind: senders.newest - (await newest(guest)), kept: await guest.ask(() => log.items.length) });
        /* The reader scrolls up, through what is shown and further, and comes back to the end. */
        if (options.reader === 'end' || (options.reader === 'up' && turn > 0)) continue;
        await guest.ask((up) => {
          const scroller = document.getElementById('scroller');
          gaps.now = up ? 'scrolling up' : 'coming back to the end';
          if (up) for (let step = 1; step <= 40; step++) setTimeout(() => (scroller.scrollTop -= scroller.clientHeight), step * 100);
          else {
            document.getElementById('newest').click();
            setTimeout(() => (gaps.now = 'at the end'), 2000);
          }
        }, turn % 2 === 0);
      }
      await senders.hush();
      const seconds = (performance.now() - began) / 1000;
      const took = { page: contentOf(guest.browser).busy - busy.page, empty: contentOf(control.browser).busy - busy.empty };
      const [own, empty] = [await guest.ask(() => window.gaps), await control.ask(() => window.gaps)];
      await guest.ask(() => document.getElementById('newest').click());
      /* What it is behind then is in the table. */
      await until('all that the room has taken', async () => (await newest(guest)) >= senders.newest, { deadline: 120_000 }).catch(() => {});
      const behind = senders.newest - (await newest(guest)), status = await guest.ask(() => document.getElementById('status').textContent);
      const shown = await guest.ask(() => ({ elements: document.querySelectorAll('#said > *').length, items: log.items.length }));
      const said = senders.taken - first;
      note(`messages a second, for ${minutes} min, from ${guests} guests`, said / seconds, '');
      note('of them refused', senders.refused, '');
      note('times that the page connected anew', connectionsOf(guest) - connections, '', 0);
      note('messages that the page was behind, at most', Math.max(...samples.map((one) => one.behind)), '');
      note('messages that it was behind two minutes after the last', behind, '', 0);
      if (behind) note('what it says then', status);
      note('bytes per message at that rate, down', (guest.proxy.bytes.down - down) / said, 'B');
      await processor.end();
      const tasks = own.long.map(([when, gap, at]) => ({ when, gap, ...processor.between(at, at + gap) }));
      const longest = (list, what) => Math.max(0, ...list.map((task) => task[what]));
      note('longest task, at most', longest(tasks, 'most'), 'ms', 50);
      note('longest task, at least', longest(tasks, 'least'), 'ms');
      for (const when of ['at the end', 'scrolling up', 'coming back to the end']) note(`at most, ${when}`, longest(tasks.filter((task) => task.when === when), 'most'), 'ms');
      note('longest task, with what it waited for a processor', longest(tasks, 'gap'), 'ms');
      note('of those, longer than 50 ms', own.over, '');
      note('the longest of an empty page beside it', empty.longest, 'ms');
      note('of those, longer than 50 ms in the empty page', empty.over, '');
      note("the page's main thread on a processor", (took.page / seconds) / 10, '%');
      note('that of the empty page', (took.empty / seconds) / 10, '%');
      const part = Math.max(1, Math.floor(samples.length / 5)), mean = (list, name) => list.reduce((sum, one) => sum + one[name], 0) / list.length;
      const [early, late] = [samples.slice(part, 2 * part), samples.slice(-part)];
      if (early.length) {
        note('memory of the page, second fifth of the time', mean(early, 'page') / 1024, 'MiB');
        note('memory of the page, last fifth', mean(late, 'page') / 1024, 'MiB');
        note('last to second fifth', mean(late, 'page') / mean(early, 'page'), '');
        note('the same of the empty page', mean(late, 'empty') / mean(early, 'empty'), '');
        note('the page to the empty page, last fifth', mean(late, 'page') / mean(late, 'empty'), '');
      }
      note('most memory of the page', Math.max(...samples.map(({ page }) => page)) / 1024, 'MiB');
      note('elements in the conversation at the end', shown.elements, '');
      note('messages and lines that the page keeps, at most', Math.max(...samples.map((one) => one.kept)), '');
      note('the same at the end', shown.items, '');
    } finally {
      for (const one of [guest, control]) await one.leave();
    }
  },
};

const listen = await freePort();
const flags = ['--distance', options.distance, '--listen', `127.0.0.1:${listen}`, '--local', 'open', '--keep-messages', String(kept), '--guests', String(guests + 50)];
room = await openLab({ flags, settings: { ONIONROOM_LISTEN_REQUESTS_PER_SECOND: '10000' } });
try {
  local = `http://127.0.0.1:${listen}/`;
  senders = new Senders(local);
  console.log(`${PROGRAM}, relays ${options.distance} apart`);
  await senders.gather(1);
  await senders.say();
  for (const part of ['opening', 'messages', 'idle']) if (parts.has(part)) await MEASURES[part]();
  if (parts.has('history') || parts.has('load')) {
    await senders.gather(guests - 1);
    if (parts.has('history')) await MEASURES.history();
    if (parts.has('load')) await MEASURES.load();
  }
} finally {
  senders?.end();
  await room.close();
}
console.log('\n| | measured | at most | kept |\n|---|--:|--:|---|');
for (const { what, shown, most, kept: held } of table) console.log(`| ${what} | ${shown} | ${most} | ${held} |`);
