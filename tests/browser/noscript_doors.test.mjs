/* Without scripts: a form leads to the room's other doors, and nothing but the guest's own click goes on there. */

import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Doors } from './kit/doors.mjs';
import { DESKTOP, PHONE } from './kit/guest.mjs';
import { NoscriptPage } from './kit/noscript.mjs';
import { NEIGHBOUR } from './kit/proxy.mjs';
import { until } from './kit/until.mjs';

let room, ann, bob, neighbour;

before(async () => {
  room = await Doors.open({}, { host: 'localhost' });
  ann = room.lets(await NoscriptPage.arrive(room.door(0), { name: 'ann', size: { ...PHONE, width: 360 } }));
  bob = room.lets(await NoscriptPage.arrive(room.door(1), { name: 'bob', size: DESKTOP }));
  await ann.open({ name: 'Ann' });
  await bob.open({ name: 'Bob' });
  const form = `<form method="post" action="${room.door(1).url}rooms/main/page/moved"><input name="token" value="${'A'.repeat(43)}">
    <input name="name" value="<b>Mallory"><button>go</button></form>
    <form method="post" action="${room.door(1).url}rooms/main/page/arrive"><input name="token" value="${'A'.repeat(43)}"><button>in</button></form>`;
  neighbour = http.createServer((request, response) => response.setHeader('content-type', 'text/html').end(form)).listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
}, { timeout: 120_000 });

after(async () => {
  await ann?.leave();
  await bob?.leave();
  neighbour?.close();
  await room?.close();
});

/** The texts of the messages, at whichever depth they are now. */
const told = (guest) => guest.inside(({ messages }) => [...messages.querySelectorAll('article > p')].map((each) => each.textContent));

test('the addresses are there before they are needed, and out of the way', async () => {
  await ann.say('from the first door');
  await bob.hears('from the first door');
  await ann.screenshot('noscript-doors-closed-360');
  await ann.inside(({ room }) => (room.querySelector('details').open = true));
  await ann.screenshot('noscript-doors-open-360');
  const [action] = await ann.inside(({ room }) => [...room.querySelectorAll('details form')].map((form) => form.action));
  assert.equal(action, `${room.door(1).url}rooms/main/page/moved`);
});

test('the door dies: a click and another, and the same guest goes on at the other door', async () => {
  const badge = await ann.badge();
  await room.kill(0);
  await bob.say('while the first door was away');
  await ann.inside(({ room }) => room.querySelector('details form button').click());
  await until('the page that asks', () => ann.ask(() => document.querySelector('form[action=arrive] button')?.textContent.includes('Ann')), { deadline: 60_000 });
  await ann.screenshot('noscript-arrival-360');
  const source = await ann.ask(() => location.href);
  assert.equal(source, `${room.door(1).url}rooms/main/page/moved`, 'nothing of the guest is in the address');
  await ann.ask(() => document.querySelector('form[action=arrive] button').click());
  await until('the room', () => ann.ask(() => document.querySelectorAll('iframe').length === 2), { deadline: 60_000 });
  assert.equal(await ann.ask(() => location.href), `${room.door(1).url}rooms/main/page`);
  ann.url = `${room.door(1).url}`;
  await ann.openTab();
  await until('the room in another tab', async () => (await ann.arrived()) === 'room');
  await ann.press('Continue here');
  await ann.ready();
  assert.equal(await ann.badge(), badge);
  assert.equal(await ann.name(), 'Ann');
  await ann.hears('while the first door was away');
  assert.deepEqual(await told(ann), ['from the first door', 'while the first door was away']);
  await ann.say('from the other door');
  await bob.hears('from the other door');
  await room.start(0);
});

test('a form of another site does nothing by itself, and a visitor with a guest here stays that guest', async () => {
  bob.proxy.neighbour = neighbour.address().port;
  const name = await bob.name();
  const page = await bob.browser.newPage();
  const shows = (what, words) => until(what, () => page.evaluate((words) => document.body.innerText.includes(words), words));
  /** Presses a button of the other site's page. */
  const press = async (number) => {
    await page.goto(`http://${NEIGHBOUR}/`);
    await page.evaluate((number) => document.querySelectorAll('button')[number].click(), number);
  };
  const strangers = async () => (await bob.browser.cookies()).filter(({ value }) => value.startsWith('AAA'));
  await press(1);
  /* Its refusal is no document that a browser shows. */
  await until('the request', () => bob.proxy.requests.includes('POST /rooms/main/page/arrive'));
  await press(0);
  await shows('the page that asks', 'You come from another address');
  assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('button, main b')].map((node) => node.textContent)), ['Go on here']);
  assert.deepEqual(await strangers(), []);
  await page.evaluate(() => document.querySelector('form button').click());
  await until('his own room', () => page.evaluate(() => document.querySelectorAll('iframe').length === 2));
  assert.deepEqual(await strangers(), []);
  assert.equal(await bob.name(), name);
  await page.close();
});

test('while the room cannot write the page says so', async () => {
  await room.write(false);
  await bob.hears('The room cannot write at the moment');
  await bob.screenshot('noscript-cannot-write-desktop');
  await room.write(true);
  await bob.hears('The room can write again');
});
