/* Guests who come back as the same guest, with a passphrase or a key file; and a room that asks for it. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { clean as cleanIn, THEMES } from './kit/clean.mjs';
import { Doors } from './kit/doors.mjs';
import { traces, type } from './kit/entry.mjs';
import { DESKTOP, Guest } from './kit/guest.mjs';
import { until } from './kit/until.mjs';

const SMALL = { width: 360, height: 740 };
/** A desk at 200 %. */
const ZOOMED = { width: 640, height: 400 };
const PASSPHRASE = 'five o\u2019clock, no sugar';
const COME_IN = 'Come in with a passphrase or a key file';
const LEAVE = 'Leave, and come in with a passphrase or a key file';

let room, hana, ann, downloads;
const arrived = [];

/** A guest with a browser of their own, as on another machine. */
async function arrive(name, size = DESKTOP) {
  const preferences = { 'browser.download.folderList': 2, 'browser.download.dir': downloads, 'browser.download.alwaysOpenPanel': false };
  const guest = await Guest.arrive(room.door(0), { name, size, preferences });
  arrived.push(guest);
  return guest;
}

before(async () => {
  downloads = fs.mkdtempSync(path.join(os.tmpdir(), 'onionroom-identity-'));
  room = await Doors.open({});
  hana = await arrive('hana');
  const { url } = hana;
  hana.url = `${url}#host=${await room.act({ act: 'link', role: 'host' })}`;
  await hana.open();
  hana.url = url;
  await hana.connected();
  await hana.line('You are a host of this room now.');
  await hana.rename('Hana');
  ann = await arrive('ann', SMALL);
}, { timeout: 180_000 });

after(async () => {
  for (const guest of arrived) await guest.leave();
  await room?.close();
  fs.rmSync(downloads, { recursive: true, force: true });
});

const number = (guest) => guest.ask(() => people.me);

/** Opens the form of the name, by the keyboard. */
async function openNaming(guest) {
  await guest.page.bringToFront();
  await guest.page.focus('#name-button');
  await guest.page.keyboard.press('Enter');
  await guest.see('what is in the form', () => document.querySelector('#name-form p')?.getClientRects().length > 0);
}

const asksFor = (guest, title) => guest.see(`it says "${title}"`, (wanted) => {
  const heading = document.querySelector('#entry h2');
  return Boolean(heading?.getClientRects().length) && heading.textContent === wanted;
}, title);

const says = (guest, words) => guest.see(`it says "${words}"`, (wanted) => document.querySelector('#entry [role=status]').textContent.includes(wanted), words);
const note = (guest, words) => guest.see(`the note says "${words}"`, (wanted) => document.getElementById('note').textContent.includes(wanted), words);

async function comeIn(guest, name, passphrase) {
  await type(guest, 'Name', name);
  await type(guest, 'Passphrase', passphrase);
  await guest.page.keyboard.press('Enter');
}

/** From within the room to the form for it. */
async function leaveFor(guest) {
  await openNaming(guest);
  await guest.press('#name-form', LEAVE);
  await asksFor(guest, 'Come in as the same guest each time');
}

/** What a screen reader says of the badge beside a name, in the list of another guest. */
const badge = (guest, name) => guest.ask((wanted) => {
  const line = [...document.querySelectorAll('#people-list li')].find((each) => each.querySelector('bdi').textContent === wanted);
  return line?.querySelector('.badge').ariaLabel;
}, name);

const isReserved = (name, wanted = true) => until(`the badge of ${name}`, async () => {
  const words = await badge(hana, name);
  return words && words.endsWith(', name reserved') === wanted;
});

/** axe finds nothing and nothing is too wide, in both themes; each is kept as a picture. */
const clean = (guest, what, sizes = [DESKTOP, SMALL, ZOOMED]) => cleanIn(guest, what, { pictures: 'identity', sizes, themes: THEMES });

let first;

test('a name and a passphrase make a guest whose name is reserved, and no one else has the passphrase', async () => {
  await ann.open();
  await ann.connected();
  await openNaming(ann);
  await clean(ann, 'the form of the name');
  await ann.press('#name-form', LEAVE);
  await asksFor(ann, 'Come in as the same guest each time');
  await ann.status('You have left.');
  assert.equal(await ann.ask(() => document.activeElement.parentNode.textContent), 'Name', 'the keyboard is in the first field');
  await clean(ann, 'the passphrase');
  await comeIn(ann, 'Ann', 'short');
  await says(ann, 'The passphrase needs at least 8 characters');
  await comeIn(ann, 'Ann', PASSPHRASE);
  await ann.connected();
  assert.equal(await ann.name(), 'Ann');
  assert.ok(!(await ann.ask(() => document.getElementById('entry').getClientRects().length)));
  first = await number(ann);
  await isReserved('Ann');
  assert.ok(await ann.ask(() => document.querySelector('#badge-shown .badge').classList.contains('kept')));
  await ann.say('the first of Ann');
  await hana.see('the mark beside what she says', () => Boolean(document.querySelector('#said .who .kept')));
  assert.ok(!(await traces(ann)).includes(PASSPHRASE));
  await ann.page.reload();
  await ann.connected();
  assert.equal(await number(ann), first, 'a reload needs no passphrase');
});

test('while the guest is here or away, the name is refused to others, who read what to do', async () => {
  const bob = await arrive('bob', SMALL);
  await bob.open();
  await bob.connected();
  await bob.rename('Ann');
  await note(bob, 'reserved');
  await ann.leave();
  await bob.ask(() => document.getElementById('leave').click());
  await bob.status('You have left.');
  await bob.ask(() => (seat.name = 'Ann'));
  await bob.press('header', 'Come in again');
  await note(bob, 'come in with your passphrase or your key file');
  await bob.see('the way to do that', (wanted) => [...document.querySelectorAll('#name-form button')].some((each) => each.textContent === wanted), COME_IN);
  await clean(bob, 'a reserved name', [DESKTOP, SMALL]);
  await bob.press('#name-form', COME_IN);
  await asksFor(bob, 'Come in as the same guest each time');
  assert.equal(await bob.ask(() => document.querySelector('#entry input').value), 'Ann');
  await comeIn(bob, 'Ann', 'coffee at six, with milk');
  await says(bob, 'reserved for a guest with another passphrase');
  await clean(bob, 'a wrong passphrase', [SMALL]);
  await comeIn(bob, 'Bob', 'coffee at six, with milk');
  await bob.connected();
  assert.equal(await bob.name(), 'Bob');
  assert.notEqual(await number(bob), first);
  await bob.leave();
});

test('the same name and passphrase bring the guest back in another browser', async () => {
  ann = await arrive('ann-again');
  await ann.open();
  await ann.connected();
  assert.notEqual(await number(ann), first);
  await leaveFor(ann);
  await ann.press('#entry', 'Cancel');
  await ann.connected();
  await leaveFor(ann);
  await comeIn(ann, 'ann', PASSPHRASE);
  await ann.connected();
  assert.equal(await number(ann), first);
  await isReserved('ann');
  await ann.say('back again');
  await hana.hears('back again');
});

test('a guest reserves a name and gives it up', async () => {
  const dora = await arrive('dora');
  await dora.open();
  await dora.connected();
  await dora.rename('Dora');
  await dora.line('You are now called Dora');
  await isReserved('Dora', false);
  await openNaming(dora);
  await dora.press('#name-form', 'Reserve the name');
  await dora.line('Reserve the name: done.');
  await isReserved('Dora');
  assert.ok(await dora.ask(() => document.activeElement.id === 'text'));
  await openNaming(dora);
  await dora.press('#name-form', 'Give up the name');
  await dora.line('Give up the name: done.');
  await isReserved('Dora', false);
  await openNaming(dora);
  await dora.press('#name-form', 'Reserve the name');
  await isReserved('Dora');
  const of = await number(dora);
  const text = await dora.badge();
  await openNaming(dora);
  await dora.press('#name-form', 'Save a key file');
  const file = path.join(downloads, `onionroom-key-${text}.txt`);
  await until('the file', () => fs.existsSync(file) && fs.statSync(file).size > 0);
  const key = fs.readFileSync(file, 'utf8');
  assert.match(key, /^# The key of a guest in an onionroom: .*\nonionroom-key-1 [\w-]{43}\n$/);
  await dora.leave();

  const again = await arrive('dora-again', SMALL);
  await again.open();
  await again.connected();
  await leaveFor(again);
  const load = async (content) => {
    fs.writeFileSync(file, content);
    await (await again.page.$('#entry input[type=file]')).uploadFile(file);
    await again.press('#entry form:last-of-type', 'Come in');
  };
  await load('tea');
  await says(again, 'That is no key file.');
  await load(`\uFEFF${key.replaceAll('\n', '\r\n')}`);
  await again.connected();
  assert.equal(await number(again), of);
  assert.equal(await again.name(), 'Dora');
  await isReserved('Dora');
  await again.leave();
});

test('a host asks newcomers for an identity, and takes a name back', async () => {
  await hana.press('header', 'Govern');
  await hana.press('#govern', 'Only with an identity');
  await hana.see('the other button', () => [...document.querySelectorAll('#govern button')].some((each) => each.textContent === 'Also without an identity'));
  await clean(hana, 'the dialog of hosts', [SMALL]);
  await hana.press('#govern', 'Close');
  await hana.line('Newcomers need an identity by Hana');
  const eve = await arrive('eve', SMALL);
  await eve.open();
  await eve.status('Come in as the same guest each time');
  await says(eve, 'Only guests with an identity come in here.');
  await clean(eve, 'identity needed', [DESKTOP, SMALL]);
  await comeIn(eve, 'Ann', PASSPHRASE.toUpperCase());
  await says(eve, 'another passphrase');
  await comeIn(eve, 'Eve', 'water, at any time');
  await eve.connected();
  assert.equal(await eve.name(), 'Eve');
  await isReserved('Eve');
  await hana.ask(() => [...document.querySelectorAll('#people-list li')].find((each) => each.querySelector('bdi').textContent === 'Eve').querySelector('.tool').focus());
  await hana.page.keyboard.press('Enter');
  await hana.press('#menu', 'Take their reserved name');
  await isReserved('Eve', false);
  await hana.press('header', 'Govern');
  await hana.press('#govern', 'Also without an identity');
  await hana.press('#govern', 'Close');
  await hana.line('Newcomers need no identity by Hana');
  await eve.leave();
});

test('where guests are let in or give a password, the passphrase goes along', async () => {
  await hana.press('header', 'Govern');
  await hana.press('#govern', 'Let newcomers wait');
  await hana.press('#govern', 'Close');
  const finn = await arrive('finn', SMALL);
  await finn.open();
  await asksFor(finn, 'Waiting to be let in');
  await finn.press('#entry', COME_IN);
  await comeIn(finn, 'Finn', 'milk in first, please');
  await asksFor(finn, 'Waiting to be let in');
  const waits = await finn.ask(() => seat.token);
  await hana.press('header', 'Govern (1)');
  /* Under the former token a guest without a name waits for up to a minute. */
  await hana.see('the name', () => {
    const line = [...document.querySelectorAll('#govern li')].find((each) => each.querySelector('bdi')?.textContent === 'Finn');
    line?.querySelector('button').focus();
    return Boolean(line);
  });
  await hana.page.keyboard.press('Enter');
  await finn.connected();
  assert.equal(await finn.ask(() => seat.token), waits);
  await isReserved('Finn');
  await hana.press('#govern', 'Let newcomers in at once');
  await hana.ask((text) => {
    const form = [...document.querySelectorAll('#govern form')].find((each) => each.textContent.startsWith('Password for newcomers'));
    form.querySelector('input').value = text;
    form.requestSubmit();
  }, 'the word of the room');
  await hana.see('the password is set', () => policy.password);
  await hana.press('#govern', 'Close');
  await finn.leave();
  const gus = await arrive('gus');
  await gus.open();
  await asksFor(gus, 'This room has a password');
  await gus.press('#entry', COME_IN);
  await comeIn(gus, 'Gus', 'lemon and honey');
  await asksFor(gus, 'This room has a password');
  await type(gus, 'Password', 'another word');
  await gus.page.keyboard.press('Enter');
  await says(gus, 'That is not the password');
  await type(gus, 'Password', 'the word of the room');
  await gus.page.keyboard.press('Enter');
  await gus.connected();
  assert.equal(await gus.name(), 'Gus');
  await isReserved('Gus');
  assert.ok(!/lemon and honey|the word of the room/.test(await traces(gus)));
  await hana.press('header', 'Govern');
  await hana.press('#govern', 'No password any more');
  await hana.press('#govern', 'Close');
  await gus.leave();
});

for (const way of ['events', 'polling']) {
  test(`by ${way} it is the same`, async () => {
    await ann.leave();
    ann = await arrive(`ann-${way}`);
    await ann.open();
    await ann.connected();
    await ann.comeInBy(way);
    await leaveFor(ann);
    await comeIn(ann, 'Ann', 'no, it was another');
    await says(ann, 'another passphrase');
    await comeIn(ann, 'Ann', PASSPHRASE);
    await ann.status(`Connected (${way})`);
    assert.equal(await number(ann), first);
    await isReserved('Ann');
    await ann.ask(() => people.show());
    await ann.see('the mark', () => Boolean(document.querySelector('#badge-shown .kept')));
    await openNaming(ann);
    await ann.press('#name-form', 'Give up the name');
    await isReserved('Ann', false);
    await openNaming(ann);
    await ann.see('the other button', () => [...document.querySelectorAll('#name-form button')].some((each) => each.textContent === 'Reserve the name'));
    await ann.press('#name-form', 'Reserve the name');
    await isReserved('Ann');
  });
}

test('who comes while too many passphrases are tried reads when to try again', async () => {
  const eve = await arrive('eve-late', SMALL);
  await eve.open();
  await eve.connected();
  await eve.comeInBy('events');
  await leaveFor(eve);
  /* Of strangers, until the page has been refused: two tries a second are free again. */
  const ending = new AbortController();
  const attempt = (number) => fetch(new URL('rooms/main/guests', room.door(0).url), {
    method: 'POST', signal: ending.signal, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ identity: { name: 'Ann', passphrase: `guess number ${number}` } }),
  }).then(({ status }) => status, () => 0);
  let refused = 0;
  const flood = Array.from({ length: 24 }, async (_, number) => {
    while (!ending.signal.aborted) refused += Number((await attempt(number)) === 429);
  });
  try {
    await until('the limit', () => refused > 0, { deadline: 60_000 });
    await until('what the guest reads', async () => {
      await comeIn(eve, 'Ann', 'a guess of Eve');
      await eve.see('an answer', () => /slowly here|another passphrase/.test(document.querySelector('#entry [role=status]').textContent));
      return eve.ask(() => document.querySelector('#entry [role=status]').textContent.includes('tried slowly here. Wait'));
    }, { deadline: 60_000 });
  } finally {
    ending.abort();
    await Promise.all(flood);
  }
  await asksFor(eve, 'Come in as the same guest each time');
  await until('the guest is in', async () => {
    await comeIn(eve, 'Eve', 'water, at any time');
    await eve.see('an answer', () => connection.state === 'connected' || Boolean(naming.needed));
    return eve.ask(() => connection.state === 'connected');
  }, { deadline: 60_000 });
  await eve.status('Connected (events)');
});

test('nothing is wrong in any console', () => {
  for (const guest of arrived) assert.deepEqual(guest.problems, []);
});
