/* The scripts that make pictures of the page and measure it are not run with the tests, since they take minutes: that they can be
   read, and that their table is sound, is held here. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { README, STATES } from './pictures/states.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');

test('what makes pictures and measures can be read', () => {
  for (const file of ['screenshots.mjs', 'measure.mjs', 'kit/content.mjs', 'kit/senders.mjs']) execFileSync(process.execPath, ['--check', path.join(import.meta.dirname, file)]);
});

test('each state has a name of its own, and the rows of a room stand together', () => {
  const names = STATES.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
  assert.ok(names.every((name) => /^[a-z-]+$/.test(name)));
  const plays = STATES.map(({ play }) => play);
  assert.equal(plays.filter((play, place) => play !== plays[place - 1]).length, new Set(plays).size);
});

test('the README shows the pictures that are made for it', () => {
  const readme = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  for (const { file, name } of README) {
    assert.ok(STATES.some((state) => state.name === name), name);
    assert.ok(readme.includes(`docs/images/${file}`), file);
    assert.ok(fs.statSync(path.join(ROOT, 'docs/images', file)).size < 100_000, file);
  }
});
