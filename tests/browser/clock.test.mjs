/* The lecture's clock (docs/examples/clock.rs): its own page, and the lecture's page from a file. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Guest, PHONE } from './kit/guest.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let clock, url, guest, directory;

/** The page as the lecture shows it; only the port is this clock's. */
const lecture = () => `<!doctype html><title>Lecture</title><p id="now"></p><script>
  const socket = new WebSocket('ws://localhost:${new URL(url).port}/ws');
  socket.onopen = () => socket.send('start');
  socket.onmessage = (e) => { document.getElementById('now').innerHTML = JSON.parse(e.data).now; };
</script>`;

before(async () => {
  clock = spawn('cargo', ['run', '--quiet', '--locked', '--example', 'clock', '--', '0'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(clock.stdout)) {
    url = line.match(/^clock: (http:\S+)$/)?.[1];
    if (url) break;
  }
  assert.ok(url, 'the clock tells its address');
  guest = await Guest.arrive({ url }, { name: 'student', size: PHONE });
}, { timeout: 600_000 });

after(async () => {
  await guest?.leave();
  if (directory) fs.rmSync(directory, { recursive: true });
  clock?.kill();
  if (clock?.exitCode === null && clock.signalCode === null) await once(clock, 'exit');
});

/** Opens a page and sees the time on it change twice, forwards. */
async function runs(address) {
  guest.url = address;
  await guest.open();
  const shown = [];
  while (shown.length < 3) {
    const last = shown.at(-1) ?? '';
    shown.push(await guest.see('the time changes', (before) => {
      const { textContent: now } = document.getElementById('now');
      return now.startsWith('2') && now !== before && now;
    }, last));
  }
  for (const now of shown) assert.match(now, RFC3339);
  assert.deepEqual(shown, shown.toSorted(), 'time goes forwards');
  const off = Math.abs(Date.now() - Date.parse(shown.at(-1)));
  assert.ok(off < 10_000, `it is the time now: ${off} ms off`);
  assert.deepEqual(guest.problems, []);
}

test('the page that the clock serves', () => runs(url));

test('the lecture\'s page from a file', () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'onionroom-clock-'));
  const file = path.join(directory, 'lecture.html');
  fs.writeFileSync(file, lecture());
  return runs(pathToFileURL(file).href);
});
