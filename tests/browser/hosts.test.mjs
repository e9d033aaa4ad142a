/* A host who came by a link, a moderator whom the host made, and a guest: each power, as the two others see it. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { clean as cleanIn } from './kit/clean.mjs';
import { Doors } from './kit/doors.mjs';
import { DESKTOP, Guest } from './kit/guest.mjs';
import { choose, openMenu, set } from './kit/menu.mjs';
import { until } from './kit/until.mjs';

const SMALL = { width: 360, height: 740 };

let room, hana, mona, gus, secret;

before(async () => {
  room = await Doors.open({});
  for (const [name, size] of [['hana', DESKTOP], ['mona', DESKTOP], ['gus', SMALL]]) {
    const guest = await Guest.arrive(room.door(0), { name, size });
    if (name === 'hana') hana = guest;
    else if (name === 'mona') mona = guest;
    else gus = guest;
  }
}, { timeout: 180_000 });

after(async () => {
  for (const guest of [hana, mona, gus]) await guest?.leave();
  await room?.close();
});

const all = () => [hana, mona, gus];

/** Comes in under this name. */
async function enter(guest, name) {
  await guest.open();
  await guest.connected();
  await guest.rename(name);
  await until(`the name ${name}`, async () => (await guest.name()) === name);
}

/** axe finds nothing, at a desk and on a small phone; each is kept as a picture. */
const clean = (guest, what, sizes = [DESKTOP, SMALL]) => cleanIn(guest, what, { pictures: 'hosts', sizes });

/** The roles that the list shows, by name. */
const roles = (guest) => guest.ask(() => Object.fromEntries([...document.querySelectorAll('#people-list li')].map((item) => [item.querySelector('bdi').textContent, item.querySelector('.badge').dataset.role])));

const seesRole = (guest, name, role) => until(`${name} is a ${role}`, async () => (await roles(guest))[name] === role);

async function openDialog(guest) {
  await guest.page.bringToFront();
  await guest.press('header', 'Govern');
  await guest.see('the dialog', () => document.getElementById('govern').open);
}

const closeDialog = (guest) => guest.press('#govern', 'Close');

const shows = (guest, id, words) => guest.see(`#${id} says "${words}"`, (place, wanted) => {
  const node = document.getElementById(place);
  return Boolean(node?.getClientRects().length) && node.textContent.includes(wanted);
}, id, words);

const writes = (guest) => guest.ask(() => Boolean(document.getElementById('say-form').getClientRects().length));

/** All that the page has of a text, in its elements and in what it keeps. */
const keeps = (guest, text) => guest.ask((wanted) => [
  document.documentElement.textContent.includes(wanted),
  JSON.stringify(log.items, (key, value) => (key === 'nodes' ? undefined : value)).includes(wanted),
  JSON.stringify([...unsaid.messages.values()].map((message) => message.text)).includes(wanted),
  JSON.stringify(policy).includes(wanted),
].some(Boolean), text);

test('a link makes a newcomer a host, once, and is nowhere in the address', async () => {
  await enter(gus, 'Gus');
  await enter(mona, 'Mona');
  assert.ok(!(await gus.ask(() => document.getElementById('govern'))), 'guests have no tools');
  assert.ok(!gus.proxy.requests.some((request) => request.includes('tools.js')), 'nor load any');
  secret = await room.act({ act: 'link', role: 'host' });
  assert.match(secret, /^[\w-]{43}$/);
  const { url } = hana;
  hana.url = `${url}#host=${secret}`;
  await hana.open();
  hana.url = url;
  await hana.line('You are a host of this room now.');
  assert.equal(await hana.ask(() => location.href), url);
  const traces = await hana.ask(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, claim ?? '', document.documentElement.textContent]));
  assert.ok(!traces.includes(secret) && !hana.proxy.requests.some((request) => request.includes(secret)), 'nor anywhere else');
  await hana.rename('Hana');
  for (const guest of all()) await seesRole(guest, 'Hana', 'host');
  for (const guest of [hana, mona, gus]) assert.equal((await roles(guest)).Gus, undefined);
  await hana.say('I am the host');
  await gus.hears('I am the host');
  const shown = await gus.ask(() => {
    const badge = document.querySelector('#said .who .badge');
    return [badge.ariaLabel, badge.dataset.role, parseFloat(getComputedStyle(badge, '::before').width) > 20, badge.closest('.who').textContent];
  });
  assert.match(shown[0], /^host, badge \w{4}$/);
  assert.deepEqual(shown.slice(1), ['host', true, 'Hana'], 'it is seen, and is no part of the text');
});

test('a link that was used up is told to a window that has a seat', async () => {
  await mona.ask((used) => {
    location.hash = `#host=${used}`;
  }, secret);
  await shows(mona, 'note', 'This link was used already');
  assert.equal(await mona.ask(() => location.hash), '');
  assert.equal((await roles(mona)).Mona, undefined);
});

test('the host makes a moderator, by the keyboard', async () => {
  await choose(hana, { name: 'Mona' }, 'Make a moderator');
  await mona.line('You are a moderator of this room now.');
  for (const guest of all()) {
    await seesRole(guest, 'Mona', 'moderator');
    await guest.line('Mona was made a moderator by Hana');
  }
  await openMenu(mona, { name: 'Gus' });
  const entries = await mona.ask(() => [...document.querySelectorAll('#menu button')].map((each) => each.textContent));
  assert.deepEqual(entries, ['Mention', 'Ignore', 'Write in private', 'Put out', 'Mute for 10 minutes', 'Mute for 1 hour', 'Mute for good', 'Ban', 'Delete all messages']);
  await clean(mona, 'the menu of a guest', [DESKTOP]);
  await mona.page.keyboard.press('Escape');
  await mona.page.setViewport(SMALL);
  await openMenu(mona, { text: 'I am the host' });
  assert.ok(await mona.ask(() => {
    const { left, top, right, bottom } = document.getElementById('menu').getBoundingClientRect();
    return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  }), 'the menu is in view');
  await clean(mona, 'the menu of a message', [SMALL]);
  await mona.page.keyboard.press('Escape');
  await mona.page.setViewport(SMALL);
  await mona.page.click('#people-button');
  await openMenu(mona, { name: 'Gus' });
  await clean(mona, 'the menu in the drawer', [SMALL]);
  await mona.page.keyboard.press('Escape');
  assert.ok(await mona.ask(() => document.getElementById('people').matches(':popover-open')), 'the drawer stays open');
  await mona.page.keyboard.press('Escape');
});

test('topic, title, rules and an announcement', async () => {
  await openDialog(hana);
  await set(hana, 'Title', 'The tea room');
  await set(hana, 'Topic', 'All about tea');
  await set(hana, 'Rules', 'Be kind.\nNo coffee.');
  await set(hana, 'Announcement', 'Tea is served at five.');
  await clean(hana, 'the dialog');
  await closeDialog(hana);
  for (const guest of all()) {
    await shows(guest, 'title', 'The tea room');
    await shows(guest, 'topic', 'All about tea');
    await guest.hears('Tea is served at five.');
    assert.equal(await guest.author('Tea is served at five.'), 'The room');
  }
  await shows(gus, 'rules', 'No coffee.');
  assert.ok(!(await writes(gus)), 'who has not accepted the rules cannot write');
  assert.ok(await writes(mona), 'who has a role can');
  await clean(gus, 'rules');
  await gus.press('#rules', 'Accept');
  assert.ok(await writes(gus));
  await gus.page.reload();
  await gus.connected();
  await gus.line('The rules were changed by Hana');
  assert.ok(await writes(gus), 'they are accepted');
  await openDialog(hana);
  await set(hana, 'Rules', 'Be kind.');
  await closeDialog(hana);
  await until('they are to be accepted again', async () => !(await writes(gus)));
  await gus.press('#rules', 'Accept');
  assert.ok(await writes(gus));
  await clean(gus, 'topic and announcement');
});

test('a pinned message stays in sight, and leads to where it was said', async () => {
  await gus.say('Remember the milk');
  for (let number = 0; number < 30; number++) await gus.say(`more ${number}`);
  await mona.hears('more 29');
  await choose(mona, { text: 'Remember the milk' }, 'Pin');
  for (const guest of all()) await shows(guest, 'pinned', 'Remember the milk');
  await hana.page.click('#pinned');
  await hana.see('the message', () => document.activeElement.querySelector?.('.words')?.textContent === 'Remember the milk');
  await clean(gus, 'pinned');
  await choose(mona, { text: 'Remember the milk' }, 'Delete', 'Delete');
  for (const guest of all()) {
    await until('it is gone', async () => !(await keeps(guest, 'Remember the milk')));
    await guest.line('Message deleted by Mona');
    assert.ok(!(await guest.ask(() => document.getElementById('pinned').getClientRects().length)));
  }
  await clean(hana, 'deleted');
});

test('who is muted is told so, and until when', async () => {
  await choose(mona, { name: 'Gus' }, 'Mute for 10 minutes');
  for (const guest of all()) await guest.line('Gus was muted for 10 minutes by Mona');
  await shows(gus, 'limits', 'You are muted for 10 minutes.');
  await gus.say('am I heard');
  await gus.see('the reason', () => document.querySelector('#unsaid .foot')?.textContent.includes('You may write again in 10 minutes.'));
  await clean(gus, 'muted');
  await choose(mona, { name: 'Gus' }, 'Let write again');
  await gus.see('no limit', () => !document.getElementById('limits').textContent);
  await gus.press('#unsaid', 'Try again');
  await hana.hears('am I heard');
});

test('in slow mode what was said too early waits for its time', async () => {
  await openDialog(mona);
  assert.equal(await mona.ask(() => document.querySelectorAll('#govern form').length), 1, 'moderators set nothing else');
  await set(mona, 'Slow mode', '6');
  await closeDialog(mona);
  await shows(gus, 'limits', 'Slow mode: one message in 6 seconds.');
  await gus.say('at once');
  await shows(gus, 'limits', 'You can write again in');
  await gus.say('a little later');
  await gus.say('later still');
  await clean(gus, 'slow');
  await hana.hears('later still');
  assert.deepEqual((await hana.messages()).slice(-3), ['at once', 'a little later', 'later still']);
  await openDialog(mona);
  await set(mona, 'Slow mode', '0');
  await closeDialog(mona);
  await gus.line('Slow mode was ended by Mona');
});

test('a locked room lets no newcomer in', async () => {
  await openDialog(mona);
  await mona.press('#govern', 'Lock the room');
  await shows(gus, 'limits', 'The room is locked');
  const late = await Guest.arrive(room.door(0), { name: 'late', size: SMALL });
  try {
    await late.open();
    await late.status('The room is locked. Trying again');
    await mona.press('#govern', 'Unlock the room');
    await closeDialog(mona);
    await late.page.click('#now');
    await late.connected();
    await shows(late, 'rules', 'Be kind.');
    assert.ok(!(await writes(late)), 'newcomers accept the rules first');
    assert.ok(!(await late.messages()).includes('Remember the milk'), 'what is deleted is not there for a page loaded later');
    await until('nor in an older page', async () => !(await keeps(late, 'Remember the milk')));
  } finally {
    await late.leave();
  }
});

test('who is put out stays out, and comes back with a button', async () => {
  await choose(mona, { name: 'Gus' }, 'Put out');
  await gus.status('Not connected');
  await shows(gus, 'note', 'You may come back in');
  assert.ok(!(await writes(gus)));
  for (const guest of [hana, mona]) {
    await guest.line('Gus was put out by Mona');
    await until('Gus is not here', async () => !(await guest.people()).includes('Gus'));
  }
  await clean(gus, 'put out');
  const asked = gus.proxy.requests.length;
  await gus.page.click('#now');
  await shows(gus, 'note', 'You may come back in');
  await gus.status('Not connected');
  assert.equal(gus.proxy.requests.length, asked + 1, 'it was asked once');
  await room.act({ act: 'unban', of: await gus.ask(() => people.me) });
  await gus.page.click('#now');
  await gus.connected();
});

test('all messages of a guest are deleted, and the guest is banned; a reload does not help', async () => {
  await choose(mona, { name: 'Gus' }, 'Delete all messages', 'Delete all messages');
  for (const guest of [hana, mona]) {
    await guest.line('All messages of Gus were deleted by Mona');
    assert.ok(!(await keeps(guest, 'more 1')));
  }
  await gus.line('All messages of Gus were deleted by Mona');
  assert.ok(!(await keeps(gus, 'more 1')));
  await choose(mona, { name: 'Gus' }, 'Ban', 'Ban');
  await shows(gus, 'note', 'You are banned from this room.');
  await gus.page.reload();
  await gus.status('Not connected');
  await shows(gus, 'note', 'You are banned from this room.');
  await clean(gus, 'banned');
  const before = await gus.ask(() => sessionStorage.getItem('token'));
  await gus.ask(() => {
    sessionStorage.clear();
    localStorage.clear();
  });
  await gus.page.reload();
  await gus.connected();
  assert.notEqual(await gus.ask(() => sessionStorage.getItem('token')), before, 'on this machine nothing but the token tells guests apart');
  assert.notEqual(await gus.name(), 'Gus');
  await openDialog(hana);
  await hana.press('#govern', 'Let in again');
  await closeDialog(hana);
  await mona.line('The ban of Gus was lifted by Hana');
});

test('a link for another host is shown once, and roles are taken back', async () => {
  await openDialog(hana);
  await hana.press('#govern', 'Link for a moderator');
  const link = await until('the link', () => hana.ask(() => document.querySelector('#govern .address')?.textContent));
  assert.match(link, /#host=[\w-]{43}$/);
  await clean(hana, 'a link');
  await closeDialog(hana);
  await gus.ask((hash) => {
    location.hash = hash;
  }, link.slice(link.indexOf('#')));
  await gus.line('You are a moderator of this room now.');
  await openDialog(hana);
  assert.equal(await hana.ask(() => document.querySelector('#govern .address')), null);
  await closeDialog(hana);
  await choose(hana, { name: await gus.name() }, 'Make a plain guest');
  await gus.line('You are a plain guest of this room now.');
  await gus.see('no tools', () => !document.querySelector('header .round:not([hidden])')?.textContent.includes('Govern'));
});

test('nothing from elsewhere, no complaints', () => {
  for (const guest of all()) {
    assert.deepEqual(guest.proxy.foreign, []);
    assert.deepEqual(guest.problems, []);
  }
});
