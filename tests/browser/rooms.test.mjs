/* Several rooms at one address: a list with what is unread, and the way from one to the other without a reload. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { DESKTOP, Guest } from './kit/guest.mjs';
import { LocalRoom, PROGRAM } from './kit/room.mjs';

const SMALL = { width: 360, height: 740 };
const PASSWORD = 'tea at five, no sugar';

let directory, room, ann, bob;
/** What follows the # of a link with an invitation. */
let invitation;

before(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'onionroom-rooms-'));
  const config = path.join(directory, 'rooms.toml');
  fs.writeFileSync(config, '[[rooms]]\nname = "tea"\ntitle = "Tea at five"\n\n[[rooms]]\nname = "attic"\nlisted = false\n');
  room = await LocalRoom.open({ ONIONROOM_CONFIG: config });
  ann = await Guest.arrive(room, { name: 'ann', size: DESKTOP });
  bob = await Guest.arrive(room, { name: 'bob', size: DESKTOP });
  for (const guest of [ann, bob]) {
    await guest.open();
    await guest.connected();
  }
}, { timeout: 120_000 });

after(async () => {
  await ann?.leave();
  await bob?.leave();
  await room?.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

/** The list of rooms, a line for each. */
const rooms = (guest) => guest.ask(() => [...document.querySelectorAll('#rooms li')].map((line) => line.textContent));
const go = (guest, title) => guest.ask((wanted) => {
  [...document.querySelectorAll('#rooms a')].find((link) => link.textContent === wanted).click();
}, title);
const titled = (guest, title) => guest.see(`the title ${title}`, (wanted) => document.getElementById('title').textContent === wanted, title);

test('a guest goes to another room over the same connection, and what is unread elsewhere is counted', async () => {
  await ann.see('the list', () => document.querySelectorAll('#rooms li').length === 2);
  await ann.say('in the main room');
  await bob.hears('in the main room');
  const requests = ann.proxy.requests.length;
  await go(ann, 'Tea at five');
  await titled(ann, 'Tea at five');
  assert.equal(await ann.ask(() => location.hash), '#room=tea');
  assert.deepEqual(await ann.messages(), [], 'nothing of the room before');
  assert.deepEqual(ann.proxy.requests.slice(requests).filter((request) => request.includes('chat')), []);
  await bob.say('while you are at tea');
  await ann.see('one is unread', () => /1 unread message/.test(document.querySelector('#rooms li').textContent));
  await ann.say('over tea');
  await ann.hears('over tea');
  assert.deepEqual(await bob.messages(), ['in the main room', 'while you are at tea']);
  await go(ann, 'onionroom');
  await titled(ann, 'onionroom');
  await ann.hears('while you are at tea');
  assert.ok(!(await ann.messages()).includes('over tea'));
  assert.ok(!(await rooms(ann))[0].includes('unread'));
});

test('a reload stays in the room, and a link leads into one that is not listed', async () => {
  await go(bob, 'Tea at five');
  await titled(bob, 'Tea at five');
  await bob.hears('over tea');
  await bob.ask(() => location.reload());
  await bob.connected();
  await titled(bob, 'Tea at five');
  await bob.hears('over tea');
  await bob.ask(() => { location.hash = '#room=attic'; });
  await titled(bob, 'attic');
  await bob.say('up here');
  await bob.hears('up here');
});

test('a room that is not there leads to the main one', async () => {
  await bob.ask(() => { location.hash = '#room=nothing'; });
  await titled(bob, 'onionroom');
  assert.equal(await bob.ask(() => location.hash), '');
  await bob.hears('while you are at tea');
});

/** `onionroom host` for this room, as the one who runs it. */
async function host(...command) {
  const { directory: home } = room.program;
  const env = { PATH: process.env.PATH, HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home };
  const { stdout } = await promisify(execFile)(PROGRAM, ['host', ...command], { env });
  return stdout;
}

/** Opens the room by a link with this fragment; what of it is a secret is gone from the address at once. */
async function withLink(guest, fragment) {
  const { url } = guest;
  guest.url = `${url}#${fragment}`;
  await guest.open();
  guest.url = url;
  assert.equal(await guest.ask(() => location.hash), /^room=\w+/.exec(fragment)[0].replace(/^/, '#'));
}

const asksFor = (guest, title) => guest.see(`it says "${title}"`, (wanted) => {
  const heading = document.querySelector('#entry h2');
  return Boolean(heading?.getClientRects().length) && heading.textContent === wanted;
}, title);

const noEntry = (guest) => guest.see('no entry', () => !document.getElementById('entry').getClientRects().length);

async function type(guest, label, words) {
  await guest.page.bringToFront();
  await guest.see(`the field "${label}"`, (wanted) => {
    const input = [...document.querySelectorAll('#entry label')].find((each) => each.textContent.startsWith(wanted))?.querySelector('input');
    input?.focus();
    return Boolean(input) && document.activeElement === input;
  }, label);
  await guest.page.keyboard.type(words);
  await guest.page.keyboard.press('Enter');
}

/** Presses a button of the hosts' dialog. */
async function govern(...words) {
  await ann.press('header', 'Govern');
  for (const each of words) await ann.press('#govern', each);
}

const address = async (fragment) => {
  await ann.see(`a link with ${fragment}`, (wanted) => document.querySelector('#govern .address')?.textContent.includes(wanted), fragment);
  return ann.ask(() => document.querySelector('#govern .address').textContent);
};

test('a link makes a host of another room, and the links made there lead into it', async () => {
  const link = /#(room=tea&host=[\w-]{43})/.exec(await host('--room', 'tea', 'link'))[1];
  await go(ann, 'onionroom');
  await titled(ann, 'onionroom');
  await ann.ask((wanted) => { location.hash = wanted; }, link);
  await ann.line('You are a host of this room now.');
  await titled(ann, 'Tea at five');
  assert.equal(await ann.ask(() => location.hash), '#room=tea');
  await govern('Link for a moderator');
  assert.match(await address('host='), /\/#room=tea&host=[\w-]{43}$/);
  await ann.press('#govern', 'Close');
  await govern('Only with an invitation');
  await ann.ask(() => {
    const form = [...document.querySelectorAll('#govern form')].find((each) => each.textContent.startsWith('Invitation'));
    form.querySelector('input').value = 'Bob';
    form.requestSubmit();
  });
  invitation = /#(room=tea&invite=[\w-]{43})$/.exec(await address('invite='))[1];
});

test('on the way to another room the hosts\' dialog closes, and nothing of it is shown there', async () => {
  assert.ok(await ann.ask(() => document.getElementById('govern').open));
  await ann.see('the list of invitations', () => [...document.querySelectorAll('#govern li')].some((each) => each.textContent.startsWith('Bob')));
  await ann.ask(() => { location.hash = ''; location.hash = '#room=main'; });
  await titled(ann, 'onionroom');
  assert.ok(!(await ann.ask(() => document.getElementById('govern').open)));
  assert.ok(!(await ann.ask(() => [...document.querySelectorAll('header button')].some((each) => each.textContent.startsWith('Govern') && each.getClientRects().length))), 'ann is no host here');
  assert.ok(!(await ann.ask(() => /Bob/.test([...document.querySelectorAll('#govern li')].map((each) => each.textContent).join()))));
  assert.ok(!(await ann.ask(() => document.querySelector('.tool'))));
  await go(ann, 'Tea at five');
  await titled(ann, 'Tea at five');
  await govern('Close');
});

test('a room for invited guests shows its entry, from where the way back leads, and an invitation leads in', async () => {
  await bob.leave();
  bob = await Guest.arrive(room, { name: 'bob-again', size: SMALL });
  await bob.open();
  await bob.connected();
  await bob.say('before tea');
  await bob.hears('before tea');
  await bob.ask(() => document.getElementById('people-button').click());
  await go(bob, 'Tea at five');
  await asksFor(bob, 'This room is for invited guests');
  await titled(bob, 'tea');
  assert.equal(await bob.ask(() => location.hash), '#room=tea');
  assert.deepEqual(await bob.messages(), []);
  assert.deepEqual(await bob.people(), [], 'who is in the room before is not shown at this door');
  await bob.ask(() => document.getElementById('people-button').click());
  await bob.see('where the guest is', () => document.querySelector('#rooms [aria-current]')?.textContent === 'Tea at five');
  await go(bob, 'onionroom');
  await titled(bob, 'onionroom');
  await bob.hears('before tea');
  await noEntry(bob);
  await go(bob, 'Tea at five');
  await asksFor(bob, 'This room is for invited guests');
  await bob.press('#entry', 'To the main room');
  await bob.connected();
  await titled(bob, 'onionroom');
  await bob.hears('before tea');
  await noEntry(bob);

  await bob.page.close();
  await withLink(bob, invitation);
  await bob.connected();
  await titled(bob, 'Tea at five');
  assert.ok(!bob.proxy.requests.some((request) => request.includes('invite')));
  await bob.say('thank you');
  await ann.hears('thank you');
});

test('a room with a password asks for it at its door, also for who comes by a link, over every transport', async () => {
  await govern('Also without an invitation');
  await ann.ask((password) => {
    const form = [...document.querySelectorAll('#govern form')].find((each) => each.textContent.startsWith('Password'));
    form.querySelector('input').value = password;
    form.requestSubmit();
  }, PASSWORD);
  await ann.see('the password is set', () => Boolean(policy.password));
  await ann.press('#govern', 'Close');
  for (const way of ['', 'events', 'polling']) {
    await bob.leave();
    bob = await Guest.arrive(room, { name: `bob-${way}`, size: SMALL });
    await bob.open();
    await bob.connected();
    if (way) await bob.comeInBy(way);
    await bob.ask(() => { location.hash = '#room=tea'; });
    await asksFor(bob, 'This room has a password');
    await type(bob, 'Password', 'coffee');
    await bob.see('what is wrong', () => document.querySelector('#entry [role=status]').textContent.includes('not the password'));
    await bob.press('#entry', 'To the main room');
    await titled(bob, 'onionroom');
    await bob.hears('before tea');
    await bob.ask(() => { location.hash = '#room=tea'; });
    await type(bob, 'Password', PASSWORD);
    await titled(bob, 'Tea at five');
    await bob.hears('thank you');
    assert.ok(await bob.ask(() => document.getElementById('status-words').textContent).then((words) => words.includes(way)));
  }
  await bob.page.close();
  await bob.leave();
  bob = await Guest.arrive(room, { name: 'bob-link', size: SMALL });
  await withLink(bob, 'room=tea');
  await asksFor(bob, 'This room has a password');
  await bob.press('#entry', 'To the main room');
  await titled(bob, 'onionroom');
});

test('who may not come in is told so, in the room where they were', async () => {
  await govern('No password any more');
  await ann.see('the button is gone', () => !document.querySelector('#govern').textContent.includes('No password any more'));
  await ann.press('#govern', 'Lock the room');
  await ann.see('it is locked', () => Boolean(policy.locked) && document.querySelector('#govern').textContent.includes('Unlock the room'));
  await ann.press('#govern', 'Close');
  await bob.ask(() => { location.hash = '#room=tea'; });
  await bob.line('locked');
  await titled(bob, 'onionroom');
  assert.equal(await bob.ask(() => location.hash), '');
  await govern('Unlock the room');
  await ann.see('it is unlocked', () => document.querySelector('#govern').textContent.includes('Lock the room'));
  await ann.press('#govern', 'Close');
  await ann.rename('Ann of tea');
  await ann.line('You are now called Ann of tea');
  await bob.rename('Ann of tea');
  await bob.line('You are now called Ann of tea');
  await bob.ask(() => { location.hash = '#room=tea'; });
  await bob.see('the form of the name', () => document.getElementById('name-form').getClientRects().length * document.getElementById('note').textContent.length > 0);
  await bob.ask(() => document.getElementById('name-field').select());
  await bob.page.keyboard.type('Bob of tea');
  await bob.page.keyboard.press('Enter');
  await titled(bob, 'Tea at five');
});

test('/room leads to any room', async () => {
  await ann.page.bringToFront();
  const before = await ann.ask(() => history.length);
  await ann.say('/room attic');
  await titled(ann, 'attic');
  assert.equal(await ann.ask(() => history.length), before, 'and leaves no trace in the history');
  assert.equal(await ann.ask(() => document.getElementById('text').value), '');
});

test('nothing is wrong in any console', () => {
  for (const guest of [ann, bob]) assert.deepEqual(guest.problems, []);
});
