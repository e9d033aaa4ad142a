/* A long history: the newest screens come at once, the rest when the reader scrolls up, and each message once. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESKTOP, Guest, PHONE } from './kit/guest.mjs';
import { ManyGuests, said } from './kit/many_guests.mjs';
import { LocalRoom } from './kit/room.mjs';
import { until } from './kit/until.mjs';

const SAID = 900;

let room, speaker, ann;

before(async () => {
  room = await LocalRoom.open();
  speaker = new ManyGuests(room);
  await speaker.gather(1);
  await speaker.sayMany(1, SAID);
  ann = await Guest.arrive(room, { name: 'ann', size: DESKTOP });
}, { timeout: 120_000 });

after(async () => {
  await ann?.leave();
  speaker?.end();
  await room?.close();
});


/** The numbers of the messages shown, and where the view is. */
const shown = () => ann.ask(() => {
  const scroller = document.getElementById('scroller');
  const numbers = [...document.querySelectorAll('#said .words')].map((words) => Number(words.textContent.split(' ')[1]));
  const { scrollTop, scrollHeight, clientHeight } = scroller;
  return { numbers, scrollTop, below: scrollHeight - scrollTop - clientHeight, nodes: document.querySelectorAll('*').length };
});

/** Turns the wheel until something is so; gives every number that was in the view, in the order in which it came. */
async function scroll(by, what, done) {
  const seen = [];
  await until(what, async () => {
    const { numbers, ...place } = await ann.ask((by) => {
      const scroller = document.getElementById('scroller');
      const { top, bottom } = scroller.getBoundingClientRect();
      const inView = [...document.querySelectorAll('#said .words')].filter((words) => {
        const place = words.getBoundingClientRect();
        return place.bottom > top && place.top < bottom;
      });
      const numbers = inView.map((words) => Number(words.textContent.split(' ')[1]));
      const beginning = !document.getElementById('kept').hidden && scroller.scrollTop === 0;
      scroller.scrollTop += by * scroller.clientHeight;
      return { numbers, beginning, shown: document.querySelectorAll('#said > *').length };
    }, by);
    assert.ok(place.shown <= 620, `${place.shown} elements`);
    for (const number of by < 0 ? numbers.toReversed() : numbers) if (!seen.includes(number)) seen.push(number);
    return done({ numbers, ...place });
  }, { deadline: 60_000 });
  return seen;
}

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

for (const [rung, way] of ['WebSocket', 'events', 'polling'].entries()) {
  test(`the newest come first, the rest on scrolling up: ${way}`, async (t) => {
    const down = ann.proxy.bytes.down;
    await ann.open();
    await ann.connected();
    if (rung > 0) {
      /* As from the beginning. */
      await ann.ask(() => (cursor = undefined));
      await ann.comeInBy(way);
    }
    await ann.hears(said(SAID));
    const { numbers, below } = await shown();
    assert.deepEqual(numbers, range(SAID - 99, SAID));
    assert.ok(below < 2, 'the view is at the end');
    const bytes = ann.proxy.bytes.down - down;
    t.diagnostic(`${bytes} bytes for the page and the newest of ${SAID} messages`);
    assert.ok(rung > 0 || bytes < 45_000, `${bytes} bytes`);
    if (rung > 0) {
      const up = await scroll(-0.8, 'three pages', ({ numbers }) => numbers.includes(SAID - 300));
      assert.deepEqual(up, range(up.at(-1), SAID).reverse(), 'every message once, in order');
      await ann.page.close();
      return;
    }
    const up = await scroll(-0.8, 'the beginning', ({ beginning }) => beginning);
    assert.deepEqual(up, range(1, SAID).reverse(), 'every message once, in order');
    assert.match(await ann.ask(() => document.getElementById('kept').textContent), /^Kept here/);
    const again = await scroll(0.8, 'the end', ({ numbers }) => numbers.includes(SAID));
    assert.deepEqual(again, range(again[0], SAID));
    assert.ok(again[0] <= 30, `from where the view was: ${again[0]}`);
    await ann.page.close();
  });
}

test('the view stays where it is while older messages come in above and new ones below', async () => {
  await ann.open();
  await ann.connected();
  await ann.hears(said(SAID));
  const place = () => ann.ask(() => {
    const words = [...document.querySelectorAll('#said .words')].find((each) => each.textContent.startsWith('message 805 '));
    return Math.round(words.getBoundingClientRect().top);
  });
  await ann.ask(() => {
    const words = [...document.querySelectorAll('#said .words')].find((each) => each.textContent.startsWith('message 805 '));
    const scroller = document.getElementById('scroller');
    scroller.scrollTop += words.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 20;
  });
  const before = await place();
  await ann.see('older messages', () => document.querySelectorAll('#said .words').length > 150);
  await speaker.sayMany(SAID + 1, SAID + 20);
  await ann.see('news of new ones', () => document.getElementById('newest').textContent === '20 new ↓');
  assert.ok(Math.abs((await place()) - before) <= 2, `${before} → ${await place()}`);
  assert.ok(await ann.ask(() => document.querySelector('.fresh').nextElementSibling.textContent.includes('message 901 ')), 'the line where the unread begin');
  await ann.screenshot('unread-desktop');
  await ann.page.click('#newest');
  await ann.see('the end', () => document.getElementById('newest').hidden);
  const { numbers, below } = await shown();
  assert.deepEqual(numbers.slice(-20), range(SAID + 1, SAID + 20));
  assert.ok(below < 2);
});

test('back after a long time: the newest first, the unread begin further up, and nothing is passed over', async () => {
  ann.proxy.blocked = [/./];
  ann.proxy.cut();
  await ann.see('the connection is lost', () => document.getElementById('status').dataset.state !== 'connected');
  const last = SAID + 20;
  await speaker.sayMany(last + 1, last + 450);
  ann.proxy.blocked = [];
  await ann.ask(() => window.dispatchEvent(new Event('online')));
  await ann.hears(said(last + 450));
  const { numbers } = await shown();
  assert.deepEqual(numbers, range(numbers[0], last + 450));
  assert.ok(numbers[0] > last + 100, 'not all at once');
  const up = await scroll(-0.8, 'the line where the unread begin', async () => ann.ask(() => Boolean(document.querySelector('.fresh')?.getBoundingClientRect().top > 0)));
  assert.deepEqual(up, range(up.at(-1), last + 450).reverse());
  assert.ok(await ann.ask((first) => document.querySelector('.fresh').nextElementSibling.textContent.includes(`message ${first} `), last + 1));
  assert.deepEqual(ann.problems.filter((problem) => !/connection|interrupted/.test(problem)), []);
  await ann.page.close();
});

test('after a reload too the unread begin at a line', async () => {
  const phone = await Guest.arrive(room, { name: 'phone', size: PHONE });
  try {
    await phone.open();
    await phone.connected();
    await phone.hears(said(SAID + 470));
    await phone.page.goto('about:blank');
    await speaker.sayMany(SAID + 471, SAID + 480);
    await phone.page.goto(room.url);
    await phone.connected();
    await phone.hears(said(SAID + 480));
    assert.ok(await phone.ask((first) => document.querySelector('.fresh').nextElementSibling.textContent.includes(`message ${first} `), SAID + 471));
    await phone.screenshot('unread-phone');
    await phone.page.click('#people-button');
    await phone.see('the retention, always', () => document.getElementById('kept-here').textContent.startsWith('Kept here'));
    await phone.screenshot('about-phone');
  } finally {
    await phone.leave();
  }
});

test('where messages are missing, because their author said too much, a line says how many', async () => {
  const small = await LocalRoom.open({ ONIONROOM_HISTORY_MESSAGES: '120' });
  const [honest, flooder] = [new ManyGuests(small), new ManyGuests(small)];
  const bob = await Guest.arrive(small, { name: 'bob', size: PHONE });
  try {
    await honest.gather(1);
    await flooder.gather(1);
    for (let number = 1; number <= 4; number++) {
      await honest.say(`from an honest guest ${number}`);
      await flooder.sayMany(1000 * number, 1000 * number + 49);
    }
    await bob.open();
    await bob.connected();
    await bob.hears(said(4049));
    await until('the beginning', () => bob.ask(() => {
      const scroller = document.getElementById('scroller');
      scroller.scrollTop = 0;
      return !document.getElementById('kept').hidden;
    }));
    const order = await bob.ask(() => [...document.querySelectorAll('#said > :is(.line, .message)')]
      .map((node) => (node.querySelector('.words') ?? node).textContent)
      .filter((text) => !text.startsWith('message')));
    assert.deepEqual(order, [
      'from an honest guest 1', '50 messages no longer kept',
      'from an honest guest 2', '34 messages no longer kept',
      'from an honest guest 3', 'from an honest guest 4',
    ]);
    await bob.screenshot('missing-phone');
  } finally {
    await bob.leave();
    for (const guests of [honest, flooder]) guests.end();
    await small.close();
  }
});
