/* One room on several machines, in small: NATS servers, a private Tor network, and a program with an onion service for each. */

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { freePort, openLab, Program, PROGRAM } from './room.mjs';
import { until } from './until.mjs';

/** How long an onion service may take until it is reached. */
const REACHABLE = 240_000;

export class Machines {
  /** Starts the room on so many machines, and waits until each is reached through Tor and knows the others. */
  static async open(count) {
    const room = new Machines();
    try {
      room.nats = await Nats.start();
      room.lab = await openLab();
      for (let place = 0; place < count; place++) room.nodes.push(await room.#serve());
      for (const node of room.nodes) {
        await node.program.until('the onion service is reached', () => node.program.value('reachable'), { deadline: REACHABLE });
        node.url = node.program.value('reachable');
        node.socks = room.lab.socks;
      }
      for (const node of room.nodes) {
        const others = room.nodes.filter((other) => other !== node).map(({ url }) => new URL(url).origin);
        await node.program.until('it knows the other doors', async () => {
          const policy = (await fetch(node.program.value('local'))).headers.get('content-security-policy');
          return others.every((origin) => policy.includes(origin));
        }, { deadline: 60_000 });
      }
      return room;
    } catch (error) {
      await room.close();
      throw error;
    }
  }

  nodes = [];

  /** A machine, as a room to arrive at. */
  door(place) {
    return this.nodes[place];
  }

  /** Lets a guest go to every door. */
  lets(guest) {
    guest.proxy.others = this.nodes.map(({ url }) => ({ hostname: new URL(url).hostname, port: 80 }));
    return guest;
  }

  /** Stops a program where it is: nobody is told. */
  stop(place) {
    this.nodes[place].program.child.kill('SIGSTOP');
  }

  /** `kill -9`. */
  async kill(place) {
    const { program } = this.nodes[place];
    program.child.kill('SIGKILL');
    await program.ended;
  }

  async close() {
    for (const { program } of this.nodes) await program.end();
    await this.lab?.close();
    await this.nats?.end();
  }

  async #serve() {
    const flags = ['--local', 'open', '--listen', '127.0.0.1:0', '--network-file', this.lab.network];
    const program = new Program(['serve', ...flags], { ONIONROOM_CLUSTER_NATS: this.nats.addresses.join(), ONIONROOM_CLUSTER_SECRET_FILE: this.nats.key });
    const node = { program };
    await program.until('the room is open', () => program.value('local'), { deadline: 60_000 });
    return node;
  }
}

/** Three servers where `ONIONROOM_TEST_NATS_SERVER` names one that can be among others, else one of the system's. */
class Nats {
  static async start() {
    const nats = new Nats();
    const { ONIONROOM_TEST_NATS_SERVER: newer } = process.env;
    nats.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'onionroom-nats-'));
    nats.key = path.join(nats.directory, 'cluster.key');
    try {
      execFileSync(PROGRAM, ['cluster', 'key', nats.key], { stdio: 'ignore' });
      const places = Array.from({ length: newer ? 3 : 1 }, (_, place) => place);
      const [ports, routes] = [await freePorts(places.length), await freePorts(places.length)];
      nats.addresses = ports.map((port) => `nats://127.0.0.1:${port}`);
      for (const place of places) {
        const file = path.join(nats.directory, `s${place}.conf`);
        const cluster = `cluster { name: test, listen: "127.0.0.1:${routes[place]}", routes: ${JSON.stringify(routes.map((port) => `nats://127.0.0.1:${port}`))} }`;
        const store = path.join(nats.directory, `s${place}`);
        fs.writeFileSync(file, `listen: "127.0.0.1:${ports[place]}"\nserver_name: s${place}\njetstream { store_dir: ${JSON.stringify(store)} }\n${newer ? cluster : ''}\n`);
        const server = spawn(newer ?? 'nats-server', ['-c', file], { stdio: 'ignore', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
        server.on('error', (error) => console.error(error));
        nats.servers.push({ server, ended: once(server, 'close').catch(() => {}) });
      }
      for (const port of ports) await until('a NATS server greets', () => greets(port));
      return nats;
    } catch (error) {
      await nats.end();
      throw error;
    }
  }

  servers = [];

  async end() {
    for (const { server } of this.servers) server.kill('SIGKILL');
    for (const { ended } of this.servers) await ended;
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

async function freePorts(count) {
  const ports = new Set();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

function greets(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString().startsWith('INFO'));
    });
    socket.on('error', () => resolve(false));
  });
}
