/* A room at several doors, each of which can be killed and started again: doors.rs. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import { freePort, PROGRAM } from './room.mjs';

const DOORS = path.join(path.dirname(PROGRAM), 'examples/doors');

export class Doors {
  /** A door for each; `host` is a loopback name, so that doors can be of other sites, and `seats` how many there are. */
  static async open(...nodes) {
    const room = new Doors();
    for (const { host = '127.0.0.1', seats } of nodes) {
      const url = `http://${host}:${await freePort()}/`;
      room.nodes.push({ url, seats });
    }
    const places = room.nodes.map(({ url, seats }) => `${new URL(url).origin}${seats ? `,${seats}` : ''}`);
    room.child = spawn(DOORS, places, { stdio: ['pipe', 'pipe', 'inherit'] });
    room.ended = once(room.child, 'close');
    room.lines = readline.createInterface({ input: room.child.stdout })[Symbol.asyncIterator]();
    await room.#done('start');
    return room;
  }

  nodes = [];

  /** A node, as a room to arrive at. */
  door(number) {
    return this.nodes[number];
  }

  /** Lets a guest go to every door. */
  lets(guest) {
    guest.proxy.others = this.nodes.map(({ url }) => {
      const { hostname, port } = new URL(url);
      return { hostname, port: Number(port) };
    });
    return guest;
  }

  kill(number) {
    return this.#command(`kill ${number}`);
  }

  start(number) {
    return this.#command(`start ${number}`);
  }

  /** Takes the other nodes from this one, which can claim no name without them. */
  cut(number) {
    return this.#command(`cut ${number}`);
  }

  /** Gives them back. */
  join(number) {
    return this.#command(`join ${number}`);
  }

  /** Whether the room can write what is said. */
  write(can) {
    return this.#command(`write ${can ? 'yes' : 'no'}`);
  }

  /** What the room itself does, as a host at the terminal can; the secret of the link, if one was made. */
  act(act, number = 0) {
    return this.#command(`act ${number} ${JSON.stringify(act)}`);
  }

  async close() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async #command(line) {
    this.child.stdin.write(`${line}\n`);
    return this.#done(line);
  }

  async #done(what) {
    const { value } = await this.lines.next();
    const [, answer] = /^done ?(.*)$/.exec(value ?? '') ?? [];
    if (answer === undefined) throw new Error(`${DOORS} ended at "${what}"`);
    return answer;
  }
}
