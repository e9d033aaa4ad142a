/* The build shortens names of the page (web/build/names.rs). None of them is a name of the browser's own. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Guest, PHONE } from './kit/guest.mjs';
import { LocalRoom } from './kit/room.mjs';
import { read } from './kit/scripts.mjs';

let room, ann;

before(async () => {
  room = await LocalRoom.open();
  ann = await Guest.arrive(room, { name: 'ann', size: PHONE });
}, { timeout: 120_000 });

after(async () => {
  await ann?.leave();
  await room?.close();
});

const own = read('own.txt').split('\n').filter((line) => !line.startsWith('#')).join(' ').split(/\s+/).filter(Boolean);

test('the browser has no global variable with a name as short, and the document no id', async () => {
  ann.page = await ann.browser.newPage();
  const short = await ann.ask(() => {
    const names = [];
    for (let place = window; place; place = Object.getPrototypeOf(place)) names.push(...Object.getOwnPropertyNames(place));
    return names.includes('document') && names.filter((name) => name.length < 3);
  });
  assert.deepEqual(short, []);
  const ids = [...read('index.html').matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  assert.ok(ids.includes('room'));
  assert.deepEqual(ids.filter((id) => id.length < 3), []);
});

test('no object of the browser has a property of the page\'s own names', async () => {
  /* Without the page, whose functions are properties of the window under names that are short by chance. */
  ann.page = await ann.browser.newPage();
  const found = await ann.ask((names) => {
    const seen = new Set();
    const has = new Set();
    const look = (value, depth) => {
      if (!value || !['object', 'function'].includes(typeof value) || seen.has(value) || depth > 3) return;
      seen.add(value);
      for (const [name, { value: inner }] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
        has.add(name);
        look(inner, depth + 1);
      }
      look(Object.getPrototypeOf(value), depth);
    };
    look(window, 0);
    for (const tag of ['a', 'button', 'dialog', 'form', 'input', 'iframe', 'p', 'svg', 'template', 'textarea', 'time']) look(document.createElement(tag), 0);
    return [has.has('replaceChildren') && has.has('flatMap') && has.has('resolvedOptions'), names.filter((name) => has.has(name))];
  }, own);
  assert.deepEqual(found, [true, []]);
});

test('no test asks for a name that the build shortens', () => {
  const kept = new Set(fs.readFileSync(path.resolve(import.meta.dirname, '../../web/build/names.rs'), 'utf8').match(/ASKED_FOR: .*?= \[(.*?)\];/s)[1].match(/\w+/g));
  assert.ok(kept.has('connection'));
  const scripts = ['.', 'kit', 'pictures'].flatMap((directory) => fs.readdirSync(path.join(import.meta.dirname, directory)).map((file) => path.join(directory, file)))
    .filter((file) => file.endsWith('.mjs'));
  assert.ok(scripts.includes('history.test.mjs'));
  for (const file of scripts) {
    const text = fs.readFileSync(path.join(import.meta.dirname, file), 'utf8');
    for (const [use, variable, property] of text.matchAll(/(?<![\w.$])(\w+)\??\.(\w+)/g)) {
      assert.ok(!kept.has(variable) || !own.includes(property), `${file}: ${use}`);
    }
  }
});
