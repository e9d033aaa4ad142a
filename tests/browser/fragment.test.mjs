/* What the page takes from the fragment of its address, which everybody can write into a link. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Doors } from './kit/doors.mjs';
import { DESKTOP, Guest, PHONE } from './kit/guest.mjs';
import { until } from './kit/until.mjs';

const TOKEN = 'A'.repeat(43);

let room, ann, bob;

before(async () => {
  room = await Doors.open({}, { host: 'localhost' });
  ann = room.lets(await Guest.arrive(room.door(0), { name: 'ann', size: PHONE }));
  bob = room.lets(await Guest.arrive(room.door(1), { name: 'bob', size: DESKTOP }));
  await bob.open();
  await bob.connected();
}, { timeout: 120_000 });

after(async () => {
  await ann?.leave();
  await bob?.leave();
  await room?.close();
});

const bag = (more = {}) => ({ token: TOKEN, name: 'Mallory', guest: 0, after: 0, epoch: '', says: [['m-1', 'words of another']], draft: '', full: [], ...more });
const fragment = (value) => `#go=${Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')}`;

/** Opens a link in a new tab. */
async function follow(hash) {
  ann.url = room.door(0).url + hash;
  await ann.open();
  await ann.connected();
  assert.equal(await ann.ask(() => location.hash), '', 'it is in no address');
}

const said = async () => (await bob.messages()).filter((text) => text === 'words of another').length;

test('what is not exactly as it should be is not taken at all', async () => {
  const odd = [
    fragment('{'),
    fragment('null'),
    fragment('[]'),
    '#go=%00',
    '#go=',
    '#here',
    fragment(bag({ token: 'B'.repeat(43) })),
    fragment(bag({ token: 'A'.repeat(42) })),
    fragment(bag({ token: `${'A'.repeat(42)}é` })),
    fragment(bag({ name: 'x'.repeat(129) })),
    fragment(bag({ guest: -1 })),
    fragment(bag({ after: 1.5 })),
    fragment(bag({ says: [['m 1', 'words of another']] })),
    fragment(bag({ says: [['m-1', 7]] })),
    fragment(bag({ says: 'words of another' })),
    fragment(bag({ says: Array(65).fill(['m-1', 'words of another']) })),
    fragment(bag({ says: [['m-1', 'x'.repeat(131_060)], ['m-2', 'words of another']] })),
    fragment(bag({ draft: 'x'.repeat(17_000) })),
    fragment(bag({ full: ['javascript:alert(1)'] })),
    fragment({ ...bag(), token: undefined }),
  ];
  for (const hash of odd) {
    await follow(hash);
    assert.notEqual(await ann.ask(() => sessionStorage.getItem('token')), TOKEN, hash.slice(0, 200));
    assert.notEqual(await ann.name(), 'Mallory', hash.slice(0, 200));
    assert.equal(await ann.ask(() => document.getElementById('text').value), '');
    await ann.page.close();
  }
  assert.equal(await said(), 0);
});

test('a window with a guest of its own keeps it, says so, and says nothing else', async () => {
  ann.url = room.door(0).url;
  await ann.open();
  await ann.connected();
  const name = await ann.name();
  await ann.page.goto('about:blank');
  await ann.page.goto(room.door(0).url + fragment(bag({ draft: 'a draft of another' })));
  await ann.connected();
  assert.equal(await ann.name(), name);
  await ann.line('nothing was taken along');
  assert.equal(await ann.ask(() => document.getElementById('text').value), '');
  assert.equal(await said(), 0);
  await ann.page.close();
});

test('a window without one is told who it is, and is somebody else with one click, who says none of it', async () => {
  await follow(fragment(bag({ says: [], draft: '<b>a draft</b>' })));
  await ann.line('you go on here as Mallory');
  assert.equal(await ann.ask(() => document.getElementById('text').value), '<b>a draft</b>');
  await ann.screenshot('stranger-link-phone');
  await ann.page.reload();
  await ann.connected();
  const theirs = ann.page;
  ann.url = room.door(0).url;
  await ann.open();
  await ann.connected();
  assert.notEqual(await ann.name(), 'Mallory', 'another window');
  await ann.page.close();
  await theirs.close();
  await ann.open();
  await ann.connected();
  assert.notEqual(await ann.name(), 'Mallory', 'a window after that one was closed');
  await ann.page.close();
  await follow(fragment(bag({ says: [] })));
  await ann.line('you go on here as Mallory');
  await ann.ask(() => [...document.querySelectorAll('#said button')].find((button) => button.textContent === 'Come in as a new guest').click());
  await until('a new guest', async () => (await ann.ask(() => sessionStorage.getItem('token'))) !== TOKEN && (await ann.name()) !== '…');
  await ann.connected();
  assert.notEqual(await ann.name(), 'Mallory');
});

test('what waits to be sent as one guest is not sent as another', async () => {
  await room.write(false);
  ann.url = room.door(0).url + fragment(bag({ token: `${'A'.repeat(42)}E`, name: '' }));
  await ann.open();
  await ann.see('it waits', () => document.querySelector('#unsaid .foot')?.textContent === 'waiting to be sent');
  await ann.page.click('#people-button');
  await ann.see('the drawer', () => document.getElementById('people').matches(':popover-open'));
  await ann.page.click('#leave');
  await ann.status('You have left');
  await ann.page.click('#now');
  await ann.see('another guest', () => document.getElementById('status').dataset.state === 'late');
  await ann.see('nothing waits', () => !document.getElementById('unsaid').childElementCount);
  await room.write(true);
  await ann.connected();
  await ann.say('my own words');
  await bob.hears('my own words');
  assert.equal(await said(), 0);
});

test('nothing is complained about', () => {
  assert.deepEqual(ann.problems, []);
});
