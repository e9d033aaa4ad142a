/* How the page reads: who spoke, when, on a phone, to a screen reader, and beside messages that are meant to disturb. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESKTOP, Guest } from './kit/guest.mjs';
import { ManyGuests } from './kit/many_guests.mjs';
import { NoscriptPage } from './kit/noscript.mjs';
import { LocalRoom } from './kit/room.mjs';
import { until } from './kit/until.mjs';

const SMALL = { width: 360, height: 740 };
/** A touch screen as its Firefox describes it, and SVG switched off as some do; the protection would say something else. */
const TOUCH = { 'privacy.resistFingerprinting': false, 'ui.primaryPointerCapabilities': 1, 'ui.allPointerCapabilities': 1, 'svg.disabled': true };

let room, crowd, desk, touch, plain;

before(async () => {
  room = await LocalRoom.open({ ONIONROOM_ROOM_GUESTS: '11' });
  crowd = new ManyGuests(room);
  desk = await Guest.arrive(room, { name: 'desk', size: DESKTOP });
  touch = await Guest.arrive(room, { name: 'touch', size: SMALL, preferences: TOUCH });
  for (const guest of [desk, touch]) {
    await guest.open();
    await guest.connected();
  }
}, { timeout: 120_000 });

after(async () => {
  for (const guest of [desk, touch, plain]) await guest?.leave();
  crowd?.end();
  await room?.close();
});

test('one who joins is announced as one name, however many joined before', async () => {
  await desk.ask(() => {
    window.announced = [];
    /* What a screen reader hears: text that is added to the log, unless it is hidden from it. */
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const node of addedNodes) if (node.ariaHidden !== 'true') announced.push(node.textContent);
    }).observe(document.getElementById('said'), { childList: true, subtree: true });
  });
  await crowd.gather(7);
  await desk.see('all have joined', (name) => [...document.querySelectorAll('#said .presence')].some((line) => line.textContent.includes(`${name} joined`)), crowd.names.at(-1));
  const announced = (await desk.ask(() => window.announced.join(' '))).replaceAll(',', ' ');
  for (const name of crowd.names) assert.equal(announced.split(`${name} joined`).length, 2, announced);
  assert.match(await desk.ask(() => [...document.querySelectorAll('#said .presence')].at(-1).innerText), /and \d more joined/);
});

test('the name of who speaks is said again before it is out of view, and guests have colours of their own', async () => {
  for (let number = 0; number < 40; number++) await crowd.say(`of many ${number}`, 1);
  await desk.hears('of many 39');
  const named = await desk.ask(() => [...document.querySelectorAll('#said .message')].map((message) => !message.classList.contains('follows')));
  assert.ok(named.filter(Boolean).length >= 3);
  assert.ok(named.some((each) => !each));
  for (let from = 0; from + 15 < named.length; from++) assert.ok(named.slice(from, from + 15).includes(true), `${named}`);
  assert.ok(await desk.ask(() => {
    const { bottom, top } = document.getElementById('scroller').getBoundingClientRect();
    return [...document.querySelectorAll('#said h3')].some((name) => name.getBoundingClientRect().top >= top && name.getBoundingClientRect().bottom <= bottom);
  }), 'a name is in view');
  const colours = await desk.ask(() => [...document.querySelectorAll('#people-list .badge')].map((badge) => getComputedStyle(badge).color));
  assert.equal(colours.length, 9);
  assert.equal(new Set(colours).size, 9);
});

test('a message has an age, which grows in place', async () => {
  const shown = await desk.ask(() => {
    const [time] = [...document.querySelectorAll('#said time')].slice(-1);
    const first = time.textContent;
    time.dateTime = new Date(Date.parse(time.dateTime) - 5.5 * 60_000).toISOString();
    const { firstChild } = time;
    document.dispatchEvent(new Event('visibilitychange'));
    return [first, time.textContent, time.firstChild === firstChild, time.title];
  });
  assert.deepEqual(shown.slice(0, 3), ['now', '5 min ago', true]);
  assert.match(shown[3], /UTC|GMT/);
  assert.match(await desk.ask(() => document.querySelector('#said .day').textContent), /\((UTC|GMT)\)$/);
});

test('what is meant to disturb disturbs nothing around it', async () => {
  const marks = `Zalgo e${'\u0301'.repeat(1500)}`, bidi = '\u202e\u2066\u202dtxet eht \u061c\u200f sdrawkcab';
  await crowd.say('before it', 2);
  await crowd.say(marks, 3);
  await crowd.say(bidi, 4);
  await crowd.say(`top${'\n'.repeat(4000)}bottom`, 5);
  await crowd.say(`${'x\n'.repeat(500)}end`, 5);
  await crowd.say('after it', 2);
  for (const guest of [desk, touch]) {
    await guest.hears('after it');
    const found = await guest.ask(() => {
      const messages = [...document.querySelectorAll('#said .message')].slice(-6);
      const bubbles = messages.map((message) => message.querySelector('.bubble'));
      return {
        heights: bubbles.map((bubble) => bubble.getBoundingClientRect().height),
        clipped: bubbles.every((bubble) => getComputedStyle(bubble).overflow === 'hidden'),
        lengths: bubbles.map((bubble) => bubble.querySelector('.words').textContent.length),
        /* Time and name stand where they stand in a message that disturbs nothing. */
        times: messages.map((message) => message.querySelector('time').getBoundingClientRect().right <= message.querySelector('.bubble').getBoundingClientRect().right),
        sideways: document.getElementById('scroller').scrollWidth <= document.getElementById('scroller').clientWidth,
      };
    });
    assert.ok(found.clipped && found.sideways && found.times.every(Boolean), JSON.stringify(found));
    assert.ok(found.lengths[1] < 30, 'few marks');
    assert.ok(found.heights[3] < 160, `4,000 line breaks are few: ${found.heights}`);
    assert.ok(found.heights[4] < 520, `500 lines are folded: ${found.heights}`);
  }
  const top = () => desk.ask(() => [...document.querySelectorAll('#said .bubble')].at(-2).getBoundingClientRect().top);
  const before = await top();
  await desk.ask(() => document.querySelector('#said .long button').click());
  assert.ok(await desk.ask(() => [...document.querySelectorAll('#said .bubble')].at(-2).getBoundingClientRect().height > 5000), 'all of it is shown on request');
  assert.equal(await desk.ask(() => document.querySelectorAll('#said .long').length), 0);
  await desk.ask(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  assert.equal(await top(), before, 'it begins where it began');
  await touch.screenshot('disturbing-phone');
  await desk.screenshot('disturbing-desktop');
});

test('without scripts, too, the name is said again, colours differ, and nothing disturbs', async () => {
  plain = await NoscriptPage.arrive(room, { name: 'plain', size: SMALL });
  await plain.open({ name: 'Pat' });
  await plain.sees('after it');
  const found = await until('the roster', () => plain.inside(({ messages }) => {
    const { getComputedStyle } = messages.defaultView;
    const articles = [...messages.querySelectorAll('article')];
    const text = (wanted) => articles.find((each) => each.querySelector('p').textContent.startsWith(wanted)).querySelector('p');
    const run = articles.filter((each) => each.querySelector('p').textContent.startsWith('of many '));
    const items = [...([...messages.querySelectorAll('aside')].at(-1)?.querySelectorAll('li') ?? [])];
    return items.length === 10 && {
      named: run.map((each) => !each.classList.contains('follows')),
      colours: new Set(items.map((item) => item.className.replace(' away', ''))).size,
      marks: text('Zalgo').textContent.length,
      empty: text('top').getBoundingClientRect().height,
      long: text('x\n').getBoundingClientRect().height,
      clipped: articles.every((each) => getComputedStyle(each.querySelector('p')).overflowX === 'hidden'),
      scrollbar: getComputedStyle(messages.documentElement).scrollbarColor,
      sideways: messages.body.scrollWidth <= messages.body.clientWidth,
    };
  }));
  assert.equal(found.named.length, 40);
  for (let from = 0; from + 15 < found.named.length; from++) assert.ok(found.named.slice(from, from + 15).includes(true), `${found.named}`);
  assert.equal(found.colours, 10);
  assert.ok(found.marks < 30, 'few marks');
  assert.ok(found.empty < 160, `4,000 line breaks are few: ${found.empty}`);
  assert.ok(found.long < 520, `500 lines have a part of their own: ${found.long}`);
  assert.ok(found.clipped && found.sideways, JSON.stringify(found));
  assert.notEqual(found.scrollbar, 'auto', 'bars to scroll with have the colours of the page');
  await plain.screenshot('disturbing-noscript-phone');
});

test('without scripts what is far too long stays in the form, behind Back', async () => {
  const text = 'слово '.repeat(2000);
  await plain.inside(({ say }, value) => {
    say.querySelector('textarea').value = value;
    say.querySelector('button[value=say]').click();
  }, text);
  await until('the reason', () => plain.inside(({ say }) => say?.querySelector('.note')?.textContent.includes('Back brings the form again')));
  await plain.screenshot('too-long-noscript-phone');
  await plain.back();
  await until('what was written', async () => (await plain.draft()) === text);
});

test('on a touch screen Enter makes a line and the button sends', async () => {
  await touch.page.focus('#text');
  assert.equal(await touch.ask(() => document.getElementById('text').enterKeyHint), 'enter');
  await touch.page.keyboard.type('one');
  await touch.page.keyboard.press('Enter');
  await touch.page.keyboard.type('two');
  assert.equal(await touch.ask(() => document.getElementById('text').value), 'one\ntwo');
  await touch.screenshot('without-svg-phone');
  await touch.page.click('#send');
  await desk.hears('one\ntwo');
});

test('buttons have a face where SVG is switched off', async () => {
  const face = await touch.ask(() => {
    const { width, height } = document.querySelector('#people-button desc').getBoundingClientRect();
    return width > 10 && height > 8;
  });
  assert.ok(face);
  assert.ok(await desk.ask(() => document.querySelector('#people-button desc').getClientRects().length === 0), 'elsewhere only the picture is shown');
  const others = await touch.ask(() => ['send', 'panic', 'theme'].map((id) => document.getElementById(id).innerText.trim().length > 0));
  assert.deepEqual(others, [true, true, true], 'others are letters anyway');
});

test('what is left of a message is counted in characters', async () => {
  const left = (text) => desk.ask((value) => {
    composer.set(value);
    const { textContent, hidden } = document.getElementById('room-left');
    return hidden ? '' : textContent;
  }, text);
  assert.equal(await left('x'.repeat(100)), '');
  assert.equal(await left('x'.repeat(4000)), '96 characters left');
  assert.equal(await left('x'.repeat(4200)), '104 characters too long');
  assert.equal(await left('я'.repeat(2000)), 'about 48 characters left');
  assert.equal(await left(`${'я'.repeat(2048)}ы`), '1 character too long');
  await desk.page.focus('#text');
  await desk.page.keyboard.press('Enter');
  assert.equal(await desk.ask(() => document.getElementById('note').textContent), 'This message is 1 character too long. Make it shorter, or send it in parts.');
  await left('');
});

test('outside a full room nobody is said to be here, and the field for a name promises only what is true', async () => {
  await crowd.gather(1);
  await desk.page.click('#name-button');
  assert.equal(await desk.ask(() => document.getElementById('name-field').placeholder), '');
  await desk.page.click('#name-cancel');
  const outside = await Guest.arrive(room, { name: 'outside', size: SMALL });
  try {
    await outside.open();
    await outside.status('The room is full');
    const words = await outside.ask(() => [document.querySelector('#people h2').textContent.trim(), document.getElementById('people-button').ariaLabel, document.querySelector('[data-people-count]').textContent]);
    assert.deepEqual(words, ['People here', 'People here', '']);
    await outside.screenshot('full-phone');
  } finally {
    await outside.leave();
  }
});

test('nothing from elsewhere, no complaints', () => {
  for (const guest of [desk, touch, plain]) {
    assert.deepEqual(guest.proxy.foreign, []);
    assert.deepEqual(guest.problems, []);
  }
});
