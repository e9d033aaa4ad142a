/* A host wipes the room from the page; what it asks for first, and what the others see. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { faults } from './kit/axe.mjs';
import { DESKTOP, PHONE } from './kit/guest.mjs';
import { PROGRAM } from './kit/room.mjs';
import { TwoGuests } from './kit/two_guests.mjs';

let here, room, ann, bob;

before(async () => {
  here = await TwoGuests.arrive({ ann: DESKTOP, bob: PHONE });
  ({ room, ann, bob } = here);
}, { timeout: 120_000 });

after(() => here?.end());

/** The data directory of the room. */
const data = () => path.join(room.program.directory, 'onionroom');

/** Fills the form that wipes the room, and sends it. */
const wipe = (title) => ann.ask((text) => {
  const form = [...document.querySelectorAll('#govern form')].find((each) => each.textContent.startsWith('Wipe the room'));
  form.querySelector('input').value = text;
  form.requestSubmit();
}, title);

const told = (words) => ann.see(`the dialog says "${words}"`, (wanted) => document.querySelector('#govern [role=alert]').textContent.includes(wanted), words);

test('a host wipes the room with its title, and nothing without', async () => {
  await ann.say('a confession');
  await bob.hears('a confession');
  const { links } = JSON.parse(execFileSync(PROGRAM, ['host', 'link', '--json', '--data-dir', data()], { encoding: 'utf8' }));
  const { url } = ann;
  ann.url = links[0];
  await ann.open();
  ann.url = url;
  await ann.line('You are a host of this room now.');
  assert.ok(!(await bob.ask(() => document.getElementById('govern'))), 'guests have no such form');
  await ann.page.bringToFront();
  await ann.see('the button', () => {
    const open = [...document.querySelectorAll('header button')].find((each) => each.textContent === 'Govern' && each.getClientRects().length);
    open?.click();
    return document.getElementById('govern')?.open;
  });
  assert.deepEqual(await faults(ann.page), []);
  await wipe('another title');
  await told('is not the title of this room');
  await bob.say('still here');
  await ann.hears('still here');
  await wipe('onionroom');
  await told('The room is being wiped.');
  await room.program.ended;
  assert.equal(room.program.child.exitCode, 0);
  assert.ok(room.program.lines.includes('The room is wiped. Its address is kept.'), room.program.lines.join('\n'));
  assert.deepEqual(fs.readdirSync(data()), ['lock']);
  await bob.status('Looking for it again');
});
