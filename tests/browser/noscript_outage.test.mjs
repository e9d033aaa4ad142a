/* The room goes away and comes back, for a guest without JavaScript. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Guest, PHONE } from './kit/guest.mjs';
import { LocalRoom } from './kit/room.mjs';
import { NoscriptPage } from './kit/noscript.mjs';
import { until } from './kit/until.mjs';

let room, ann, bob;

const texts = () => ann.inside(({ messages }) => [...messages.querySelectorAll('article p')].map((text) => text.textContent));
/** Whether the page covers what the browser shows in place of the messages, with words of its own. */
const away = () => ann.inside(({ connection }) => {
  const { getComputedStyle, innerWidth, innerHeight } = connection.defaultView;
  const words = connection.querySelector('#again .away');
  const visible = words.innerText.includes('no connection') && getComputedStyle(words).visibility === 'visible';
  return visible && words.parentElement.contains(connection.elementFromPoint(innerWidth / 2, innerHeight / 2));
});

before(async () => {
  room = await LocalRoom.open();
  ann = await NoscriptPage.arrive(room, { name: 'ann', size: PHONE });
  bob = await Guest.arrive(room, { name: 'bob', size: PHONE });
  await ann.open({ name: 'Ann' });
  await bob.open();
  await bob.connected();
}, { timeout: 120_000 });

after(async () => {
  await ann?.leave();
  await bob?.leave();
  await room?.close();
});

test('an outage that outlasts many tries: the page says so, keeps the draft, and goes on by itself', async () => {
  await bob.say('before');
  await ann.hears('before');
  assert.equal(await away(), false);
  await ann.write('a draft');
  ann.proxy.away();
  await bob.say('said during the outage');
  for (let times = 0; times < 3; times++) {
    await ann.triesAgain();
    await until('the page says that the room cannot be reached', away, { deadline: 60_000 });
  }
  await ann.screenshot('noscript-away');
  assert.equal(await ann.draft(), 'a draft');
  ann.proxy.back();
  await ann.hears('said during the outage');
  assert.equal(await away(), false);
  await bob.say('after');
  await ann.hears('after');
  assert.deepEqual(await texts(), ['before', 'said during the outage', 'after']);
  assert.equal(await ann.draft(), 'a draft');
  assert.deepEqual((await ann.people()).toSorted(), ['Ann', await bob.name()].toSorted());
  const lines = await bob.ask(() => [...document.querySelectorAll('#said .line')].map((line) => line.textContent));
  assert.ok(lines.every((line) => !/Ann (left|joined)/.test(line)), `the seat was kept: ${lines}`);
});

test('what is sent while the room is away comes back with Back, and is said once', async () => {
  ann.proxy.away();
  await ann.triesAgain();
  await ann.page.keyboard.press('Tab');
  await ann.page.keyboard.press('Enter');
  await until('the form is gone', () => ann.inside(({ say }) => !say));
  await ann.triesAgain();
  await until('the page says what to do', away, { deadline: 60_000 });
  await ann.screenshot('noscript-away-sent');
  await ann.back();
  await until('what was written', async () => (await ann.draft()) === 'a draft');
  ann.proxy.back();
  await ann.hears('after');
  await ann.inside(({ say }) => say.querySelector('button[value=say]').click());
  await bob.hears('a draft');
  await ann.hears('a draft');
  await ann.ready();
  assert.equal(await ann.draft(), '');
  assert.equal((await bob.messages()).filter((text) => text === 'a draft').length, 1);
});

test('connections that hang, as on a bad circuit, are tried again when they fail', async () => {
  ann.proxy.away({ hang: true });
  await bob.say('said while nothing got through');
  await ann.triesAgain();
  ann.proxy.back();
  await ann.hears('said while nothing got through');
});

test('a room that was restarted knows the changed name, in the form, in the roster and on the next message', async () => {
  await ann.rename('Dora');
  await bob.line('is now called Dora');
  await room.close();
  await ann.triesAgain();
  await room.start();
  await bob.connected();
  await until('Dora is here again', async () => (await ann.people()).includes('Dora'), { deadline: 60_000 });
  await ann.inside(({ say }) => say.location.reload());
  await ann.ready();
  assert.equal(await ann.name(), 'Dora');
  await ann.say('from Dora, still');
  await bob.hears('from Dora, still');
  assert.equal(await bob.author('from Dora, still'), 'Dora');
});
