/* A room on two machines, each with an onion service, through the private Tor network: the program at one of them dies, and its
   guest goes on at the other. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESKTOP, Guest, PHONE } from './kit/guest.mjs';
import { Machines } from './kit/machines.mjs';
import { until } from './kit/until.mjs';

/** How long it may take until the page has noticed the loss, asked through Tor, and gone on. */
const MOVED = 360_000;

let room, ann, bob;

const arrive = async (place, name, size) => {
  const guest = room.lets(await Guest.arrive(room.door(place), { name, size }));
  await guest.open();
  await guest.connected();
  return guest;
};

before(async () => {
  room = await Machines.open(2);
  ann = await arrive(0, 'ann', PHONE);
  bob = await arrive(1, 'bob', DESKTOP);
}, { timeout: 600_000 });

after(async () => {
  await ann?.leave();
  await bob?.leave();
  await room?.close();
});

/** Notes in the page whenever the roster has a badge or a name twice. */
const watchRoster = () => {
  const list = document.getElementById('people-list');
  window.doubled = [];
  const look = () => {
    for (const what of ['bdi', '.badge']) {
      const all = [...list.querySelectorAll(what)].map((node) => node.dataset.badge ?? node.textContent);
      if (new Set(all).size < all.length) window.doubled.push(all.join());
    }
  };
  new MutationObserver(look).observe(list, { childList: true, subtree: true, characterData: true, attributes: true });
  look();
};

test('guests of both doors are in one room', async () => {
  await ann.rename('Ann Moving');
  await bob.line('is now called Ann Moving');
  await bob.ask(watchRoster);
  await ann.say('from the first door');
  await bob.hears('from the first door');
  await bob.say('from the second door');
  await ann.hears('from the second door');
  assert.deepEqual((await ann.people()).toSorted(), (await bob.people()).toSorted());
  assert.deepEqual(await ann.badges(), await bob.badges());
  await ann.see('the script to go on', () => typeof doors.changed === 'function');
  assert.deepEqual(await ann.ask(() => doors.known), [new URL(room.door(1).url).origin]);
});

test('the program at one door is killed: its guest goes on at the other, and nothing is lost or there twice', { timeout: 600_000 }, async (t) => {
  const badge = await ann.badge();
  const said = ['from the first door', 'from the second door'];
  for (let number = 1; number <= 4; number++) {
    said.push(`just before ${number}`);
    await ann.say(said.at(-1));
  }
  /* Some of these are acknowledged, and of some only the servers know. */
  await bob.hears('just before 1');
  room.stop(0);
  said.push('never received', 'and two\nlines');
  for (const text of said.slice(-2)) await ann.say(text);
  await ann.page.keyboard.type('a draft é');
  assert.ok((await ann.ask(() => document.getElementById('unsaid').childElementCount)) >= 2);
  await room.kill(0);
  const killed = Date.now();
  await until('the page is at the other door', () => ann.page.url() === room.door(1).url, { deadline: MOVED });
  await ann.connected();
  t.diagnostic(`from the kill to connected at the other door: ${Math.round((Date.now() - killed) / 1000)} s`);
  for (const guest of [ann, bob]) {
    for (const text of said) await guest.hears(text);
    assert.deepEqual(await guest.messages(), said, 'each once, in the order in which they were said');
  }
  assert.deepEqual([await ann.name(), await ann.badge()], ['Ann Moving', badge]);
  for (const text of said) assert.equal(await ann.author(text), text === 'from the second door' ? await bob.name() : 'You');
  await ann.see('nothing is left unsent', () => !document.getElementById('unsaid').childElementCount);
  assert.equal(await ann.ask(() => document.getElementById('text').value), 'a draft é');
  assert.equal(await ann.ask(() => location.hash), '');
  await ann.line('This room is also at this address');
  await ann.screenshot('several-moved-phone');
});

test('to the guest at the other door it is one guest, with one name', async () => {
  await until('the same roster', async () => JSON.stringify(await ann.badges()) === JSON.stringify(await bob.badges()) && (await bob.people()).length === 2);
  assert.deepEqual((await bob.people()).toSorted(), ['Ann Moving', await bob.name()].toSorted());
  assert.deepEqual(await bob.ask(() => window.doubled), []);
  const lines = await bob.ask(() => [...document.querySelectorAll('#said .line')].map((line) => line.textContent));
  assert.equal(lines.filter((line) => line.includes('is now called')).length, 1, lines.join('\n'));
  await bob.say('welcome here');
  await ann.hears('welcome here');
  await bob.screenshot('several-moved-desktop');
});

test('nothing from elsewhere, and nothing but lost connections is complained about', () => {
  for (const guest of [ann, bob]) {
    assert.deepEqual(guest.proxy.foreign, []);
    assert.deepEqual(guest.problems.filter((problem) => !/can.t establish a connection|was interrupted|NetworkError/.test(problem)), []);
  }
});
