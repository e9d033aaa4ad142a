/* The only way out of a tested Firefox: a SOCKS proxy (RFC 1928) that lets through what goes to the room, writes
   down everything, and can cut connections the way a dying circuit does. */

import net from 'node:net';
import { once } from 'node:events';

const SUCCEEDED = 0, REFUSED = 2, UNREACHABLE = 4;
const DOMAIN = 3, IPV4 = 1, IPV6 = 4;

/** The name of another site than the room's. */
export const NEIGHBOUR = 'elsewhere.example';

export class SocksProxy {
  /** Every request seen, as `METHOD path`, in order. */
  requests = [];
  /** Where else the browser wanted to go, as `host:port`. */
  foreign = [];
  /** Bytes from and to the room, as the browser's connections carried them. */
  bytes = { down: 0, up: 0 };
  /** The cookies of the last request; empty if it had none. */
  cookie = '';
  /** Requests whose head matches one of these end their connection, as some proxies do. */
  blocked = [];
  /** The port of a server on this machine that is another site, reached as `NEIGHBOUR` and by its own address too. */
  neighbour;
  /** Other places that may be reached, as `{ hostname, port }`: the room's other doors. */
  others = [];
  #pairs = new Set();
  #stalled = false;
  /** While the room is away: what to do with a connection that asks for it. */
  #away;

  /** `room` is the host and port that may be reached; `socks` the next proxy, as `host:port`, or nothing;
      `isolation` keeps this guest's circuits apart from others'. */
  static async open({ room, socks, isolation }) {
    const proxy = new SocksProxy();
    Object.assign(proxy, { room, socks, isolation });
    proxy.server = net.createServer((client) => proxy.#serve(client));
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    proxy.port = proxy.server.address().port;
    return proxy;
  }

  /** Holds everything back, on connections that stay open. */
  stall() {
    this.#stalled = true;
    for (const { client, onward } of this.#pairs) {
      client.pause();
      onward.pause();
    }
  }

  /** Lets new connections through again; those that were stalled stay so. */
  resume() {
    this.#stalled = false;
  }

  /** The room is away: connections end, and others are refused, or with `hang` held without an answer until it is back, as by
      a circuit that does not come about. */
  away({ hang = false } = {}) {
    const held = new Set();
    this.#away = (client, refuse) => (hang ? held.add(client) : refuse());
    this.#away.end = () => held.forEach((client) => client.destroy());
    for (const { client, onward } of this.#pairs) {
      client.destroy();
      onward.destroy();
    }
  }

  /** The room is there again. */
  back() {
    this.#away.end();
    this.#away = undefined;
  }

  /** Ends the browser's connections and leaves the room's end standing: the room does not notice. */
  cut() {
    for (const { client } of this.#pairs) client.destroy();
  }

  async close() {
    for (const { client, onward } of this.#pairs) {
      client.destroy();
      onward.destroy();
    }
    this.server.close();
  }

  async #serve(client) {
    client.on('error', () => client.destroy());
    client.setNoDelay();
    try {
      const read = reader(client);
      const [, methods] = await read(2);
      await read(methods);
      client.write(Buffer.of(5, 0));
      const { host, port } = await destination(read);
      const answer = (code) => client.write(Buffer.of(5, code, 0, IPV4, 0, 0, 0, 0, 0, 0));
      const toNeighbour = this.neighbour && (host === NEIGHBOUR || port === this.neighbour);
      const known = [this.room, ...this.others].some((place) => host === place.hostname && port === place.port);
      if (!toNeighbour && !known) {
        this.foreign.push(`${host}:${port}`);
        answer(REFUSED);
        return client.end();
      }
      if (this.#away) return this.#away(client, () => client.end(Buffer.of(5, UNREACHABLE, 0, IPV4, 0, 0, 0, 0, 0, 0)));
      let onward;
      try {
        onward = toNeighbour ? await connect('127.0.0.1', this.neighbour) : await this.#onward(host, port);
      } catch {
        answer(UNREACHABLE);
        return client.end();
      }
      answer(SUCCEEDED);
      this.#join(client, onward, read.rest());
    } catch {
      client.destroy();
    }
  }

  async #onward(host, port) {
    if (!this.socks) return connect(host, port);
    const [proxyHost, proxyPort] = this.socks.split(':');
    const onward = await connect(proxyHost, Number(proxyPort));
    const read = reader(onward);
    const text = (value) => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
    onward.write(Buffer.of(5, 1, 2));
    await read(2);
    onward.write(Buffer.concat([Buffer.of(1), text(this.isolation), text('guest')]));
    await read(2);
    onward.write(Buffer.concat([Buffer.of(5, 1, 0, DOMAIN), text(host), Buffer.of(port >> 8, port & 255)]));
    const [, code, , kind] = await read(4);
    if (code !== SUCCEEDED) {
      onward.destroy();
      throw new Error(`the SOCKS proxy answered ${code}`);
    }
    await read((kind === IPV6 ? 16 : 4) + 2);
    read.rest();
    return onward;
  }

  #join(client, onward, first) {
    const pair = { client, onward };
    this.#pairs.add(pair);
    if (this.#stalled) this.stall();
    onward.setNoDelay();
    onward.on('error', () => onward.destroy());
    const note = this.#notebook();
    const up = (bytes) => {
      this.bytes.up += bytes.length;
      if (note(bytes)) return onward.write(bytes);
      client.destroy();
      onward.destroy();
    };
    if (first.length) up(first);
    client.on('data', up);
    onward.on('data', (bytes) => {
      this.bytes.down += bytes.length;
      if (!client.destroyed) client.write(bytes);
    });
    client.on('end', () => onward.end());
    onward.on('close', () => {
      client.end();
      this.#pairs.delete(pair);
    });
  }

  /** Reads request heads from one connection, and passes over bodies; false for a request that is blocked. */
  #notebook() {
    let text = '';
    let body = 0;
    let upgraded = false;
    return (bytes) => {
      if (upgraded) return true;
      text += bytes.toString('latin1');
      for (;;) {
        const passed = Math.min(body, text.length);
        body -= passed;
        text = text.slice(passed);
        const end = text.indexOf('\r\n\r\n');
        if (body || upgraded || end < 0) return true;
        const request = text.slice(0, end);
        text = text.slice(end + 4);
        if (this.blocked.some((pattern) => pattern.test(request))) return false;
        this.requests.push(request.split(' ', 2).join(' '));
        this.cookie = /^cookie: *(.*)$/im.exec(request)?.[1] ?? '';
        upgraded = /^upgrade: *websocket/im.test(request);
        body = Number(/^content-length: *(\d+)/im.exec(request)?.[1] ?? 0);
      }
    };
  }
}

async function connect(host, port) {
  const socket = net.connect({ host, port });
  await once(socket, 'connect');
  return socket;
}

async function destination(read) {
  const [, , , kind] = await read(4);
  let host;
  if (kind === DOMAIN) host = (await read((await read(1))[0])).toString('latin1');
  else if (kind === IPV4) host = [...(await read(4))].join('.');
  else host = `[${(await read(16)).toString('hex')}]`;
  return { host, port: (await read(2)).readUInt16BE() };
}

/** Reads exact numbers of bytes from a socket; `rest` gives what came beyond and lets the socket go. */
function reader(socket) {
  let buffer = Buffer.alloc(0);
  let wake = () => {};
  const keep = (bytes) => {
    buffer = Buffer.concat([buffer, bytes]);
    wake();
  };
  const end = () => wake();
  socket.on('data', keep).on('close', end);
  const read = async (length) => {
    while (buffer.length < length) {
      if (socket.destroyed) throw new Error('the connection ended early');
      await new Promise((resolve) => (wake = resolve));
    }
    const taken = buffer.subarray(0, length);
    buffer = buffer.subarray(length);
    return taken;
  };
  read.rest = () => {
    socket.off('data', keep).off('close', end);
    return buffer;
  };
  return read;
}
