/* A window on a long history: it loads both ways and stays small, and links, quotes and what was found lead to messages that are not loaded. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { clean, THEMES } from './kit/clean.mjs';
import { DESKTOP, Guest } from './kit/guest.mjs';
import { ManyGuests, said } from './kit/many_guests.mjs';
import { LocalRoom } from './kit/room.mjs';
import { until } from './kit/until.mjs';

const SAID = 10_000;
const SMALL = { width: 360, height: 740 };
/** What the page keeps at most: messages as data, and elements. */
const KEPT = 5100, ELEMENTS = 620;

let room, speaker, ann, bob;

before(async () => {
  room = await LocalRoom.open({ ONIONROOM_HISTORY_MESSAGES: '12000' });
  speaker = new ManyGuests(room);
  await speaker.gather(1);
  await speaker.sayMany(1, SAID);
  ann = await Guest.arrive(room, { name: 'ann', size: DESKTOP });
  bob = await Guest.arrive(room, { name: 'bob', size: SMALL });
}, { timeout: 300_000 });

after(async () => {
  await ann?.leave();
  await bob?.leave();
  speaker?.end();
  await room?.close();
});

/** The numbers of the messages that are elements, and how much there is of all. */
const shown = (guest) => guest.ask(() => ({
  numbers: [...document.querySelectorAll('#said .words')].map((words) => Number(/^message (\d+)/.exec(words.textContent)?.[1])),
  items: log.items.length,
  elements: document.querySelectorAll('#said > *').length,
}));

function bounded({ items, elements }) {
  assert.ok(items <= KEPT, `${items} items`);
  assert.ok(elements <= ELEMENTS, `${elements} elements`);
}

/** Goes to one end of what is loaded, as often as it takes; no message is passed over on the way. */
async function scroll(guest, end, what, done) {
  let seen;
  await until(what, async () => {
    const now = await shown(guest);
    bounded(now);
    const { numbers } = now;
    assert.deepEqual(numbers, Array.from(numbers, (_, place) => numbers[0] + place), 'without a hole');
    if (seen) assert.ok(numbers[0] <= seen.at(-1) + 1 && numbers.at(-1) >= seen[0] - 1, `${seen[0]}–${seen.at(-1)}, then ${numbers[0]}–${numbers.at(-1)}`);
    seen = numbers;
    if (done(numbers)) return true;
    await guest.ask((down) => {
      const scroller = document.getElementById('scroller');
      scroller.scrollTop = down ? scroller.scrollHeight : 0;
    }, end === 'down');
    return false;
  }, { deadline: 240_000 });
}

/** What is highlighted: its text, whether it has the focus, and whether it is in view. */
const meant = (guest) => guest.ask(() => {
  const node = document.getElementById('meant');
  if (!node) return undefined;
  const { top, bottom } = node.getBoundingClientRect();
  const view = document.getElementById('scroller').getBoundingClientRect();
  return { text: node.querySelector('.words').textContent, focused: document.activeElement === node, inView: top >= view.top && bottom <= view.bottom };
});

const isAt = (guest, text) => until(`it is at ${JSON.stringify(text)}`, async () => {
  const place = await meant(guest);
  return place?.text === text && place.focused && place.inView;
}, { deadline: 60_000 });

const isAtEnd = (guest, text) => guest.see('the end', (wanted) => {
  const { scrollTop, scrollHeight, clientHeight } = document.getElementById('scroller');
  return scrollHeight - scrollTop - clientHeight < 2 && [...document.querySelectorAll('#said .words')].at(-1)?.textContent === wanted;
}, text);

/** Presses the way to the newest, if it is there. */
const toEnd = (guest) => guest.ask(() => document.getElementById('newest').click());

const note = (guest, words) => guest.see(`the note "${words}"`, (wanted) => document.getElementById('note').textContent.includes(wanted), words);

/** Opens a link in a tab. */
async function follow(guest, fragment) {
  const { url } = guest;
  guest.url = url + fragment;
  await guest.open();
  guest.url = url;
  await guest.connected();
}

test('a reader goes up to the first message and down to the newest, and what the page has is bounded', async (t) => {
  await ann.open();
  await ann.connected();
  await isAtEnd(ann, said(SAID));
  const down = ann.proxy.bytes.down;
  await scroll(ann, 'up', 'the first message', (numbers) => numbers[0] === 1);
  assert.ok(await ann.ask(() => !document.getElementById('kept').hidden));
  t.diagnostic(`${ann.proxy.bytes.down - down} bytes for ${SAID - 100} older messages`);
  assert.equal(await ann.ask(() => document.getElementById('newest').textContent), 'Newest ↓');
  await scroll(ann, 'down', 'the newest message', (numbers) => numbers.at(-1) === SAID);
  await toEnd(ann);
  await speaker.sayMany(SAID + 1, SAID + 1);
  await isAtEnd(ann, said(SAID + 1));
});

test('the newest are one press away, also when they are not loaded, and nothing is missing above', async () => {
  await scroll(ann, 'up', 'far up', (numbers) => numbers[0] < 4000);
  await speaker.sayMany(SAID + 2, SAID + 2);
  await ann.see('it is told', () => document.getElementById('newest').textContent === '1 new ↓');
  await ann.press('main', '1 new ↓');
  await isAtEnd(ann, said(SAID + 2));
  assert.ok(await ann.ask(() => document.getElementById('newest').hidden));
  await ann.see('those before', (wanted) => [...document.querySelectorAll('#said .words')].some((words) => words.textContent === wanted), said(SAID));
  assert.deepEqual(await ann.ask(() => [...document.querySelectorAll('#said .line:not([hidden])')].map((line) => line.textContent)), ['New since you looked']);
});

test('a link opens at its message, and the way to the newest and back goes by the keyboard', async () => {
  await ann.page?.close();
  await follow(ann, '#message=4321');
  await isAt(ann, said(4321));
  assert.equal(await ann.ask(() => location.hash), '#message=4321');
  bounded(await shown(ann));
  await clean(ann, 'a message by its link', { pictures: 'window', sizes: [SMALL, DESKTOP], themes: THEMES });
  await scroll(ann, 'down', 'newer ones', (numbers) => numbers.at(-1) > 4700);
  await ann.press('main', 'Newest ↓');
  await isAtEnd(ann, said(SAID + 2));
  assert.equal(await ann.ask(() => location.hash), '');
});

test('what is highlighted does not move while messages are added and dropped around it', async () => {
  await ann.ask(() => { location.hash = '#message=4321'; });
  await isAt(ann, said(4321));
  const top = () => ann.ask(() => document.getElementById('meant').getBoundingClientRect().top);
  const before = await top();
  await ann.see('older and newer ones', () => document.querySelectorAll('#said .words').length > 90);
  await speaker.sayMany(20_001, 20_050);
  await ann.ask(() => new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), 300)));
  assert.ok(Math.abs((await top()) - before) < 1.5, `${before} → ${await top()}`);
  for (const by of [-300, 300, -900, 900]) {
    const moved = await ann.ask(async (by) => {
      const scroller = document.getElementById('scroller');
      const place = () => document.getElementById('meant').getBoundingClientRect().top;
      const was = place();
      scroller.scrollTop += by;
      await new Promise((resolve) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(resolve)), 400));
      return place() - was + by;
    }, by);
    assert.ok(Math.abs(moved) < 1.5, `${moved} px beside what was scrolled`);
  }
});

test('a quote leads to a message that is not loaded, and Back leads to the answer', async () => {
  await bob.open();
  await bob.connected();
  await speaker.say('the answer to one of old', 0, 77);
  await bob.hears('the answer to one of old');
  await bob.page.mouse.move(100, 200);
  await bob.press('#said', 'An earlier message');
  await isAt(bob, said(77));
  bounded(await shown(bob));
  await clean(bob, 'where a quote leads', { pictures: 'window', sizes: [SMALL], themes: THEMES });
  await bob.page.goBack();
  await isAt(bob, 'the answer to one of old');
  await bob.page.goForward();
  await isAt(bob, said(77));
});

test('the menu of a message has its link, which leads there from another window and from a message', async () => {
  await bob.press('#meant', '⋯');
  await bob.press('#menu', 'Copy link');
  await bob.see('the link', () => /#message=77$/.test(document.querySelector('#menu .address')?.textContent));
  await clean(bob, 'the link of a message', { pictures: 'window', sizes: [SMALL], themes: THEMES });
  const link = await bob.ask(() => document.querySelector('#menu .address').textContent);
  await bob.page.keyboard.press('Escape');
  await toEnd(bob);
  await speaker.say(`look at ${link}`);
  await bob.hears(`look at ${link}`);
  await bob.ask((wanted) => [...document.querySelectorAll('#said a')].find(({ href }) => href === wanted).click(), link);
  await isAt(bob, said(77));
  await bob.page.goBack();
  await isAtEnd(bob, `look at ${link}`);
});

test('what a search finds is shown in its place', async () => {
  await bob.page.click('#people-button');
  await bob.press('#people', 'Search');
  await bob.page.focus('#finder input');
  await bob.page.keyboard.type('"message 5555 of many"');
  await bob.page.keyboard.press('Enter');
  await bob.press('#finder', 'In its place');
  await isAt(bob, said(5555));
  assert.ok(await bob.ask(() => !document.getElementById('finder').open));
  bounded(await shown(bob));
});

test('the unread begin where they do, although they are not loaded', async () => {
  await toEnd(bob);
  await bob.see('the end', () => document.getElementById('newest').hidden);
  bob.proxy.blocked = [/./];
  bob.proxy.cut();
  await bob.see('the connection is lost', () => document.getElementById('status').dataset.state !== 'connected');
  await speaker.sayMany(30_001, 30_600);
  bob.proxy.blocked = [];
  await bob.ask(() => window.dispatchEvent(new Event('online')));
  await bob.hears(said(30_600));
  await bob.press('main', '↑ First unread');
  await isAt(bob, said(30_001));
  assert.ok(await bob.ask(() => document.querySelector('.fresh').nextElementSibling.id === 'meant'));
});

test('a message that is deleted, or was never there, is told of in a sentence, and the page stays where it is', async () => {
  await toEnd(bob);
  await bob.say('to be deleted');
  await ann.ask(() => { location.hash = ''; });
  await ann.hears('to be deleted');
  const seq = await bob.ask(() => log.items.findLast(({ text }) => text === 'to be deleted').seq);
  await bob.ask((seq) => connection.send({ type: 'act', id: `delete-${seq}`, act: 'delete', messages: [seq] }), seq);
  await bob.line('deleted');
  for (const number of [seq, 99_999_999]) {
    await ann.ask(() => { document.getElementById('note').textContent = ''; });
    await ann.ask((wanted) => { location.hash = `#message=${wanted}`; }, number);
    await note(ann, 'not here any more');
  }
  await ann.screenshot('window-deleted');
  assert.ok(await ann.ask(() => !document.getElementById('meant') && document.querySelectorAll('#said .words').length > 50));
});

test('days stand between messages where they begin, whichever way they were loaded', async () => {
  await ann.page?.close();
  ann.page = await ann.browser.newPage();
  await ann.page.setViewport(ann.size);
  /* Messages are twenty minutes apart. */
  await ann.page.evaluateOnNewDocument(() => {
    const MINUTES = 20 * 60;
    const apart = (frame) => {
      if (frame.seq) frame.at = frame.seq * MINUTES;
      if (frame.type === 'welcome') frame.clock = (frame.head + 1) * MINUTES;
      frame.messages?.forEach(apart);
      return frame;
    };
    window.WebSocket = class extends WebSocket {
      set onmessage(heard) {
        super.onmessage = heard && (({ data }) => heard({ data: JSON.stringify(apart(JSON.parse(data))) }));
      }
    };
  });
  await ann.page.goto(ann.url);
  await ann.connected();
  const days = async () => {
    const { wrong, count } = await ann.ask(() => {
      let day;
      const wrong = [], days = [];
      for (const node of document.querySelectorAll('#said > :is(.day, .message)')) {
        if (node.matches('.day')) {
          if (node.textContent === day) wrong.push(`twice ${day}`);
          days.push(day = node.textContent);
        } else {
          const { title, textContent } = node.querySelector('time');
          if (day && !title.startsWith(day.replace(/ \(.*/, ''))) wrong.push(`${title} under ${day}`);
          if (!/ago$|now|[A-Z]{3}/.test(textContent)) wrong.push(`no zone: ${textContent}`);
        }
      }
      return { wrong, count: days.length };
    });
    assert.deepEqual(wrong, []);
    return count;
  };
  await ann.see('days', () => document.querySelectorAll('.day').length > 1);
  await days();
  for (const [fragment, end, to] of [['#message=2222', 'up', 2000], ['#message=3333', 'down', 3600]]) {
    await ann.ask((wanted) => { location.hash = wanted; }, fragment);
    await isAt(ann, said(Number(fragment.slice(9))));
    assert.ok((await days()) > 0);
    await ann.screenshot(`window-days-${end}`);
    await scroll(ann, end, 'days away', (numbers) => (end === 'up' ? numbers[0] < to : numbers.at(-1) > to));
    assert.ok((await days()) >= 2);
  }
});

test('links into nothing and odd ones do no harm', async () => {
  for (const odd of ['#message=0', '#message=-1', '#message=1e9', '#message=99999999999999999', '#message=', '#message=7&message=8']) {
    await ann.ask((wanted) => { location.hash = wanted; }, odd);
    await until('it is not in the address', () => ann.ask(() => location.hash === ''));
  }
  assert.deepEqual(ann.problems, []);
});
