/* The page derives badges as docs/protocol.md defines them: its examples, without a browser. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import vm from 'node:vm';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');

test('badges are those of the documentation', () => {
  const page = vm.createContext({});
  vm.runInContext(read('web/people.js'), page);
  const table = read('docs/protocol.md').split('| `guest.id` | `badge` | pattern | hue |')[1].split('\n\n')[0];
  const rows = [...table.matchAll(/^\| (\d+) \| `(\w{4})` \| `([.# ]+)` \| (\d+) \|$/gm)];
  assert.ok(rows.length >= 6);
  for (const [, id, badge, pattern, hue] of rows) {
    const shown = vm.runInContext(`({ ...badgeOf(${id}), hue: hueOf(${id}) })`, page);
    const drawn = shown.rows.map((row) => Array.from(row, (cell) => (cell ? '#' : '.')).join('')).join(' ');
    assert.deepEqual([shown.text, drawn, shown.hue], [badge, pattern, Number(hue)], id);
  }
});
