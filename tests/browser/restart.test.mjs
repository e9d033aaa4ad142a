/* The room goes away and comes back: without Tor, so that it is quick, and the same for the page. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Guest, PHONE } from './kit/guest.mjs';
import { LocalRoom } from './kit/room.mjs';
import { TwoGuests } from './kit/two_guests.mjs';
import { until } from './kit/until.mjs';

let here, room, ann, bob;

before(async () => {
  here = await TwoGuests.arrive({ ann: PHONE, bob: PHONE });
  ({ room, ann, bob } = here);
}, { timeout: 120_000 });

after(() => here?.end());

test('the page says that the room was closed, keeps what is written, and delivers it once when the room is back', async () => {
  await ann.say('before');
  await bob.say('also before');
  for (const guest of [ann, bob]) for (const text of ['before', 'also before']) await guest.hears(text);
  await room.close();
  await ann.status('Looking for it again');
  await bob.status('Looking for it again');
  await ann.say('written while the room was away');
  await ann.see('the message waits', () => document.querySelector('#unsaid .foot')?.textContent === 'waiting to be sent');
  await ann.screenshot('reconnecting-phone');
  await room.start();
  for (const guest of [ann, bob]) {
    await guest.connected();
    await guest.hears('written while the room was away');
  }
  await bob.say('after');
  for (const guest of [ann, bob]) {
    await guest.hears('after');
    const messages = await guest.messages();
    assert.deepEqual(messages.toSorted(), ['after', 'also before', 'before', 'written while the room was away']);
    await guest.see('nothing is left unsent', () => !document.getElementById('unsaid').childElementCount);
  }
});

test('a connection that is open and silent is noticed, and replaced', async () => {
  ann.proxy.stall();
  /* The page asks for a sign of life when the network or the reader comes back, and after 25 quiet seconds. */
  await until('the page has noticed', () => ann.ask(() => {
    if (document.getElementById('status').dataset.state !== 'connected') return true;
    window.dispatchEvent(new Event('online'));
  }), { deadline: 60_000 });
  ann.proxy.resume();
  await bob.say('after the silence');
  await ann.connected();
  await ann.hears('after the silence');
});

test('what is said into a dead connection: the page says so soon, and it arrives once', async () => {
  const before = await ann.messages();
  ann.proxy.stall();
  await ann.say('into the silence');
  await ann.status('Not answering');
  assert.equal(await ann.ask(() => document.querySelector('#unsaid .foot').textContent), 'not confirmed yet');
  assert.notEqual(await ann.ask(() => document.getElementById('status').dataset.state), 'connected');
  await ann.screenshot('not-answering-phone');
  ann.proxy.resume();
  await ann.status('Reconnecting');
  await ann.connected();
  for (const guest of [ann, bob]) await guest.hears('into the silence');
  await ann.see('nothing is left unsent', () => !document.getElementById('unsaid').childElementCount);
  assert.deepEqual(await ann.messages(), [...before, 'into the silence']);
});

test('a room that lets a guest wait for a turn is not taken for a dead one', async () => {
  const settings = { ONIONROOM_ROOM_MESSAGES_PER_MINUTE: '10', ONIONROOM_ROOM_MESSAGES_AT_ONCE: '3' };
  const slow = await LocalRoom.open(settings);
  const eve = await Guest.arrive(slow, { name: 'eve', size: PHONE });
  try {
    await eve.open();
    await eve.connected();
    await eve.ask(() => {
      window.states = [];
      const status = document.getElementById('status');
      new MutationObserver(() => window.states.push(status.dataset.state)).observe(status, { attributes: true });
    });
    for (const text of ['one', 'two', 'three']) await eve.say(text);
    await eve.see('the messages wait', () => document.querySelector('#unsaid .foot')?.textContent === 'waiting for its turn');
    await eve.hears('three');
    assert.deepEqual(await eve.messages(), ['one', 'two', 'three']);
    assert.ok(!(await eve.ask(() => window.states)).some((state) => ['connecting', 'waiting'].includes(state)), 'the connection was kept');
  } finally {
    await eve.leave();
    await slow.close();
  }
});

test('a closed room leaves the console clean', () => {
  /* Firefox itself reports a connection that is refused; nothing else may be there. */
  for (const guest of [ann, bob]) {
    assert.deepEqual(guest.problems.filter((problem) => !/can.t establish a connection|was interrupted/.test(problem)), []);
  }
});
