/* Two people chat, one on a phone, one at a desk, each in a real Firefox behind a circuit of their own. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESKTOP, Guest, PHONE } from './kit/guest.mjs';
import { openRoom } from './kit/room.mjs';
import { until } from './kit/until.mjs';

let room, phone, desk;

before(async () => {
  room = await openRoom();
  phone = await Guest.arrive(room, { name: 'phone', size: PHONE });
  desk = await Guest.arrive(room, { name: 'desk', size: DESKTOP });
}, { timeout: 300_000 });

after(async () => {
  await phone?.leave();
  await desk?.leave();
  await room?.close();
});

test('opening the room takes two requests, and nothing from elsewhere', async (t) => {
  for (const guest of [phone, desk]) {
    await guest.open();
    await guest.connected();
    assert.deepEqual(guest.proxy.requests, ['GET /', 'GET /chat']);
  }
  assert.ok(phone.proxy.bytes.down < 24_000, `${phone.proxy.bytes.down} bytes came`);
  t.diagnostic(`bytes until the room is open: ${phone.proxy.bytes.down} down, ${phone.proxy.bytes.up} up`);
});

test('both see who is here', async () => {
  const names = [await phone.name(), await desk.name()];
  assert.notEqual(names[0], names[1]);
  for (const guest of [phone, desk]) {
    await until('both names', async () => {
      const here = await guest.people();
      return names.every((name) => here.includes(name));
    });
  }
});

test('both see the same badge beside a name, and their own beside theirs', async () => {
  const badges = { [await phone.name()]: await phone.badge(), [await desk.name()]: await desk.badge() };
  for (const badge of Object.values(badges)) assert.match(badge, /^[0-9a-hjkmnp-tv-z]{4}$/);
  for (const guest of [phone, desk]) assert.deepEqual(await guest.badges(), badges);
});

test('they chat, both ways', async (t) => {
  await phone.say('Good evening from the train');
  await desk.hears('Good evening from the train');
  assert.equal(await desk.author('Good evening from the train'), await phone.name());
  await phone.hears('Good evening from the train');
  assert.equal(await phone.author('Good evening from the train'), 'You');
  await desk.say('And from the desk. The notes are at https://example.org/notes.');
  await phone.hears('And from the desk. The notes are at https://example.org/notes.');
  assert.equal(await phone.author('And from the desk. The notes are at https://example.org/notes.'), await desk.name());
  /* What guests do with messages is asked for with the first key. */
  assert.deepEqual(phone.proxy.requests.slice(2), ['GET /talk.js.deflate?en']);
  t.diagnostic(`bytes after two messages: ${phone.proxy.bytes.down} down, ${phone.proxy.bytes.up} up`);
});

test('an address in a message becomes a link that tells nobody where it was', async () => {
  const link = await phone.ask(() => {
    const { href, rel, target, textContent } = document.querySelector('#said .words a');
    return { href, rel, target, textContent };
  });
  assert.equal(link.textContent, 'https://example.org/notes');
  assert.equal(link.href, 'https://example.org/notes');
  assert.equal(link.target, '_blank');
  assert.match(link.rel, /noreferrer/);
  assert.match(link.rel, /noopener/);
});

test('Shift+Enter makes a line break', async () => {
  await phone.say('first line\nsecond line');
  await desk.hears('first line\nsecond line');
  const heights = await desk.ask(() => [...document.querySelectorAll('#said .words')].slice(-2).map((words) => words.getBoundingClientRect().height));
  assert.ok(heights[1] > heights[0] * 1.5, `two lines are taller than one: ${heights}`);
});

test('markup is shown as the text it is', async () => {
  const text = '<img src=x onerror="document.title=1"> <b>bold</b> &amp; <script>document.title=2</script>';
  const title = await desk.ask(() => document.title);
  await phone.say(text);
  await desk.hears(text);
  assert.equal(await desk.ask(() => document.querySelectorAll('#said img, #said b, #said script').length), 0);
  assert.equal((await desk.ask(() => document.title)).replace(/^\(\d+\) /, ''), title.replace(/^\(\d+\) /, ''));
});

test('a new name reaches the other, a taken one is refused in words', async () => {
  await phone.rename('Ann on a train');
  await desk.line('is now called Ann on a train');
  await until('the new name is in the list', async () => (await desk.people()).includes('Ann on a train'));
  await desk.rename('ANN ON A TRAIN');
  await desk.see('a sentence that says why', () => document.getElementById('note').textContent.length > 10);
  assert.ok(await desk.ask(() => !document.getElementById('name-form').hidden), 'another name can be typed');
  await desk.page.click('#name-cancel');
  assert.notEqual(await desk.name(), 'ANN ON A TRAIN');
});

test('two tabs are two guests, and the title of the hidden one counts what it heard', async () => {
  const first = desk.page;
  const name = await desk.name();
  await desk.open();
  await desk.connected();
  assert.notEqual(await desk.name(), name);
  await desk.say('From a second tab');
  await phone.hears('From a second tab');
  const second = desk.page;
  desk.page = first;
  await desk.hears('From a second tab');
  await desk.see('one unread message in the title', () => document.title.startsWith('(1) '));
  await first.bringToFront();
  await desk.see('nothing unread', () => !document.title.startsWith('('));
  await desk.connected();
  desk.page = second;
});

test('a duplicated tab, which copies the token too, is a guest of its own', async () => {
  const [first] = (await desk.browser.pages()).filter((page) => page.url() === room.url);
  const copied = await first.evaluate(() => sessionStorage.getItem('token'));
  await desk.ask((token) => sessionStorage.setItem('token', token), copied);
  await desk.page.reload();
  await desk.connected();
  assert.notEqual(await desk.ask(() => sessionStorage.getItem('token')), copied);
  await desk.page.close();
  desk.page = first;
  await desk.connected();
});

test('a name that is taken at the door: another can be chosen, the connection stays', async () => {
  const first = desk.page;
  const taken = await phone.name();
  await desk.open();
  await desk.connected();
  await desk.ask((name) => {
    sessionStorage.clear();
    localStorage.clear();
    sessionStorage.setItem('name', name);
  }, taken);
  await desk.page.reload();
  await desk.status('Choose a name to come in');
  const requests = desk.proxy.requests.length;
  assert.match(await desk.ask(() => document.getElementById('note').textContent), /another name/);
  await desk.page.keyboard.type('Somebody else');
  await desk.page.keyboard.press('Enter');
  await desk.connected();
  assert.equal(await desk.name(), 'Somebody else');
  assert.deepEqual(desk.proxy.requests.slice(requests).filter((request) => !request.includes('talk.js')), []);
  await desk.page.close();
  desk.page = first;
});

test('one token in two browsers: the first is told, and may take the seat back', async () => {
  const own = await desk.ask(() => ({ ...sessionStorage }));
  const name = await phone.name();
  const token = await phone.ask(() => sessionStorage.getItem('token'));
  await desk.ask((stolen) => {
    sessionStorage.setItem('token', stolen);
    sessionStorage.removeItem('name'); /* it is kept for the seat that this browser leaves */
  }, token);
  await desk.page.reload();
  await phone.status('went on in another window');
  assert.equal(await phone.ask(() => document.getElementById('now').textContent), 'Continue here');
  await phone.page.click('#now');
  await phone.connected();
  await desk.status('went on in another window');
  await desk.ask((items) => Object.entries(items).forEach((item) => sessionStorage.setItem(...item)), own);
  await desk.page.reload();
  await desk.connected();
  assert.equal(await phone.name(), name);
  assert.equal(await desk.name(), own.name);
});

test('a reload brings the same guest back, with the messages', async () => {
  const [name, messages] = [await phone.name(), await phone.messages()];
  await phone.page.reload();
  await phone.connected();
  assert.equal(await phone.name(), name);
  await until('the messages are back', async () => (await phone.messages()).length >= messages.length);
  assert.deepEqual(await phone.messages(), messages);
  assert.equal(await phone.author('first line\nsecond line'), 'You');
});

test('a circuit that dies unnoticed by the room: back as the same guest, nothing lost, nothing twice', async () => {
  const [name, badge] = [await phone.name(), await phone.badge()];
  const before = await phone.messages();
  phone.proxy.cut();
  await phone.say('said while the circuit was dead');
  await desk.say('and this meanwhile');
  await phone.hears('and this meanwhile');
  for (const guest of [desk, phone]) await guest.hears('said while the circuit was dead');
  await phone.connected();
  assert.deepEqual([await phone.name(), await phone.badge()], [name, badge]);
  const news = (await phone.messages()).slice(before.length).sort();
  assert.deepEqual(news, ['and this meanwhile', 'said while the circuit was dead']);
  const lines = await desk.ask(() => [...document.querySelectorAll('#said .line')].map((line) => line.textContent));
  assert.ok(lines.every((line) => !(line.includes(name) && /left|joined/.test(line))), `nobody left: ${lines}`);
});

test('both windows look as they should', async () => {
  await phone.screenshot('chat-phone');
  await desk.screenshot('chat-desktop');
  for (const guest of [phone, desk]) {
    assert.ok(await guest.ask(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out sideways');
  }
  await phone.page.setViewport({ width: 320, height: 568 });
  await phone.see('the narrowest width is enough', () => document.documentElement.scrollWidth <= 320);
  await phone.screenshot('chat-narrow');
  await phone.page.setViewport(PHONE);
  await phone.page.click('#people-button');
  await phone.see('the people drawer', () => document.getElementById('people').matches(':popover-open'));
  await phone.screenshot('people-phone');
  /* A local room's address leads nowhere from elsewhere. */
  const { hidden, address } = await phone.ask(() => ({ hidden: document.getElementById('invite').hidden, address: document.getElementById('invite-address').textContent }));
  if (new URL(room.url).hostname.endsWith('.onion')) assert.deepEqual({ hidden, address }, { hidden: false, address: new URL(room.url).origin });
  else assert.ok(hidden);
});

test('no browser complained, and none wanted to go anywhere else', () => {
  for (const guest of [phone, desk]) {
    assert.deepEqual(guest.problems, []);
    assert.deepEqual(guest.proxy.foreign, []);
  }
});
