/* The room is opened again on the same data directory, and on a backup of it: the page goes on where it was, shows nothing
   twice, and what is said after a backup was put back at once. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Guest, PHONE } from './kit/guest.mjs';
import { LocalRoom } from './kit/room.mjs';

const outer = fs.mkdtempSync(path.join(os.tmpdir(), 'onionroom-restored-'));
const [data, backup] = [path.join(outer, 'room'), path.join(outer, 'backup')];

let room, guests, ann, bob;

before(async () => {
  room = await LocalRoom.open({ ONIONROOM_STORAGE_DATA_DIR: data });
  ann = await Guest.arrive(room, { name: 'ann', size: PHONE });
  bob = await Guest.arrive(room, { name: 'bob', size: PHONE });
  /* Bob's browser has no WebSocket. */
  bob.proxy.blocked = [/^upgrade: *websocket/im];
  guests = [ann, bob];
  for (const guest of guests) await guest.open();
  await ann.connected();
  await bob.status('Connected (events)');
}, { timeout: 120_000 });

after(async () => {
  for (const guest of guests ?? []) await guest.leave();
  await room?.close();
  fs.rmSync(outer, { recursive: true, force: true });
});

async function back() {
  await room.start();
  await ann.connected();
  await bob.status('Connected');
}

async function have(...texts) {
  for (const guest of guests) {
    for (const text of texts) await guest.hears(text);
    assert.deepEqual(await guest.messages(), texts);
  }
}

const lines = (guest) => guest.ask(() => [...document.querySelectorAll('.line')].map((line) => line.textContent));

test('a room that was opened again goes on', async () => {
  await ann.say('one');
  await have('one');
  await room.close();
  fs.cpSync(data, backup, { recursive: true });
  await back();
  await ann.say('two');
  await have('one', 'two');
  for (const guest of guests) assert.ok(!(await lines(guest)).some((line) => line.includes('The room was')));
});

test('a backup that was put back: nothing is shown twice, and what is said then at once', async () => {
  await room.close();
  fs.rmSync(data, { recursive: true });
  fs.cpSync(backup, data, { recursive: true });
  await back();
  await ann.say('three');
  await have('one', 'two', 'three');
  await bob.say('four');
  await have('one', 'two', 'three', 'four');
  for (const guest of guests) assert.equal((await lines(guest)).filter((line) => line.includes('The room was')).length, 1);
});

test('the host gives the room another title: the page takes it, and says so where it happened', async () => {
  await room.close();
  room.settings = { ...room.settings, ONIONROOM_ROOM_TITLE: 'Tea at <five>' };
  await back();
  for (const guest of guests) {
    await guest.see('the new title', () => document.getElementById('title').textContent === 'Tea at <five>' && document.title.includes('Tea at <five>'));
  }
  await ann.say('five');
  await have('one', 'two', 'three', 'four', 'five');
  /* Who opens the page anew finds it in its place, and nothing is taken for missing. */
  await bob.open();
  await bob.hears('five');
  assert.deepEqual(await bob.messages(), ['one', 'three', 'four', 'five'], 'what the backup did not have is gone');
  for (const guest of guests) {
    const shown = await lines(guest);
    assert.equal(shown.filter((line) => line === 'The room is now called Tea at <five>').length, 1, shown);
    assert.ok(!shown.some((line) => line.includes('no longer kept')), shown);
  }
  assert.deepEqual(ann.problems, []);
});
