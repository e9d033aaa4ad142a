/* A door that is there and can let no new guest in, because its node does not reach the others: the page asks again and again,
   and goes on at another door after a while. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Doors } from './kit/doors.mjs';
import { Guest, PHONE } from './kit/guest.mjs';
import { until } from './kit/until.mjs';

const WEBSOCKET = /^upgrade: *websocket/im;
const EVENTS = /^GET \/rooms\/main\/events/;
const UNABLE = 'The room is not ready. Trying again';

let room, ann, bob;

before(async () => {
  room = await Doors.open({}, { host: 'localhost' });
  bob = room.lets(await Guest.arrive(room.door(1), { name: 'bob', size: PHONE }));
  await bob.open();
  await bob.connected();
}, { timeout: 120_000 });

after(async () => {
  await ann?.leave();
  await bob?.leave();
  await room?.close();
});

const arrives = async (name) => {
  await ann?.leave();
  ann = room.lets(await Guest.arrive(room.door(0), { name, size: PHONE }));
  await ann.open();
};

/** The node is cut off while the guest is outside, and then the guest wants to come in again, as another one. */
async function cutOff() {
  assert.equal(ann.page.url(), room.door(0).url);
  await ann.page.$eval('#leave', (button) => button.click());
  await ann.status('You have left');
  await room.cut(0);
  await ann.page.click('#now');
}

for (const [how, blocked] of [['a WebSocket', []], ['events', [WEBSOCKET]], ['polling', [WEBSOCKET, EVENTS]]]) {
  test(`by ${how} a guest is in as soon as the room can let them in`, async () => {
    await arrives('ann');
    await ann.connected();
    ann.proxy.blocked = blocked;
    if (blocked.length) await ann.comeInBy(how);
    await cutOff();
    await ann.status(UNABLE);
    await ann.see('why', () => document.getElementById('note').textContent.includes('do not reach each other'));
    await ann.screenshot('unable-phone');
    await room.join(0);
    await until('in', () => ann.ask(() => connection.state === 'connected'), { deadline: 60_000 });
    assert.equal(await ann.ask(() => document.getElementById('note').textContent), '');
    assert.equal(ann.page.url(), room.door(0).url);
    await ann.say(`in by ${how}`);
    await bob.hears(`in by ${how}`);
  });
}

test('a door that stays so is left for another one', async () => {
  await arrives('eve');
  await ann.connected();
  await cutOff();
  await until('the other door', () => ann.page.url() === room.door(1).url, { deadline: 90_000 });
  await ann.connected();
  await ann.say('in at the other door');
  await bob.hears('in at the other door');
});
