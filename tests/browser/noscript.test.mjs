/* JavaScript off, as at Tor Browser's level "Safest": no blank page, but words. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESKTOP, Guest, PHONE } from './kit/guest.mjs';
import { LocalRoom, openRoom } from './kit/room.mjs';

let room, guest;

before(async () => {
  room = process.env.ONIONROOM_URL ? await openRoom() : await LocalRoom.open();
  guest = await Guest.arrive(room, { name: 'safest', size: PHONE, javascript: false });
}, { timeout: 120_000 });

after(async () => {
  await guest?.leave();
  await room?.close();
});

for (const [name, size] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
  test(`the page says what it needs (${name})`, async () => {
    guest.size = size;
    await guest.open();
    const { shown, chat } = await guest.ask(() => ({
      shown: document.querySelector('noscript').innerText,
      chat: document.getElementById('room').getBoundingClientRect().height,
    }));
    assert.match(shown, /needs JavaScript/);
    assert.match(shown, /Standard or Safer/);
    assert.equal(chat, 0);
    await guest.screenshot(`noscript-${name}`);
  });
}

test('one request, and nothing from elsewhere', () => {
  assert.deepEqual(guest.gate.requests, ['GET /', 'GET /']);
  assert.deepEqual(guest.gate.foreign, []);
  assert.deepEqual(guest.problems, []);
});
