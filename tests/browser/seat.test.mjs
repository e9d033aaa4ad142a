/* Coming back, and leaving: the seat and the name of a window that was closed. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESKTOP, PHONE } from './kit/guest.mjs';
import { TwoGuests } from './kit/two_guests.mjs';

let here, room, ann, bob;

before(async () => {
  here = await TwoGuests.arrive({ ann: PHONE, bob: DESKTOP });
  ({ room, ann, bob } = here);
}, { timeout: 120_000 });

after(() => here?.end());

/** Closes the tab with the room. Firefox stays, with another one. */
async function closeTab(guest) {
  const other = await guest.browser.newPage();
  await guest.page.close();
  return other;
}

test('a tab that was closed and is opened again is the same guest, at once', async () => {
  await ann.rename('Ann Closed');
  await bob.line('is now called Ann Closed');
  const badge = await ann.badge();
  await ann.say('before the tab was closed');
  await bob.hears('before the tab was closed');
  await closeTab(ann);
  await bob.say('while the tab was closed');
  await bob.hears('while the tab was closed');
  await ann.open();
  await ann.connected();
  await ann.hears('while the tab was closed');
  assert.ok(await ann.ask(() => document.querySelector('.fresh').nextElementSibling.textContent.includes('while the tab was closed')), 'the unread begin here');
  assert.deepEqual([await ann.name(), await ann.badge()], ['Ann Closed', badge]);
  await ann.hears('before the tab was closed');
  assert.equal(await ann.author('before the tab was closed'), 'You');
  const lines = await bob.ask(() => [...document.querySelectorAll('#said .line')].map((line) => line.textContent));
  assert.deepEqual(lines.filter((line) => /Ann Closed (left|joined)/.test(line)), []);
});

test('two tabs that were closed are the same two guests, whichever is opened first', async () => {
  const first = ann.page;
  await ann.open();
  await ann.connected();
  const second = await ann.name();
  assert.notEqual(second, 'Ann Closed');
  await closeTab(ann);
  await first.close();
  const names = [];
  for (let tab = 0; tab < 2; tab++) {
    await ann.open();
    await ann.connected();
    names.push(await ann.name());
  }
  assert.deepEqual(names.sort(), ['Ann Closed', second].sort());
  await ann.open();
  await ann.connected();
  assert.ok(!names.includes(await ann.name()), 'a third is a new guest');
});

test('a tab that went elsewhere and comes back is the same guest', async () => {
  const name = await ann.name();
  await ann.page.goto('about:blank');
  await ann.page.goBack();
  await ann.connected();
  assert.equal(await ann.name(), name);
});

test('who leaves gives up the name at once, and comes in again as a new guest', async () => {
  await ann.rename('Ann Leaving');
  await bob.line('is now called Ann Leaving');
  const [badge, token] = [await ann.badge(), await ann.ask(() => sessionStorage.getItem('token'))];
  await ann.page.click('#people-button');
  await ann.see('the drawer', () => document.getElementById('people').matches(':popover-open'));
  await ann.page.click('#leave');
  await ann.status('You have left');
  await bob.line('Ann Leaving left');
  await bob.rename('Ann Leaving');
  await bob.see('the name is free', () => document.getElementById('name-shown').textContent === 'Ann Leaving');
  assert.ok(!(await ann.ask(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]))).includes(token));
  await ann.page.reload();
  await ann.connected();
  assert.notEqual(await ann.badge(), badge);
  await ann.page.click('#people-button');
  await ann.see('the drawer', () => document.getElementById('people').matches(':popover-open'));
  await ann.page.click('#leave');
  await ann.status('You have left');
  assert.equal(await ann.ask(() => document.getElementById('now').textContent), 'Come in again');
  await ann.page.click('#now');
  await ann.connected();
  for (const guest of [ann, bob]) assert.deepEqual(guest.problems, []);
});
