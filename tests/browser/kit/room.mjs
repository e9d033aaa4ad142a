/* A room to test against: on a private Tor network, on loopback alone, or one that is already there. */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { until } from './until.mjs';

const ROOT = path.resolve(import.meta.dirname, '../../..');
/** No rate limits: these tests are in a hurry. */
const UNLIMITED = {
  ONIONROOM_ROOM_MESSAGES_PER_MINUTE: '0',
  ONIONROOM_ROOM_ROOM_MESSAGES_PER_MINUTE: '0',
  ONIONROOM_ROOM_JOINS_PER_MINUTE: '0',
};
/** Where cargo builds. */
export const TARGET = path.resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target');
export const PROGRAM = process.env.ONIONROOM_BIN ?? path.join(TARGET, 'debug/onionroom');

/** How long the private network may take to be ready on a busy machine. */
const NETWORK_DEADLINE = 180_000;
/** How long a room may take to end after SIGTERM. */
const END_DEADLINE = 15_000;

/**
 * The room of the environment: `ONIONROOM_URL` (and `ONIONROOM_SOCKS`) name one that is there already,
 * `ONIONROOM_BROWSER=local` starts one without Tor, otherwise `onionroom lab` starts one with its network.
 */
export async function openRoom() {
  const { ONIONROOM_URL: url, ONIONROOM_SOCKS: socks, ONIONROOM_BROWSER: kind } = process.env;
  if (url) return { url, socks, close: async () => {} };
  return kind === 'local' ? LocalRoom.open() : openLab();
}

/** A process of the program with a directory of its own; what it prints is kept for when it is needed. */
export class Program {
  lines = [];

  constructor(command, settings = {}) {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'onionroom-browser-'));
    const home = { HOME: this.directory, XDG_CONFIG_HOME: this.directory, XDG_DATA_HOME: this.directory };
    /* The tests' own variables, and whatever this machine's room is set to, are not for this one. */
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith('ONIONROOM_'));
    const env = { ...Object.fromEntries(others), ...UNLIMITED, ...home, ...settings };
    this.child = spawn(PROGRAM, command, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = once(this.child, 'close');
    this.ended.catch(() => {});
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8');
      let rest = '';
      stream.on('data', (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        this.lines.push(...lines);
      });
    }
  }

  /** The value of a line `name: value`. */
  value(name) {
    return this.lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2).trim();
  }

  get running() {
    return this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined;
  }

  async until(what, ask, options) {
    const asking = until(what, () => !this.running || ask(), options);
    await asking.catch((error) => {
      throw new Error(`${error.message}\n${this.lines.slice(-40).join('\n')}`);
    });
    if (this.running) return;
    await this.ended;
    const { exitCode, signalCode } = this.child;
    throw new Error(`${PROGRAM} ended (${signalCode ?? exitCode})\n${this.lines.slice(-40).join('\n')}`);
  }

  async end() {
    if (this.running) {
      this.child.kill('SIGTERM');
      const deadline = setTimeout(() => this.child.kill('SIGKILL'), END_DEADLINE);
      await this.ended;
      clearTimeout(deadline);
    }
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

/**
 * The private network and its room; `network` is the file with which other rooms are on it, `control` and `cookie` are of
 * the client's control port. `flags` are further ones of the command, `settings` variables of its environment.
 */
export async function openLab({ flags = ['--listen', '127.0.0.1:0'], settings } = {}) {
  const lab = new Program(['lab', ...flags], settings);
  try {
    await lab.until('the private network is ready', () => lab.lines.includes('ready'), { deadline: NETWORK_DEADLINE });
    const [url, socks, control, cookie] = ['room', 'socks', 'control', 'control cookie'].map((name) => lab.value(name));
    if (!url || !socks || !cookie) throw new Error(`no room, socks or cookie line:\n${lab.lines.join('\n')}`);
    return { url, socks, control, cookie, network: path.join(cookie, '../../network.toml'), close: () => lab.end() };
  } catch (error) {
    await lab.end();
    throw error;
  }
}

/** A room without Tor, which can be closed and opened again at the same address. */
export class LocalRoom {
  /** `settings` are variables of the environment. */
  static async open(settings) {
    const room = new LocalRoom();
    room.settings = settings;
    room.port = await freePort();
    room.url = `http://127.0.0.1:${room.port}/`;
    await room.start();
    return room;
  }

  /** The same over TLS, with a certificate that no browser trusts. */
  static async openWithTls(settings) {
    const room = await LocalRoom.open({ ONIONROOM_LISTEN_TLS: '127.0.0.1:0', ONIONROOM_LISTEN_TLS_SELF_SIGNED: 'true', ...settings });
    await room.program.until('the address for TLS', () => room.program.value('public'));
    room.url = room.program.value('public');
    room.trustsAnyone = true;
    return room;
  }

  async start() {
    this.program = new Program(['serve', '--no-onion', '--local', 'open', '--listen', `127.0.0.1:${this.port}`], this.settings);
    await this.program.until('the room answers', () => answers(this.port));
  }

  close() {
    return this.program.end();
  }
}

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true));
    socket.on('connect', () => socket.destroy()).on('error', () => resolve(false));
  });
}
