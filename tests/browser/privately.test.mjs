/* Messages for one guest alone, and who is writing: two guests for each feature, a third one and a host who see nothing of it. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { THEMES, clean as cleanIn } from './kit/clean.mjs';
import { Doors } from './kit/doors.mjs';
import { DESKTOP, Guest } from './kit/guest.mjs';
import { ManyGuests } from './kit/many_guests.mjs';
import { openMenu } from './kit/menu.mjs';
import { NoscriptPage } from './kit/noscript.mjs';
import { until } from './kit/until.mjs';

const SMALL = { width: 360, height: 740 };

let room, ann, bob, carl, hana;

/** Keeps what comes and goes over WebSockets. */
function record() {
  window.frames = [];
  window.WebSocket = class extends WebSocket {
    constructor(...values) {
      super(...values);
      this.addEventListener('message', ({ data }) => window.frames.push(`< ${data}`));
    }
    send(data) {
      window.frames.push(`> ${data}`);
      super.send(data);
    }
  };
}

async function arrive(name, size, options) {
  const guest = await Guest.arrive(room.door(0), { name, size, ...options });
  const { browser } = guest, newPage = browser.newPage.bind(browser);
  browser.newPage = async () => {
    const page = await newPage();
    await page.evaluateOnNewDocument(record);
    return page;
  };
  return guest;
}

async function enter(guest, name) {
  await guest.open();
  await guest.connected();
  await guest.rename(name);
  await until(`the name ${name}`, async () => (await guest.name()) === name);
}

before(async () => {
  room = await Doors.open({});
  [ann, bob, carl, hana] = await Promise.all([['ann', DESKTOP], ['bob', SMALL], ['carl', SMALL], ['hana', DESKTOP]].map((words) => arrive(...words)));
  const secret = await room.act({ act: 'link', role: 'host' });
  const { url } = hana;
  hana.url = `${url}#host=${secret}`;
  await enter(hana, 'Hana');
  hana.url = url;
  await enter(ann, 'Ann');
  await enter(bob, 'Bob Smith');
  await enter(carl, 'Carl');
  await ann.see('all are here', () => people.guests.size === 4);
}, { timeout: 240_000 });

after(async () => {
  for (const guest of [ann, bob, carl, hana]) await guest?.leave();
  await room?.close();
});

const clean = (guest, what, { sizes = [DESKTOP, SMALL], themes } = {}) => cleanIn(guest, what, { pictures: 'privately', sizes, themes });
const frames = (guest) => guest.ask(() => window.frames.join('\n'));
const sent = async (guest, type) => (await frames(guest)).split('\n').filter((frame) => frame.startsWith(`> {"type":"${type}"`)).map((frame) => JSON.parse(frame.slice(2)));
const written = (guest) => guest.ask(() => document.getElementById('text').value);
const bar = (guest) => guest.ask(() => {
  const node = document.getElementById('writing');
  return node?.getClientRects().length ? node.textContent : '';
});
const writesTo = (guest, words) => until(`the bar says "${words}"`, async () => (await bar(guest)).includes(words));
const writesToAll = (guest) => until('no bar', async () => (await bar(guest)) === '');
const note = (guest, words) => guest.see(`the note says "${words}"`, (wanted) => {
  const node = document.getElementById('note');
  return !node.hidden && node.textContent.includes(wanted);
}, words);
/** The messages that are marked as private, as `mark: words`. */
const inPrivate = (guest) => guest.ask(() => [...document.querySelectorAll('#said .message')].filter((node) => node.querySelector('.whisper')).map((node) => `${node.querySelector('.whisper').textContent}: ${node.querySelector('.words').textContent}`));
const hearsPrivately = (guest, mark) => until(`privately: ${mark}`, async () => (await inPrivate(guest)).includes(mark), { deadline: 60_000 });
const unsent = (guest) => guest.ask(() => unsaid.messages.size);

/** Nothing of a text is at these guests: in no frame, in no element, in nothing that is kept. */
async function nothingOf(text, ...guests) {
  for (const guest of guests) {
    assert.ok(!(await frames(guest)).includes(text), `${text}: no frame of ${await guest.name()} has it`);
    assert.ok(!(await guest.ask((wanted) => document.documentElement.textContent.includes(wanted) || JSON.stringify({ ...sessionStorage, ...localStorage }).includes(wanted), text)));
  }
}

/** Puts a text into the message box as if it was typed. */
async function type(guest, text) {
  await guest.page.bringToFront();
  await guest.page.focus('#text');
  await guest.ask(() => document.getElementById('text').select());
  await guest.page.keyboard.type(text);
}

/** Writes to one guest, and then to all again. */
async function whisper(guest, name, text) {
  await type(guest, `/msg ${name} ${text}`);
  await guest.page.keyboard.press('Enter');
  await writesTo(guest, 'In private');
  await guest.page.keyboard.press('Enter');
  await guest.page.keyboard.press('Escape');
  await writesToAll(guest);
}

/** Scrolls to the newest message. */
async function toEnd(guest) {
  await guest.see('the end', () => {
    const scroller = document.getElementById('scroller');
    scroller.scrollTop = scroller.scrollHeight;
    return document.getElementById('newest').hidden;
  });
}

/** The guest looks at another window. */
const away = (guest) => guest.ask(() => {
  document.hasFocus = () => false;
  window.dispatchEvent(new Event('blur'));
});
const back = async (guest) => {
  await guest.page.bringToFront();
  await guest.ask(() => {
    delete document.hasFocus;
    window.dispatchEvent(new Event('focus'));
  });
};

test('from the menu of a guest, by the keyboard: both see it, marked, and no other guest is sent anything of it', async () => {
  await openMenu(ann, { name: 'Bob Smith' });
  await ann.press('#menu', 'Write in private');
  await writesTo(ann, 'In private, to Bob Smith');
  assert.equal(await ann.ask(() => document.activeElement.id), 'text');
  await ann.page.keyboard.type('psst one');
  await clean(ann, 'writing', { themes: THEMES });
  await ann.page.bringToFront();
  await ann.page.focus('#text');
  await ann.page.keyboard.press('Enter');
  await hearsPrivately(ann, 'In private, to Bob Smith: psst one');
  await hearsPrivately(bob, 'In private, to you: psst one');
  assert.match(await bob.author('psst one'), /^Ann/);
  await until('it is confirmed', async () => (await unsent(ann)) === 0);
  await writesTo(ann, 'In private, to Bob Smith');
  await nothingOf('psst one', carl, hana);
});

test('what is typed next goes to the same guest, until Escape', async () => {
  await ann.page.keyboard.type('psst two');
  await ann.page.keyboard.press('Enter');
  await hearsPrivately(bob, 'In private, to you: psst two');
  await ann.page.keyboard.type('psst never sent');
  await ann.page.keyboard.press('Escape');
  await writesToAll(ann);
  assert.equal(await written(ann), '', 'what was for one is not left there for all');
  await ann.page.keyboard.type('for all');
  await ann.page.keyboard.press('Enter');
  for (const guest of [ann, bob, carl, hana]) await guest.hears('for all');
  await nothingOf('psst', carl, hana);
  assert.ok(!(await frames(bob)).includes('never sent'));
  assert.equal((await inPrivate(bob)).length, 2);
});

test('from the menu of a message, and by the button out again', async () => {
  await bob.say('I am Bob');
  await ann.hears('I am Bob');
  await openMenu(ann, { text: 'I am Bob' });
  await ann.press('#menu', 'Write in private');
  await writesTo(ann, 'In private, to Bob Smith');
  await ann.page.keyboard.type('not this');
  await ann.press('#writing', 'Cancel');
  await writesToAll(ann);
  assert.equal(await written(ann), '');
});

test('a private message has a menu of its guest, from which it is answered', async () => {
  await openMenu(bob, { text: 'psst one' });
  assert.deepEqual(await bob.ask(() => [...document.querySelectorAll('#menu button')].map((each) => each.textContent)), ['Mention', 'Ignore', 'Write in private']);
  await clean(bob, 'menu', { sizes: [SMALL] });
  await bob.press('#menu', 'Write in private');
  await writesTo(bob, 'In private, to Ann');
  await bob.page.keyboard.type('psst three');
  await bob.page.keyboard.press('Enter');
  await hearsPrivately(ann, 'In private, to you: psst three');
  await bob.page.keyboard.press('Escape');
  await writesToAll(bob);
  await nothingOf('psst', carl, hana);
});

test('by a command, which has the guest seen who is meant before anything is sent', async () => {
  await type(ann, '/msg @b');
  await ann.see('suggested', () => document.getElementById('offers').textContent.includes('@Bob Smith'));
  await ann.page.keyboard.press('Tab');
  await ann.page.keyboard.type('psst four');
  await ann.page.keyboard.press('Enter');
  await writesTo(ann, 'In private, to Bob Smith');
  assert.equal(await written(ann), 'psst four');
  await ann.page.keyboard.press('Enter');
  await hearsPrivately(bob, 'In private, to you: psst four');
  await ann.page.keyboard.press('Escape');
  await ann.say('/msg bob smith');
  await writesTo(ann, 'In private, to Bob Smith');
  await ann.page.keyboard.press('Escape');
  const { length } = await sent(ann, 'whisper');
  await carl.rename('Bob');
  await ann.see('another Bob', () => [...people.guests.values()].some(({ name }) => name === 'Bob'));
  await ann.say('/msg bob smith is meant');
  await writesTo(ann, 'In private, to Bob Smith');
  assert.equal(await written(ann), 'is meant', 'it waits until that is seen');
  await ann.page.keyboard.press('Escape');
  await ann.say('/msg Bob Brown has left');
  await writesTo(ann, 'In private, to Bob');
  assert.equal(await written(ann), 'Brown has left');
  await ann.page.keyboard.press('Escape');
  assert.equal((await sent(ann, 'whisper')).length, length, 'nothing is sent to who is not meant');
  await carl.rename('Carl');
  await ann.see('Carl again', () => ![...people.guests.values()].some(({ name }) => name === 'Bob'));
  await ann.say('/msg Nemo hello');
  await note(ann, 'Not here');
  assert.equal(await written(ann), '/msg Nemo hello');
  await ann.ask(() => composer.set(''));
  await nothingOf('psst', carl, hana);
});

test('what is for one guest goes neither to all nor to another one when something else is begun', async () => {
  const before = await frames(ann);
  for (const begin of [
    async () => {
      await openMenu(ann, { text: 'I am Bob' });
      await ann.press('#menu', 'Reply');
    },
    async () => {
      await openMenu(ann, { name: 'Carl' });
      await ann.press('#menu', 'Write in private');
    },
  ]) {
    await ann.say('/msg Bob Smith');
    await writesTo(ann, 'In private, to Bob Smith');
    await ann.page.keyboard.type('psst draft');
    await begin();
    assert.equal(await written(ann), '');
    await ann.page.focus('#text');
    await ann.page.keyboard.press('Escape');
    await writesToAll(ann);
  }
  await ann.say('/msg Bob Smith');
  await ann.page.keyboard.press('ArrowUp');
  assert.ok((await bar(ann)).includes('In private'), 'no message to all is begun anew');
  await ann.page.keyboard.press('Escape');
  await ann.page.keyboard.press('ArrowUp');
  assert.equal(await written(ann), 'for all', 'and a private one cannot be edited');
  await ann.page.keyboard.press('Escape');
  assert.ok(!(await frames(ann)).slice(before.length).includes('draft'));
});

test('after a reload all that is kept is there once, and what was being written is still for one', async () => {
  await ann.say('/msg Bob Smith');
  await writesTo(ann, 'In private, to Bob Smith');
  await ann.page.keyboard.type('psst five');
  for (const guest of [ann, bob]) {
    const before = await inPrivate(guest);
    await guest.page.reload();
    await guest.connected();
    await until('all are back', async () => (await inPrivate(guest)).length >= before.length);
    assert.deepEqual(await inPrivate(guest), before);
  }
  assert.equal(await written(ann), '/msg Bob Smith psst five');
  await ann.page.focus('#text');
  await ann.page.keyboard.press('Enter');
  await writesTo(ann, 'In private, to Bob Smith');
  await ann.page.keyboard.press('Enter');
  await ann.page.keyboard.press('Escape');
  await hearsPrivately(bob, 'In private, to you: psst five');
  await nothingOf('psst', carl, hana);
});

test('another room gets nothing of it, and who cannot go there has all again', async () => {
  const before = await inPrivate(ann);
  await ann.say('/msg Bob Smith');
  await writesTo(ann, 'In private, to Bob Smith');
  await ann.page.keyboard.type('psst for no other room');
  await ann.ask(() => {
    location.hash = '#room=nowhere';
  });
  await ann.see('it is refused', () => window.frames.some((frame) => frame.includes('unknown_room')));
  await ann.connected();
  await until('all are back', async () => (await inPrivate(ann)).length >= before.length);
  assert.deepEqual(await inPrivate(ann), before);
  assert.deepEqual([await written(ann), await bar(ann)], ['', '']);
  assert.ok(!(await frames(ann)).includes('no other room'));
});

test('a circuit that dies: nothing lost, nothing twice, what waits is sent then', async () => {
  const before = [await inPrivate(ann), await inPrivate(bob)];
  ann.proxy.blocked = [/./];
  ann.proxy.cut();
  await ann.see('the connection is lost', () => document.getElementById('status').dataset.state !== 'connected');
  await whisper(ann, 'Bob Smith', 'psst while away');
  await ann.see('it waits', () => document.getElementById('unsaid').textContent.includes('In private, to Bob Smith') && document.getElementById('unsaid').textContent.includes('waiting to be sent'));
  await clean(ann, 'waiting', { sizes: [SMALL] });
  await whisper(bob, 'Ann', 'psst missed');
  await until('it is confirmed', async () => (await unsent(bob)) === 0);
  ann.proxy.blocked = [];
  await ann.ask(() => window.dispatchEvent(new Event('online')));
  await hearsPrivately(bob, 'In private, to you: psst while away');
  await hearsPrivately(ann, 'In private, to you: psst missed');
  await until('nothing waits', async () => (await unsent(ann)) === 0);
  assert.equal((await inPrivate(ann)).length, before[0].length + 2);
  assert.equal((await inPrivate(bob)).length, before[1].length + 2);
  await nothingOf('psst', carl, hana);
});

test('who missed more than is brought still has what was said in private', async () => {
  const many = new ManyGuests(room.door(0));
  const before = await inPrivate(ann);
  ann.proxy.blocked = [/./];
  ann.proxy.cut();
  await ann.see('the connection is lost', () => document.getElementById('status').dataset.state !== 'connected');
  await many.gather(1);
  await many.sayMany(1, 400);
  await many.disperse(1);
  ann.proxy.blocked = [];
  await ann.ask(() => window.dispatchEvent(new Event('online')));
  await ann.see('the newest', () => log.items.some(({ text }) => text?.startsWith('message 400 ')));
  assert.deepEqual(await ann.ask(() => log.items.filter(({ to }) => to).length), before.length);
  const numbers = await ann.ask(() => log.items.filter(({ text }) => text?.startsWith('message ')).map(({ seq }) => seq));
  assert.deepEqual(numbers, numbers.toSorted((one, other) => one - other));
});

test('it is unread and calls its guest, who looks elsewhere', async () => {
  await back(bob);
  await bob.see('all is read', () => !/^[(@]/.test(document.title));
  await away(bob);
  await whisper(ann, 'Bob Smith', 'psst are you there');
  await bob.see('a mention', () => document.title.startsWith('@1 (1) '));
  await back(bob);
  await bob.see('it is read', () => !/^[(@]/.test(document.title));
  await toEnd(ann);
});

test('of whom a guest ignores nothing is shown, until they are not ignored any more', async () => {
  await bob.say('/ignore Ann');
  await until('nothing of Ann is shown', async () => !(await inPrivate(bob)).some((mark) => mark.startsWith('In private, to you')));
  await away(bob);
  await whisper(ann, 'Bob Smith', 'psst to deaf ears');
  await bob.see('it came', () => window.frames.some((frame) => frame.includes('deaf ears')));
  assert.ok(!(await bob.ask(() => document.title.startsWith('@') || document.title.startsWith('('))));
  assert.ok(!(await bob.ask(() => document.body.textContent.includes('deaf ears'))));
  await back(bob);
  await bob.say('/ignore Ann');
  await hearsPrivately(bob, 'In private, to you: psst to deaf ears');
});

test('long and rich texts, in all looks and sizes, with forced colours', async () => {
  await ann.say('/msg Bob Smith');
  await writesTo(ann, 'In private');
  await ann.ask((text) => {
    composer.set(text);
    document.getElementById('say-form').requestSubmit();
  }, `a **rich** \`text\`\n${'many words '.repeat(362)}`.slice(0, 4000));
  await ann.page.focus('#text');
  await ann.page.keyboard.press('Escape');
  await bob.see('it came', () => [...document.querySelectorAll('#said .words')].some((words) => words.querySelector('strong') && words.textContent.includes('many words')));
  await whisper(bob, 'Ann', 'psst and back');
  await hearsPrivately(ann, 'In private, to you: psst and back');
  for (const guest of [ann, bob]) {
    await toEnd(guest);
    await clean(guest, `conversation of ${await guest.name()}`, { themes: [...THEMES, 'dark contrast'] });
    await guest.ask(() => (document.documentElement.dataset.theme = ''));
  }
  const preferences = { 'privacy.resistFingerprinting': false, 'ui.useAccessibilityTheme': 1, 'browser.display.document_color_use': 2 };
  const fay = await arrive('fay', SMALL, { preferences });
  try {
    await enter(fay, 'Fay');
    await ann.see('Fay is here', () => people.list.textContent.includes('Fay'));
    await whisper(ann, 'Fay', 'psst to Fay');
    await hearsPrivately(fay, 'In private, to you: psst to Fay');
    assert.ok(await fay.ask(() => matchMedia('(forced-colors: active)').matches && getComputedStyle(document.querySelector('.whisper').closest('.bubble')).borderTopStyle === 'dashed'));
    await clean(fay, 'forced colours', { sizes: [SMALL] });
  } finally {
    await fay.leave();
  }
});

test('refusals are told, and the text comes back into the box, for the same guest alone', async () => {
  await whisper(ann, 'Ann', 'to myself');
  await ann.see('refused', () => document.getElementById('unsaid').textContent.includes('your own number'));
  await ann.press('#unsaid', 'Edit');
  await writesTo(ann, 'In private, to Ann');
  assert.equal(await written(ann), 'to myself');
  await ann.page.keyboard.press('Escape');
  await writesToAll(ann);
  const eve = await arrive('eve', SMALL);
  try {
    await enter(eve, 'Eve');
    await ann.see('Eve is here', () => people.list.textContent.includes('Eve'));
    await ann.say('/msg Eve');
    await writesTo(ann, 'In private, to Eve');
    await eve.page.click('#people-button');
    await eve.page.click('#leave');
    await ann.line('Eve left');
    await ann.page.keyboard.type('psst to no one');
    await ann.page.keyboard.press('Enter');
  } finally {
    await eve.leave();
  }
  await ann.see('refused', () => document.getElementById('unsaid').textContent.includes('not in the room any more'));
  await clean(ann, 'refused', { sizes: [SMALL] });
  await ann.page.keyboard.press('Escape');
  await writesToAll(ann);
  await ann.press('#unsaid', 'Edit');
  await writesTo(ann, 'In private, to Eve');
  assert.equal(await written(ann), 'psst to no one');
  await ann.page.keyboard.press('Escape');
  await nothingOf('psst', carl, hana);
});

test('a host forbids it, and allows it again: what was written stays, what is written then is refused', async () => {
  const before = await inPrivate(ann);
  await ann.say('/msg Bob Smith');
  await writesTo(ann, 'In private');
  await hana.page.bringToFront();
  await hana.press('header', 'Govern');
  await hana.press('#govern', 'No private messages');
  for (const guest of [ann, bob, carl]) await guest.line('Private messages were switched off by Hana');
  await openMenu(ann, { name: 'Bob Smith' });
  assert.ok(!(await ann.ask(() => document.getElementById('menu').textContent.includes('private'))));
  await ann.page.keyboard.press('Escape');
  assert.deepEqual(await inPrivate(ann), before);
  await ann.page.focus('#text');
  await ann.page.keyboard.type('psst forbidden');
  await ann.page.keyboard.press('Enter');
  await ann.see('refused', () => document.getElementById('unsaid').textContent.includes('cannot write to each other privately'));
  await ann.press('#unsaid', 'Edit');
  await ann.page.keyboard.press('Escape');
  await ann.page.reload();
  await ann.connected();
  await openMenu(ann, { name: 'Bob Smith' });
  assert.ok(!(await ann.ask(() => document.getElementById('menu').textContent.includes('private'))), 'the welcome says so, too');
  await ann.page.keyboard.press('Escape');
  await hana.press('#govern', 'Allow private messages');
  await ann.line('Private messages were switched on by Hana');
  await ann.ask(() => composer.set(''));
  await whisper(ann, 'Bob Smith', 'psst allowed');
  await hearsPrivately(bob, 'In private, to you: psst allowed');
  await hana.press('#govern', 'Close');
  await nothingOf('psst', carl, hana);
});

for (const way of ['events', 'polling']) {
  test(`where no WebSocket gets through: ${way}`, async () => {
    const before = (await inPrivate(bob)).length;
    await bob.comeInBy(way);
    await whisper(ann, 'Bob Smith', `psst by ${way}`);
    await hearsPrivately(bob, `In private, to you: psst by ${way}`);
    await whisper(bob, 'Ann', `psst back by ${way}`);
    await hearsPrivately(ann, `In private, to you: psst back by ${way}`);
    await hearsPrivately(bob, `In private, to Ann: psst back by ${way}`);
    await until('it is confirmed', async () => (await unsent(bob)) === 0);
    assert.equal((await inPrivate(bob)).length, before + 2, 'nothing twice');
    await bob.ask(() => {
      connection.rung = 0;
      connection.open();
    });
    await bob.see('a WebSocket again', () => document.getElementById('status-words').textContent === 'Connected');
    assert.equal((await inPrivate(bob)).length, before + 2, 'nothing twice');
  });
}

test('with a guest whose page runs no scripts', async () => {
  const dora = await NoscriptPage.arrive(room.door(0), { name: 'dora', size: SMALL });
  try {
    await dora.open({ name: 'Dora' });
    await ann.see('Dora is here', () => people.list.textContent.includes('Dora'));
    await whisper(ann, 'Dora', 'psst without scripts');
    await until('it came', () => dora.inside(({ messages }) => messages.body.textContent.includes('psst without scripts')), { deadline: 60_000 });
  } finally {
    await dora.leave();
  }
  await nothingOf('psst', carl, hana);
});

test('who is writing is shown only where hosts want it, and goes by itself', async () => {
  const line = (guest) => guest.ask(() => document.getElementById('writers')?.textContent ?? '');
  /** These go on writing until Ann is told that; one after the other, because the room tells it four times in a second at most. */
  let turn = 0, last = 0;
  const write = (told, ...guests) => until(`${told}`, async () => {
    if (Date.now() - last > 500) {
      last = Date.now();
      await guests[turn++ % guests.length].ask(() => {
        const text = document.getElementById('text');
        text.value += 'x';
        text.dispatchEvent(new Event('input'));
      });
    }
    return told.test(await line(ann));
  });
  await type(bob, 'typed before');
  assert.deepEqual(await sent(bob, 'typing'), []);
  await hana.press('header', 'Govern');
  await hana.press('#govern', 'Show who is writing');
  for (const guest of [ann, bob, carl]) await guest.line('Signs of who is writing were switched on by Hana');
  await hana.press('#govern', 'Close');
  await type(bob, 'typed now');
  await write(/^Bob Smith is writing…$/, bob);
  assert.equal(await line(bob), '', 'one is not told of oneself');
  assert.ok(await ann.ask(() => !document.getElementById('writers').closest('[role=log]') && document.getElementById('writers').ariaLive === 'polite'));
  await clean(ann, 'who is writing', { themes: THEMES });
  await write(/^Bob Smith is writing…$/, bob);
  await bob.ask(() => composer.set('typed now'));
  await bob.page.keyboard.press('Enter');
  await ann.hears('typed now');
  assert.equal(await line(ann), '', 'gone with the message');
  await write(/^Carl is writing…$/, carl);
  await write(/^(Carl and Hana|Hana and Carl) are writing…$/, carl, hana);
  await write(/^Several guests are writing…$/, bob, carl, hana);
  await ann.see('gone by itself', () => document.getElementById('writers').textContent === '');
  for (const guest of [bob, carl, hana]) await guest.ask(() => composer.set(''));
  /* Neither commands nor what is private. */
  const counts = async () => (await sent(ann, 'typing')).length;
  const before = await counts();
  await whisper(ann, 'Bob Smith', 'psst unnoticed');
  await ann.say('/msg Bob Smith');
  await writesTo(ann, 'In private');
  await ann.page.keyboard.type('psst again');
  await ann.page.keyboard.press('Escape');
  assert.equal(await counts(), before);
  await ann.say('/ignore Bob Smith');
  await type(bob, 'unheard');
  await until('the room tells it', async () => (await frames(ann)).split('\n').filter((frame) => frame.startsWith('< {"type":"typing"')).length > 2);
  assert.equal(await line(ann), '');
  await ann.say('/ignore Bob Smith');
  await bob.ask(() => composer.set(''));
  await hana.press('header', 'Govern');
  await hana.press('#govern', 'Do not show who is writing');
  await bob.line('Signs of who is writing were switched off');
  await hana.press('#govern', 'Close');
  const toldBefore = (await sent(bob, 'typing')).length;
  await type(bob, 'typed at last');
  await bob.page.keyboard.press('Enter');
  await ann.hears('typed at last');
  assert.equal((await sent(bob, 'typing')).length, toldBefore);
});

test('when one of the two leaves, what they wrote to each other is taken away at both ends', async () => {
  await whisper(carl, 'Ann', 'psst of Carl');
  await hearsPrivately(ann, 'In private, to you: psst of Carl');
  await bob.page.click('#people-button');
  await bob.page.click('#leave');
  await bob.status('You have left');
  assert.deepEqual(await inPrivate(bob), [], 'at once at their own');
  const others = ['In private, to Fay: psst to Fay', 'In private, to Dora: psst without scripts', 'In private, to you: psst of Carl'];
  await until('they are taken away', async () => (await inPrivate(ann)).every((mark) => others.includes(mark)));
  assert.ok((await inPrivate(ann)).includes(others[2]), 'and what was exchanged with others stays');
  await ann.line('Private messages that were here are no longer kept');
  assert.ok(await ann.ask(() => !log.items.some((item) => /psst (?!of Carl|to Fay|without)/.test(item.text ?? ''))), 'nor is it in the memory');
  await clean(ann, 'taken away', { sizes: [SMALL] });
  await ann.say('/msg Bob Smith');
  await note(ann, 'Not here');
  await ann.ask(() => composer.set(''));
  await bob.page.click('#now');
  await bob.connected();
  assert.deepEqual(await inPrivate(bob), []);
});

test('a room that is started anew has none of it, and the page says so', async () => {
  await room.kill(0);
  await ann.see('the connection is lost', () => document.getElementById('status').dataset.state !== 'connected');
  await room.start(0);
  await ann.ask(() => window.dispatchEvent(new Event('online')));
  await ann.connected();
  await until('they are taken away', async () => (await inPrivate(ann)).length === 0);
});

test('no browser complained, and none wanted to go anywhere else', () => {
  for (const guest of [ann, bob, carl, hana]) {
    assert.deepEqual(guest.problems.filter((problem) => !/connection|interrupted/.test(problem)), []);
    assert.deepEqual(guest.proxy.foreign, []);
  }
});
