/* The WebSocket cannot be had, as behind some proxies: the page takes another way, says so, and changes back. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Guest, PHONE } from './kit/guest.mjs';
import { LocalRoom } from './kit/room.mjs';
import { until } from './kit/until.mjs';

const WEBSOCKET = /^upgrade: *websocket/im;
const EVENTS = /^GET \S*\/events/;

let room, ann, bob;

before(async () => {
  room = await LocalRoom.open();
  ann = await Guest.arrive(room, { name: 'ann', size: PHONE });
  bob = await Guest.arrive(room, { name: 'bob', size: PHONE });
  await bob.open();
  await bob.connected();
}, { timeout: 120_000 });

after(async () => {
  await ann?.leave();
  await bob?.leave();
  await room?.close();
});

/** Both ways, a refusal, and who is here. */
async function chats(way) {
  await ann.say(`from Ann by ${way}`);
  await bob.hears(`from Ann by ${way}`);
  assert.equal(await bob.author(`from Ann by ${way}`), await ann.name());
  await bob.say(`to Ann by ${way}\nsecond line`);
  await ann.hears(`to Ann by ${way}\nsecond line`);
  await ann.see('nothing is left unsent', () => !document.getElementById('unsaid').childElementCount);
  await ann.rename(`Ann by ${way}`);
  await bob.line(`is now called Ann by ${way}`);
  await until('the new name', async () => (await ann.name()) === `Ann by ${way}`);
  await ann.rename(await bob.name());
  await ann.see('a sentence that says why', () => document.getElementById('note').textContent.includes('another name'));
  await ann.page.click('#name-cancel');
  await until('both are here', async () => (await ann.people()).length === 2);
}

test('without the WebSocket: server-sent events', async () => {
  ann.proxy.blocked = [WEBSOCKET];
  await ann.open();
  await ann.status('Connected (events)');
  await chats('events');
  await ann.screenshot('fallback-events');
});

test('without events either: long polling, as the same guest', async () => {
  const [name, messages] = [await ann.name(), await ann.messages()];
  ann.proxy.blocked = [WEBSOCKET, EVENTS];
  ann.proxy.cut();
  await ann.status('Connected (polling)');
  assert.equal(await ann.name(), name);
  assert.deepEqual(await ann.messages(), messages);
  await chats('polling');
});

test('more than one may say at once is sent in its turn', async () => {
  const texts = Array.from({ length: 60 }, (_, number) => `flood ${number}`);
  await ann.ask((texts) => {
    for (const text of texts) {
      document.getElementById('text').value = text;
      document.getElementById('say-form').requestSubmit();
    }
  }, texts);
  for (const guest of [ann, bob]) {
    await guest.hears(texts.at(-1));
    assert.deepEqual((await guest.messages()).filter((text) => text.startsWith('flood')), texts);
  }
  await ann.see('nothing is left unsent', () => !document.getElementById('unsaid').childElementCount);
});

test('on another way too: what is said while a circuit is dead arrives once', async () => {
  ann.proxy.cut();
  await ann.say('through the cut');
  await bob.hears('through the cut');
  await ann.status('Connected (polling)');
  await bob.say('after the cut');
  await ann.hears('after the cut');
  for (const guest of [ann, bob]) {
    assert.equal((await guest.messages()).filter((text) => text === 'through the cut').length, 1);
  }
});

test('when the WebSocket goes again, it is taken again', async () => {
  ann.proxy.blocked = [];
  await ann.ask(() => window.dispatchEvent(new Event('online')));
  await ann.see('the best way', () => document.getElementById('status-words').textContent === 'Connected');
  await ann.say('by the best way');
  await bob.hears('by the best way');
  assert.equal(ann.proxy.requests.at(-1), 'GET /chat');
  const lines = await bob.ask(() => [...document.querySelectorAll('#said .line')].map((line) => line.textContent));
  assert.deepEqual(lines.filter((line) => line.endsWith(' left')), [], 'nobody left');
  assert.equal(lines.filter((line) => line.endsWith(' joined')).length, 1);
});

test('a room that is away is waited for, on the way that went', async () => {
  await room.close();
  await ann.status('Looking for it again');
  await room.start();
  await ann.see('the best way', () => document.getElementById('status-words').textContent === 'Connected');
});
