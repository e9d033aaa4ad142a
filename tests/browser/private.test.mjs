/* A private room: Firefox finds it when its Tor has the key that `onionroom invite` printed, and not before. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { DESKTOP, Guest } from './kit/guest.mjs';
import { PROGRAM, openLab } from './kit/room.mjs';
import { until } from './kit/until.mjs';

/** How long a new invitation may take: the room publishes at most once a minute. */
const IN_FORCE = 240_000;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

let room, alice;

before(async () => {
  room = await openLab();
  alice = await Guest.arrive(room, { name: 'alice', size: DESKTOP });
}, { timeout: 300_000 });

after(async () => {
  await alice?.leave();
  await room?.close();
});

/** Runs `onionroom invite` on the lab's room, and answers with what it prints. */
async function invite(...words) {
  const directory = path.join(path.dirname(room.network), 'room');
  const { stdout } = await promisify(execFile)(PROGRAM, ['invite', ...words, '--data-dir', directory]);
  return Object.fromEntries(stdout.trim().split('\n').map((line) => line.split(/: (.*)/)));
}

/** What Tor Browser does with a key that is pasted: it gives it to Tor over the control port. */
async function paste(key) {
  const bits = [...key].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const bytes = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const address = new URL(room.url).hostname.replace('.onion', '');
  const [host, port] = room.control.split(':');
  const control = net.connect(Number(port), host).setEncoding('utf8');
  let said = '';
  control.on('data', (text) => { said += text; });
  control.write(`AUTHENTICATE ${fs.readFileSync(room.cookie).toString('hex')}\r\n`);
  control.write(`ONION_CLIENT_AUTH_ADD ${address} x25519:${bytes.toString('base64')}\r\nQUIT\r\n`);
  await until('Tor takes the key', () => said.includes('closing connection'));
  control.destroy();
  assert.match(said, /^250 OK\r\n25[012] /, said);
}

const gets = () => alice.open().then(() => true, () => false);

test('without a key the page does not load, and with the key that was printed it does', { timeout: 600_000 }, async () => {
  const { key } = await invite('add', 'alice', '--private');
  await until('the room is private', async () => !(await gets()), { deadline: IN_FORCE });
  assert.equal(await gets(), false);
  await paste(key);
  await until('the page loads', gets, { deadline: IN_FORCE });
  await alice.connected();
  await alice.say('among ourselves');
  await alice.hears('among ourselves');
});

test('who is removed is out, and the page says that the connection is lost', { timeout: 200_000 }, async () => {
  await invite('remove', 'alice');
  await alice.status('Reconnecting');
  assert.equal(await gets(), false);
});
