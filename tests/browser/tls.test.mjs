/* The room over TLS: the page by wss, and the page without scripts, whose cookies are for https alone. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Guest, PHONE } from './kit/guest.mjs';
import { NoscriptPage } from './kit/noscript.mjs';
import { LocalRoom } from './kit/room.mjs';

let room, ann, ben;

before(async () => {
  room = await LocalRoom.openWithTls();
  ann = await Guest.arrive(room, { name: 'ann', size: PHONE });
  ben = await NoscriptPage.arrive(room, { name: 'ben', size: PHONE });
  await ann.open();
  await ann.connected();
  await ben.open({ name: 'Ben' });
}, { timeout: 120_000 });

after(async () => {
  await ann?.leave();
  await ben?.leave();
  await room?.close();
});

test('a page with scripts and one without talk over TLS', { timeout: 120_000 }, async () => {
  assert.ok(room.url.startsWith('https://'));
  await ann.say('from the page with scripts');
  await ben.hears('from the page with scripts');
  await ben.say('from the page without');
  await ann.hears('from the page without');
  assert.equal(await ann.author('from the page without'), 'Ben');
  const status = await ann.ask(() => document.getElementById('status').textContent);
  assert.ok(status.includes('Connected'), status);
  assert.deepEqual(ann.problems, []);
});
