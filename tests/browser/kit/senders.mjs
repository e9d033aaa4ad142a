/* Many guests without a browser who talk: each says something in turn, at an even rate, by JSON over HTTP on connections that
   are kept. */

import http from 'node:http';
import { until } from './until.mjs';

/** What people say: 45 characters, as in the measurements of the hub. */
export const saying = (number) => `What people say to each other, number ${String(number).padStart(7)}`;

export class Senders {
  #agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  #tokens = [];
  #timer;
  #quiet;
  /** How many messages were handed over, how many the room has taken, and how many it has refused. */
  sent = 0;
  taken = 0;
  refused = 0;
  /** The number of the newest message that the room has taken. */
  newest = 0;

  /** `base` is the room's address on this machine. */
  constructor(base) {
    this.base = new URL('rooms/main/', base);
  }

  /** So many come in. */
  async gather(count) {
    for (let left = count; left > 0; left--) {
      const { status, body } = await this.#post('guests', { name: `Guest ${this.#tokens.length + 1}` });
      if (status !== 201) throw new Error(`a guest is refused: ${status} ${body}`);
      this.#tokens.push(JSON.parse(body).token);
    }
  }

  /** One of them says something; resolves when the room has it. */
  async say(text = saying(this.sent)) {
    const number = this.sent++;
    const { status, body } = await this.#post('messages', { id: `message-${number}`, text }, this.#tokens[number % this.#tokens.length]);
    if (status !== 201) {
      this.refused++;
      return;
    }
    this.taken++;
    this.newest = Math.max(this.newest, JSON.parse(body).seq);
  }

  /** So many messages, sixteen at a time. */
  async sayMany(count) {
    let left = count;
    await Promise.all(Array.from({ length: 16 }, async () => {
      while (left-- > 0) await this.say();
    }));
  }

  /** From now on they say so many messages a second together, or fewer where the room does not keep up: then not more than one
      second's worth are on their way. */
  talk(rate) {
    const began = performance.now();
    let due = 0, onWay = 0;
    this.#timer = setInterval(() => {
      for (const end = ((performance.now() - began) * rate) / 1000; due < end && onWay < rate; due++) {
        onWay++;
        this.say().catch(() => this.refused++).finally(() => onWay--);
      }
    }, 10);
    this.#quiet = () => until('all answers', () => onWay === 0, { deadline: 60_000 });
  }

  /** Resolves when the room has answered all. */
  hush() {
    clearInterval(this.#timer);
    return this.#quiet?.();
  }

  end() {
    clearInterval(this.#timer);
    this.#agent.destroy();
  }

  #post(path, content, token) {
    return new Promise((resolve, reject) => {
      const body = Buffer.from(JSON.stringify(content));
      const headers = { 'content-type': 'application/json', 'content-length': body.length, ...(token && { authorization: `Bearer ${token}` }) };
      const request = http.request(new URL(path, this.base), { method: 'POST', agent: this.#agent, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (more) => (text += more)).on('end', () => resolve({ status: answer.statusCode, body: text })).on('error', reject);
      });
      request.on('error', reject);
      request.end(body);
    });
  }
}
