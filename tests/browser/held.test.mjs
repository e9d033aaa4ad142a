/* Words that are kept out: a host, a guest, and a guest without JavaScript, each as they see what waits. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faults } from './kit/axe.mjs';
import { Doors } from './kit/doors.mjs';
import { DESKTOP, Guest, PHONE } from './kit/guest.mjs';
import { NoscriptPage } from './kit/noscript.mjs';
import { until } from './kit/until.mjs';

let room, mona, gus, nora;

before(async () => {
  room = await Doors.open({});
  mona = await Guest.arrive(room.door(0), { name: 'mona', size: DESKTOP });
  gus = await Guest.arrive(room.door(0), { name: 'gus', size: PHONE });
  nora = await NoscriptPage.arrive(room.door(0), { name: 'nora', size: DESKTOP });
  for (const [guest, name] of [[mona, 'Mona'], [gus, 'Gus']]) {
    await guest.open();
    await guest.connected();
    await guest.rename(name);
    await until(`the name ${name}`, async () => (await guest.name()) === name);
  }
  await nora.open({ name: 'Nora' });
}, { timeout: 180_000 });

after(async () => {
  for (const guest of [mona, gus, nora]) await guest?.leave();
  await room?.close();
});

const number = (guest) => guest.ask(() => people.me);
const heldText = (guest) => guest.ask(() => document.documentElement.textContent.includes('no ѕсаm'));

/** Presses a button of the dialog; of several the one of the first message. */
async function press(words) {
  await mona.page.bringToFront();
  await mona.see(`the button "${words}"`, (wanted) => {
    const found = [...document.querySelectorAll('header button, #govern button')].find((each) => each.textContent === wanted && each.getClientRects().length);
    found?.focus();
    return Boolean(found) && document.activeElement === found;
  }, words);
  await mona.page.keyboard.press('Enter');
}

const waits = (count) => mona.see(`that ${count} wait`, (wanted) => [...document.querySelectorAll('header button')]
  .some((each) => each.textContent === (wanted ? `Govern (${wanted})` : 'Govern')), count);

test('a host sets the words, and nobody is told them', async () => {
  await room.act({ act: 'role', of: await number(mona), role: 'host' });
  await mona.line('You are a host of this room now.');
  await press('Govern');
  await mona.see('the field', () => Boolean(document.querySelector('#govern [name=words]')));
  await mona.ask(() => {
    const field = document.querySelector('#govern [name=words]');
    field.value = 'scam\n\n free money ';
    field.form.requestSubmit();
  });
  await mona.see('it is done', () => document.querySelector('#govern [role=alert]').textContent.startsWith('Words to keep out'));
  await press('Close');
  await gus.line('The words to keep out were set by Mona');
  assert.ok(!(await gus.ask(() => JSON.stringify(log.items, (key, value) => (key === 'nodes' ? undefined : value)))).includes('free money'));
});

test('what a guest says with such a word waits, and only its author sees it', async () => {
  await gus.say('surely no ѕсаm');
  await gus.see('that it waits', () => document.querySelector('#unsaid .foot')?.textContent === 'waits until a host lets it be said');
  await waits(1);
  await nora.say('no scam without a script');
  await nora.hears('Your message waits until a host or a moderator lets it be said.');
  assert.ok(await nora.inside(({ say }) => say.body.textContent.includes('Your message waits')));
  await waits(2);
  assert.ok(!(await heldText(mona)), 'it is not in the conversation');
  await gus.say('tea?');
  for (const guest of [mona, nora]) await guest.hears('tea?');
  assert.ok(!(await nora.inside(({ messages }) => messages.body.textContent.includes('no ѕсаm'))));
  assert.ok(!(await gus.ask(() => document.documentElement.textContent)).includes('without a script'));
  assert.ok(!(await mona.ask(() => [...document.querySelectorAll('#said .line:not([hidden])')].some((line) => line.textContent.includes('cannot show')))));
  await gus.page.reload();
  await gus.connected();
  await gus.hears('tea?');
});

test('the host lets the one be said, and discards the other', async () => {
  await press('Govern (2)');
  await mona.see('the list', () => document.querySelectorAll('#govern li .words').length === 2);
  const shown = await mona.ask(() => [...document.querySelectorAll('#govern li .words')].map((each) => each.textContent));
  assert.deepEqual(shown, ['surely no ѕсаm', 'no scam without a script']);
  assert.deepEqual(await mona.ask(() => document.querySelector('#govern [name=words]').value), 'scam\nfree money');
  assert.deepEqual(await faults(mona.page), []);
  await mona.screenshot('held-queue');
  await press('Release');
  await mona.see('one is left', () => document.querySelectorAll('#govern li .words').length === 1);
  for (const guest of [gus, nora]) await guest.hears('surely no ѕсаm');
  assert.equal(await gus.ask(() => document.querySelectorAll('#unsaid .message').length), 0);
  await press('Delete');
  await mona.see('none is left', () => document.querySelectorAll('#govern li .words').length === 0);
  await press('Close');
  await waits(0);
  await mona.hears('surely no ѕсаm');
});

test('what waits and is discarded leaves the page of its author; what is released takes its place', async () => {
  await gus.say('a scam to be deleted');
  await gus.say('a scam to be said');
  await gus.see('that both wait', () => [...document.querySelectorAll('#unsaid .foot')].filter((each) => each.textContent.startsWith('waits')).length === 2);
  await waits(2);
  await press('Govern (2)');
  await press('Delete');
  await gus.see('that one is gone', () => document.querySelectorAll('#unsaid .message').length === 1);
  await mona.see('one is left', () => document.querySelectorAll('#govern li .words').length === 1);
  await press('Release');
  await gus.see('that it is said', () => !document.querySelector('#unsaid .message') && [...document.querySelectorAll('#said .words')].at(-1).textContent === 'a scam to be said');
  await press('Close');
});

test('a moderator sees what waits, and chooses no words', async () => {
  await room.act({ act: 'role', of: await number(mona), role: 'moderator' });
  await mona.line('You are a moderator of this room now.');
  await gus.say('one more scam');
  await waits(1);
  await press('Govern (1)');
  await mona.see('the list', () => document.querySelectorAll('#govern li .words').length === 1);
  assert.equal(await mona.ask(() => document.querySelector('#govern [name=words]')), null);
  await press('Release');
  await nora.hears('one more scam');
  await press('Close');
});

test('nothing from elsewhere, no complaints', () => {
  for (const guest of [mona, gus, nora]) {
    assert.deepEqual(guest.proxy.foreign, []);
    assert.deepEqual(guest.problems, []);
  }
});
