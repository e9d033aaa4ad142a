/* A door at which no seat is free: who comes goes to another door, and where all are full waits. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Doors } from './kit/doors.mjs';
import { Guest, PHONE } from './kit/guest.mjs';
import { until } from './kit/until.mjs';

const WEBSOCKET = /^upgrade: *websocket/im;

let room, ann, bob, eve;

const arrive = async (number, name) => {
  const guest = room.lets(await Guest.arrive(room.door(number), { name, size: PHONE }));
  return guest;
};

before(async () => {
  room = await Doors.open({ seats: 1 }, { host: 'localhost', seats: 1 });
  bob = await arrive(0, 'bob');
  await bob.open();
  await bob.connected();
}, { timeout: 120_000 });

after(async () => {
  for (const guest of [ann, bob, eve]) await guest?.leave();
  await room?.close();
});

test('a new guest at a full door is at another one at once', async () => {
  ann = await arrive(0, 'ann');
  await ann.open();
  await until('the other door', () => ann.page.url() === room.door(1).url, { deadline: 15_000 });
  await ann.connected();
  await ann.say('in at the other door');
  await bob.hears('in at the other door');
  await ann.line('This room is also at this address');
});

test('where all doors are full the page says so and stays, also without a WebSocket', async () => {
  eve = await arrive(0, 'eve');
  eve.proxy.blocked = [WEBSOCKET];
  await eve.open();
  await until('it says so', () => eve.ask(() => document.getElementById('status-words').textContent.includes('cannot let you in, at all its addresses')), { deadline: 90_000 });
  await eve.screenshot('all-full-phone');
  const visits = eve.proxy.requests.filter((request) => request === 'GET /').length;
  assert.ok(visits <= 3, `${visits} pages were loaded`);
  await bob.page.click('#people-button');
  await bob.see('the drawer', () => document.getElementById('people').matches(':popover-open'));
  await bob.page.click('#leave');
  await until('a place', () => eve.ask(() => document.getElementById('status').dataset.state === 'connected'), { deadline: 180_000 });
  await eve.say('a place at last');
  await ann.hears('a place at last');
});
