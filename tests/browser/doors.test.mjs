/* A room at several doors: a page whose door is away, or full, goes on at another one. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Doors } from './kit/doors.mjs';
import { DESKTOP, Guest, PHONE } from './kit/guest.mjs';
import { until } from './kit/until.mjs';

const FAR = 120_000;
const NOTICE = 'This room is also at this address';

let room, ann, bob;

const arrive = async (number, name, size) => {
  const guest = room.lets(await Guest.arrive(room.door(number), { name, size }));
  await guest.open();
  return guest;
};

before(async () => {
  room = await Doors.open({}, { host: 'localhost' });
  ann = await arrive(0, 'ann', PHONE);
  bob = await arrive(1, 'bob', DESKTOP);
  for (const guest of [ann, bob]) await guest.connected();
}, { timeout: 120_000 });

after(async () => {
  await ann?.leave();
  await bob?.leave();
  await room?.close();
});

/** Waits until the page of a guest is at this door, and connected there. */
async function isAt(guest, number) {
  await until(`the page is at door ${number}`, () => guest.page.url() === room.door(number).url, { deadline: FAR });
  await guest.connected();
}

const lines = (guest) => guest.ask(() => [...document.querySelectorAll('#said .line')].map((line) => line.textContent));
const count = async (guest, text) => (await guest.messages()).filter((each) => each === text).length;

test('with doors the script to go on is loaded before it is needed', async () => {
  await ann.see('the script', () => typeof doors.changed === 'function');
  assert.deepEqual(await ann.ask(() => doors.known), [new URL(room.door(1).url).origin]);
  assert.ok(ann.proxy.requests.includes('GET /moving.js.deflate?en'));
});

test('the door dies: the page goes on at the other one, and what waited to be sent arrives once', async () => {
  await ann.rename('Ann Moving');
  await until('the name', async () => (await ann.name()) === 'Ann Moving');
  const badge = await ann.badge();
  for (let number = 1; number <= 3; number++) await ann.say(`before ${number}`);
  await bob.hears('before 3');
  await room.kill(0);
  await ann.see('the loss', () => document.getElementById('status').dataset.state !== 'connected');
  await ann.say('said into the outage');
  await ann.say('and more\nof it');
  await ann.page.keyboard.type('a draft é');
  await ann.status('This address does not answer; looking at the others');
  await isAt(ann, 1);
  assert.deepEqual([await ann.name(), await ann.badge()], ['Ann Moving', badge]);
  for (const guest of [ann, bob]) for (const text of ['before 1', 'said into the outage', 'and more\nof it']) {
    await guest.hears(text);
    assert.equal(await count(guest, text), 1);
  }
  await ann.see('nothing is left unsent', () => !document.getElementById('unsaid').childElementCount);
  await ann.line(NOTICE);
  assert.equal(await ann.author('before 1'), 'You');
  assert.equal(await ann.ask(() => document.getElementById('text').value), 'a draft é');
  assert.equal(await ann.ask(() => location.hash), '');
  await ann.screenshot('moved-phone');
  assert.equal((await ann.messages()).filter((text, index, all) => all.indexOf(text) !== index).length, 0, 'nothing twice');
});

test('a reload after that stays at the new door, as the same guest', async () => {
  await ann.ask(() => document.getElementById('text').select());
  await ann.page.keyboard.press('Delete');
  await ann.page.reload();
  await ann.connected();
  assert.equal(ann.page.url(), room.door(1).url);
  assert.equal(await ann.name(), 'Ann Moving');
  await ann.hears('said into the outage');
  assert.ok(!(await lines(ann)).some((line) => line.includes(NOTICE)));
});

test('no door answers: the page says so, and is there when one is back', async () => {
  await room.start(0);
  await room.kill(0);
  await room.kill(1);
  await bob.see('the loss', () => document.getElementById('status').dataset.state !== 'connected');
  await bob.say('while no door answered');
  await until('it says so', () => bob.ask(() => document.getElementById('status-words').textContent.startsWith('No address of this room answers')), { deadline: FAR });
  await bob.screenshot('no-door-desktop');
  assert.equal(bob.page.url(), room.door(1).url);
  await room.start(1);
  await until('it is back', () => bob.ask(() => document.getElementById('status').dataset.state === 'connected'), { deadline: FAR });
  await bob.hears('while no door answered');
  await until('ann too', () => ann.ask(() => document.getElementById('status').dataset.state === 'connected'), { deadline: FAR });
  await ann.hears('while no door answered');
  assert.equal(await count(ann, 'while no door answered'), 1);
  assert.equal(bob.page.url(), room.door(1).url, 'its own door was back first');
  await room.start(0);
});

test('two tabs go on as two guests', async () => {
  const first = ann.page;
  await ann.page.goto(room.door(0).url);
  await ann.connected();
  const names = [await ann.name()];
  ann.url = room.door(0).url;
  await ann.open();
  await ann.connected();
  names.push(await ann.name());
  assert.notEqual(names[0], names[1]);
  const second = ann.page;
  await room.kill(0);
  for (const [index, page] of [first, second].entries()) {
    ann.page = page;
    await page.bringToFront();
    await isAt(ann, 1);
    assert.equal(await ann.name(), names[index]);
  }
  await room.start(0);
});

test('while the room cannot write the page says so, and sends what was said when it can', async () => {
  await room.write(false);
  await bob.status('The room cannot write now');
  await bob.say('while it could not write');
  await bob.see('it waits', () => document.querySelector('#unsaid .foot')?.textContent === 'waiting to be sent');
  await bob.screenshot('cannot-write-desktop');
  await bob.page.setViewport({ width: 360, height: 640 });
  await bob.screenshot('cannot-write-360');
  await bob.page.setViewport(DESKTOP);
  await room.write(true);
  await bob.see('it can', () => document.getElementById('status-words').textContent === 'Connected');
  await bob.hears('while it could not write');
  assert.equal(await count(bob, 'while it could not write'), 1);
});

test('nothing but refused connections is complained about', () => {
  for (const guest of [ann, bob]) {
    assert.deepEqual(guest.problems.filter((problem) => !/can.t establish a connection|was interrupted|NetworkError/.test(problem)), []);
  }
});
