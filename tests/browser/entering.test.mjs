/* Newcomers of a room that is not open to all, on a phone and at a desk, and the host who lets them in. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { clean as cleanIn, THEMES } from './kit/clean.mjs';
import { Doors } from './kit/doors.mjs';
import { traces, type as typeInto } from './kit/entry.mjs';
import { DESKTOP, Guest } from './kit/guest.mjs';
import { until } from './kit/until.mjs';

const SMALL = { width: 360, height: 740 };
/** A desk at 200 %. */
const ZOOMED = { width: 640, height: 400 };
const PASSWORD = 'tea at five, no sugar';

let room, hana, ann, bob;

before(async () => {
  room = await Doors.open({}, { host: 'localhost' });
  hana = await Guest.arrive(room.door(0), { name: 'hana', size: DESKTOP });
  ann = room.lets(await Guest.arrive(room.door(0), { name: 'ann', size: SMALL }));
  bob = await Guest.arrive(room.door(0), { name: 'bob', size: DESKTOP });
  await withLink(hana, `host=${await room.act({ act: 'link', role: 'host' })}`);
  await hana.connected();
  await hana.see('the tools', () => [...document.querySelectorAll('header button')].some((each) => each.textContent === 'Govern'));
  await hana.rename('Hana');
}, { timeout: 180_000 });

after(async () => {
  for (const guest of [hana, ann, bob]) await guest?.leave();
  await room?.close();
});

/** Opens the room by a link with this fragment, which is gone from the address at once. */
async function withLink(guest, fragment) {
  const { url } = guest;
  guest.url = `${url}#${fragment}`;
  await guest.open();
  guest.url = url;
  assert.equal(await guest.ask(() => location.href), url);
}

/** Opens the room as a new guest. */
async function anew(guest) {
  await guest.page?.evaluate(() => {
    connection.stop();
    seat.forget();
    doors.leaving = true;
  });
  await guest.page?.close();
  await guest.open();
}

const asksFor = (guest, title) => guest.see(`it says "${title}"`, (wanted) => {
  const heading = document.querySelector('#entry h2');
  return Boolean(heading?.getClientRects().length) && heading.textContent === wanted;
}, title);

const says = (guest, words) => guest.see(`it says "${words}"`, (wanted) => document.querySelector('#entry [role=status]').textContent.includes(wanted), words);

/** Types into the field with this label, and sends it. */
async function type(guest, label, words) {
  await typeInto(guest, label, words);
  await guest.page.keyboard.press('Enter');
}

const govern = async (words) => {
  await hana.press('header', words);
  await hana.see('the dialog', () => document.getElementById('govern').open);
};

const done = () => hana.press('#govern', 'Close');

/** Those who wait, as the host sees them. */
const waiting = () => hana.ask(() => {
  const heading = [...document.querySelectorAll('#govern h3')].find((each) => each.textContent === 'Waiting to be let in');
  return [...(heading?.nextSibling.querySelectorAll('bdi') ?? [])].map((each) => each.textContent);
});

/** Fills a field of the dialog and sends it. */
async function set(label, value) {
  await hana.ask((wanted, text) => {
    const form = [...document.querySelectorAll('#govern form')].find((each) => each.textContent.startsWith(wanted));
    form.querySelector('input').value = text;
    form.requestSubmit();
  }, label, value);
  await hana.see(`${label} is done`, (wanted) => document.querySelector('#govern [role=alert]').textContent.startsWith(wanted), label);
}

/** axe finds nothing and nothing is too wide, in both themes; each is kept as a picture. */
const clean = (guest, what, sizes = [DESKTOP, SMALL, ZOOMED]) => cleanIn(guest, what, { pictures: 'entering', sizes, themes: THEMES });

test('who comes to a room with a waiting room waits, also over a reload, and is let in by name', async () => {
  await govern('Govern');
  await hana.press('#govern', 'Let newcomers wait');
  await hana.see('the other button', () => [...document.querySelectorAll('#govern button')].some((each) => each.textContent === 'Let newcomers in at once'));
  await clean(hana, 'the dialog of hosts');
  await done();
  await ann.open();
  await ann.status('Waiting to be let in');
  await asksFor(ann, 'Waiting to be let in');
  await says(ann, 'A host or a moderator of this room has to let you in');
  assert.equal(await ann.ask(() => document.activeElement.textContent), 'Waiting to be let in', 'what is read out comes first');
  assert.ok(!(await ann.ask(() => document.getElementById('say-form').getClientRects().length)), 'nothing can be said yet');
  await clean(ann, 'waiting');
  await hana.see('the number on the button', () => [...document.querySelectorAll('header button')].some((each) => each.textContent === 'Govern (1)'));
  assert.equal(await hana.ask(() => document.querySelector('header [role=status].unseen').textContent), '1 guest waits to be let in');
  const number = () => hana.ask(() => people.newcomers?.[0]?.id);
  await govern('Govern (1)');
  await until('who waits', async () => (await waiting()).join() === 'No name');
  const first = await number();
  await ann.page.reload();
  await ann.status('Waiting to be let in');
  await type(ann, 'Your name', 'Ann');
  await done();
  await until('the name', async () => {
    await hana.ask(() => connection.send({ type: 'waiting' }));
    return (await hana.ask(() => people.newcomers?.map(({ name }) => name).join())) === 'Ann';
  });
  assert.equal(await number(), first, 'it is the same guest');
  await govern('Govern (1)');
  await clean(hana, 'who waits');
  await hana.press('#govern', 'Let in');
  await ann.connected();
  assert.equal(await ann.name(), 'Ann');
  assert.ok(await ann.ask(() => Boolean(document.getElementById('say-form').getClientRects().length) && !document.getElementById('entry').getClientRects().length));
  await until('the list is empty', async () => !(await waiting()).length);
  assert.ok(await hana.ask(() => Boolean(document.activeElement.closest('#govern'))), 'the keyboard stays in the dialog');
  await done();
  await hana.line('Ann was let in by Hana');
  await ann.say('thank you');
  await hana.hears('thank you');
});

test('two windows wait as two guests, and who is turned away is told', async () => {
  await bob.open();
  await bob.status('Waiting to be let in');
  const first = bob.page;
  await bob.open();
  await bob.status('Waiting to be let in');
  await govern('Govern (2)');
  await until('both', async () => (await waiting()).length === 2);
  await hana.press('#govern', 'Turn away');
  await until('one', async () => (await waiting()).length === 1);
  await hana.press('#govern', 'Turn away');
  await until('none', async () => !(await waiting()).length);
  await done();
  for (const page of [first, bob.page]) {
    bob.page = page;
    await bob.status('Not connected');
    assert.ok(!(await bob.ask(() => document.getElementById('entry').getClientRects().length)));
    assert.match(await bob.ask(() => document.getElementById('note').textContent), /banned|turned away|let you in/i);
  }
  await clean(bob, 'turned away');
  await bob.page.close();
  bob.page = first;
  await bob.page.close();
  bob.page = undefined;
});

for (const way of ['events', 'polling']) {
  test(`by ${way} newcomers wait as well, and hosts let them in`, async () => {
    await bob.leave();
    bob = await Guest.arrive(room.door(0), { name: `bob-${way}`, size: DESKTOP });
    await bob.open();
    await bob.status('Waiting to be let in');
    for (const guest of [bob, hana]) {
      await guest.ask(async (wanted) => {
        await bring('requests.js');
        connection.rung = WIRES.findIndex(({ name }) => name === wanted);
        connection.open();
      }, way);
    }
    await bob.status('Waiting to be let in');
    await hana.status(`Connected (${way})`);
    await govern('Govern (1)');
    await hana.press('#govern', 'Let in');
    await bob.status(`Connected (${way})`);
    await done();
  });
}

test('a room with a password asks for it, and it is kept nowhere', async () => {
  await hana.ask(() => {
    connection.rung = 0;
    connection.open();
  });
  await hana.connected();
  await govern('Govern');
  await hana.press('#govern', 'Let newcomers in at once');
  await set('Password for newcomers', PASSWORD);
  await done();
  await anew(ann);
  await ann.status('This room has a password');
  await asksFor(ann, 'This room has a password');
  await clean(ann, 'password');
  await type(ann, 'Password', 'coffee at six');
  await says(ann, 'That is not the password');
  await clean(ann, 'wrong password', [SMALL]);
  await type(ann, 'Password', PASSWORD);
  await ann.connected();
  assert.ok(!(await traces(ann)).includes(PASSWORD));
  await ann.page.reload();
  await ann.connected();
  assert.ok(!(await traces(hana)).includes(PASSWORD), 'nor with the host');
});

test('an invitation lets a guest in once; its link is shown once, with a code to scan', async () => {
  await govern('Govern');
  await hana.press('#govern', 'No password any more');
  await hana.press('#govern', 'Only with an invitation');
  await set('Invitation', 'Bob of the tea house');
  await hana.see('the code', () => document.querySelector('.qr path')?.getAttribute('d'));
  await clean(hana, 'an invitation');
  const link = await hana.ask(() => document.querySelector('#govern .address').textContent);
  assert.match(link, /#invite=[\w-]{43}$/);
  await hana.see('the list', () => [...document.querySelectorAll('#govern li bdi')].some((each) => each.textContent === 'Bob of the tea house'));
  await done();
  await anew(ann);
  await asksFor(ann, 'This room is for invited guests');
  await clean(ann, 'invited only');
  await type(ann, 'Invitation', 'tea');
  await says(ann, 'That is no invitation');
  await type(ann, 'Invitation', link);
  await ann.connected();
  const secret = link.split('=')[1];
  assert.ok(!(await traces(ann)).includes(secret));
  await anew(ann);
  await ann.page.close();
  await withLink(ann, `invite=${secret}`);
  await asksFor(ann, 'This room is for invited guests');
  await says(ann, 'What you brought does not let you in');
  const another = await room.act({ act: 'invite', name: 'Cleo' });
  await ann.ask((wanted) => {
    location.hash = `#invite=${wanted}`;
  }, another);
  await ann.connected();
  assert.ok(!(await traces(ann)).includes(another));
  assert.equal(await ann.ask(() => location.hash), '');
});

test('an invitation goes along to another address of the room', async () => {
  const secret = await room.act({ act: 'invite', name: 'Dora' });
  await anew(ann);
  const bag = { token: randomBytes(32).toString('base64url'), name: 'Dora', guest: 0, after: 0, epoch: '', says: [], draft: '', invite: secret, full: [] };
  const fragment = `go=${Buffer.from(JSON.stringify(bag)).toString('base64url')}`;
  await ann.page.close();
  ann.url = room.door(1).url;
  await withLink(ann, fragment);
  await ann.connected();
  assert.equal(await ann.name(), 'Dora');
  assert.ok(!(await traces(ann)).includes(secret));
});

test('all who came by the same invitation are banned together', async () => {
  await govern('Govern');
  await hana.see('who is invited', () => [...document.querySelectorAll('#govern li')].some((each) => /Dora.*1 guest/.test(each.textContent)));
  await done();
  await hana.see('the menu', () => {
    const open = [...document.querySelectorAll('#people-list li')].find((each) => each.querySelector('bdi').textContent === 'Dora')?.querySelector('.tool');
    open?.focus();
    return Boolean(open);
  });
  await hana.page.keyboard.press('Enter');
  await hana.press('#menu', 'All of their invitation');
  await clean(hana, 'all of an invitation', [DESKTOP]);
  await hana.press('#menu', 'Ban all');
  await ann.status('Not connected');
});

test('nothing is wrong in any console', () => {
  for (const guest of [hana, ann, bob]) assert.deepEqual(guest.problems, []);
});
