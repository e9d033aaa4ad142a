/* More guests than can be listed: the pages say how many they are, and who again when they are few. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ManyGuests } from './kit/many_guests.mjs';
import { DESKTOP, Guest, PHONE } from './kit/guest.mjs';
import { LocalRoom } from './kit/room.mjs';
import { NoscriptPage } from './kit/noscript.mjs';
import { until } from './kit/until.mjs';

/** How many are listed at most, and how many are left when they are listed again. */
const LISTED = 100, AGAIN = 80;
const WEBSOCKET = /^upgrade: *websocket/im;
const EVENTS = /^GET \S*\/events/;

let room, crowd, ann, pam;

before(async () => {
  room = await LocalRoom.open();
  crowd = new ManyGuests(room);
  ann = await Guest.arrive(room, { name: 'ann', size: DESKTOP });
  pam = await NoscriptPage.arrive(room, { name: 'pam', size: DESKTOP });
  await ann.open();
  await ann.connected();
  await pam.open();
}, { timeout: 120_000 });

after(async () => {
  await ann?.leave();
  await pam?.leave();
  crowd?.end();
  await room?.close();
});

/** Waits until the page without scripts has this in what it says of who is here. */
const around = (words) => until(`"${words}" beside the messages`, () => pam.inside(({ messages }, wanted) => {
  const asides = [...messages.querySelectorAll('aside')];
  return asides.at(-1).textContent.includes(wanted) && asides.at(-1).checkVisibility();
}, words));

/** Waits until the page with scripts says that so many are here. */
const counts = (count) => ann.see(
  `${count} people are here`,
  (wanted) => [...document.querySelectorAll('[data-people-count]')].every((each) => each.textContent === String(wanted)),
  count,
);

test('as many as can be listed are listed', async () => {
  await crowd.gather(LISTED - 2);
  await counts(LISTED);
  assert.equal((await ann.people()).length, LISTED);
  assert.ok(await ann.ask(() => document.getElementById('crowd').hidden));
  await around(`${LISTED} here`);
  await until('all are listed', async () => (await pam.people()).length === LISTED);
});

test('one more, and the pages say how many are here', async () => {
  await crowd.gather(1);
  await counts(LISTED + 1);
  assert.deepEqual(await ann.people(), [await ann.name()], 'nobody is listed but oneself');
  assert.match(await ann.ask(() => document.getElementById('crowd').innerText), /^101 people are here, too many to list/);
  await around('101 guests are here, too many to list');
  assert.deepEqual(await pam.people(), []);
  await crowd.gather(5);
  await counts(LISTED + 6);
  await around(`${LISTED + 6} here`);
});

test('names stand on what is said', async () => {
  await crowd.say('Good evening from the crowd');
  await ann.hears('Good evening from the crowd');
  assert.equal(await ann.author('Good evening from the crowd'), crowd.names[0]);
  await pam.hears(crowd.names[0]);
  await ann.rename('Ann of the crowd');
  await until('the new name in the list', async () => String(await ann.people()) === 'Ann of the crowd');
  assert.equal(await ann.name(), 'Ann of the crowd');
  await ann.say('Good evening, all');
  await pam.hears('Ann of the crowd');
});

test('it looks as it should, at a desk and on a phone', async () => {
  await ann.screenshot('crowd-desktop');
  await pam.screenshot('crowd-noscript-desktop');
  for (const guest of [ann, pam]) await guest.page.setViewport(PHONE);
  await ann.page.click('#people-button');
  await ann.see('the people drawer', () => document.getElementById('people').matches(':popover-open'));
  await ann.screenshot('crowd-phone');
  await ann.page.click('#people .close');
  await pam.screenshot('crowd-noscript-phone-closed');
  await pam.inside(({ messages }) => messages.getElementById('people').click());
  await around('too many to list');
  await pam.screenshot('crowd-noscript-phone');
  for (const guest of [ann, pam]) await guest.page.setViewport(DESKTOP);
});

test('whoever comes in by another way finds the crowd too, and hears how it grows', async () => {
  ann.proxy.blocked = [WEBSOCKET, EVENTS];
  await ann.comeInBy('polling');
  await counts(LISTED + 6);
  await crowd.gather(1);
  await counts(LISTED + 7);
  assert.deepEqual(await ann.people(), [await ann.name()]);
  ann.proxy.blocked = [];
  await ann.ask(() => window.dispatchEvent(new Event('online')));
  await ann.see('the best way', () => document.getElementById('status-words').textContent === 'Connected');
  await counts(LISTED + 7);
});

test('when they are few again, they are listed again', async () => {
  await crowd.disperse(LISTED + 7 - AGAIN);
  await counts(AGAIN);
  const names = [...crowd.names, await ann.name(), await pam.name()];
  assert.deepEqual((await ann.people()).sort(), names.sort());
  assert.ok(await ann.ask(() => document.getElementById('crowd').hidden));
  await until('all who stay', async () => (await pam.people()).length === AGAIN);
  await crowd.gather(1);
  await counts(AGAIN + 1);
  await ann.line(`${crowd.names.at(-1)} joined`);
});

test('nothing from elsewhere, no complaints', () => {
  for (const guest of [ann, pam]) assert.deepEqual(guest.proxy.foreign, []);
  assert.deepEqual(pam.problems, []);
});
