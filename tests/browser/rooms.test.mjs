/* Several rooms at one address: a list with what is unread, and the way from one to the other without a reload. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { DESKTOP, Guest } from './kit/guest.mjs';
import { LocalRoom } from './kit/room.mjs';

let directory, room, ann, bob;

before(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'onionroom-rooms-'));
  const config = path.join(directory, 'rooms.toml');
  fs.writeFileSync(config, '[[rooms]]\nname = "tea"\ntitle = "Tea at five"\n\n[[rooms]]\nname = "attic"\nlisted = false\n');
  room = await LocalRoom.open({ ONIONROOM_CONFIG: config });
  ann = await Guest.arrive(room, { name: 'ann', size: DESKTOP });
  bob = await Guest.arrive(room, { name: 'bob', size: DESKTOP });
  for (const guest of [ann, bob]) {
    await guest.open();
    await guest.connected();
  }
}, { timeout: 120_000 });

after(async () => {
  await ann?.leave();
  await bob?.leave();
  await room?.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

/** The list of rooms, a line for each. */
const rooms = (guest) => guest.ask(() => [...document.querySelectorAll('#rooms li')].map((line) => line.textContent));
const go = (guest, title) => guest.ask((wanted) => {
  [...document.querySelectorAll('#rooms a')].find((link) => link.textContent === wanted).click();
}, title);
const titled = (guest, title) => guest.see(`the title ${title}`, (wanted) => document.getElementById('title').textContent === wanted, title);

test('a guest goes to another room over the same connection, and what is unread elsewhere is counted', async () => {
  await ann.see('the list', () => document.querySelectorAll('#rooms li').length === 2);
  await ann.say('in the main room');
  await bob.hears('in the main room');
  const requests = ann.proxy.requests.length;
  await go(ann, 'Tea at five');
  await titled(ann, 'Tea at five');
  assert.equal(await ann.ask(() => location.hash), '#room=tea');
  assert.deepEqual(await ann.messages(), [], 'nothing of the room before');
  assert.deepEqual(ann.proxy.requests.slice(requests).filter((request) => request.includes('chat')), []);
  await bob.say('while you are at tea');
  await ann.see('one is unread', () => /1 unread message/.test(document.querySelector('#rooms li').textContent));
  await ann.say('over tea');
  await ann.hears('over tea');
  assert.deepEqual(await bob.messages(), ['in the main room', 'while you are at tea']);
  await go(ann, 'onionroom');
  await titled(ann, 'onionroom');
  await ann.hears('while you are at tea');
  assert.ok(!(await ann.messages()).includes('over tea'));
  assert.ok(!(await rooms(ann))[0].includes('unread'));
});

test('a reload stays in the room, and a link leads into one that is not listed', async () => {
  await go(bob, 'Tea at five');
  await titled(bob, 'Tea at five');
  await bob.hears('over tea');
  await bob.ask(() => location.reload());
  await bob.connected();
  await titled(bob, 'Tea at five');
  await bob.hears('over tea');
  await bob.ask(() => { location.hash = '#room=attic'; });
  await titled(bob, 'attic');
  await bob.say('up here');
  await bob.hears('up here');
});

test('a room that is not there leads to the main one', async () => {
  await bob.ask(() => { location.hash = '#room=nothing'; });
  await titled(bob, 'onionroom');
  assert.equal(await bob.ask(() => location.hash), '');
  await bob.hears('while you are at tea');
});
