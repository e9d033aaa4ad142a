/* Guests without a browser who say much in little time, each over a WebSocket. */

import WebSocket from 'ws';

export class Speakers {
  #guests = [];

  /** So many come in. */
  static async gather(room, count) {
    const speakers = new Speakers();
    for (let number = 0; number < count; number++) speakers.#guests.push(await Speaker.arrive(room));
    return speakers;
  }

  /** One of them says these texts; all are in the log when this is done. Gives their sequence numbers. */
  async say(texts, { guest = 0, reply } = {}) {
    const numbers = [];
    for (let from = 0; from < texts.length; from += 50) numbers.push(...(await this.#guests[guest].say(texts.slice(from, from + 50), reply)));
    return numbers;
  }

  /** One after the other says something, so many in a second, for so many seconds. Gives how many were said. */
  async chatter(rate, seconds, text) {
    const begin = performance.now();
    let said = 0;
    const underWay = [];
    while (performance.now() - begin < seconds * 1000) {
      const due = Math.floor(((performance.now() - begin) / 1000) * rate);
      for (; said < due; said++) underWay.push(this.#guests[said % this.#guests.length].say([text(said)]));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(underWay);
    return said;
  }

  end() {
    for (const guest of this.#guests.splice(0)) guest.end();
  }
}

/** Ids are unlike in all of them. */
let count = 0;

class Speaker {
  #waiting = new Map();

  static async arrive(room) {
    const speaker = new Speaker();
    const url = new URL('chat', room.url);
    url.protocol = 'ws:';
    const socket = new WebSocket(url, 'chat');
    speaker.socket = socket;
    await new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the connection was closed')));
      socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', newest: 0 })));
      socket.on('message', (data) => {
        const head = data.subarray(0, 32).toString();
        if (head.startsWith('{"type":"welcome"')) resolve();
        if (!/^\{"type":"(acknowledged|error)"/.test(head)) return;
        const { type, id, seq, message } = JSON.parse(data);
        const waiting = speaker.#waiting.get(id);
        speaker.#waiting.delete(id);
        if (type === 'error') waiting?.reject(new Error(message));
        else waiting?.resolve(seq);
      });
    });
    return speaker;
  }

  say(texts, reply) {
    return Promise.all(texts.map((text) => new Promise((resolve, reject) => {
      const id = `speaker-${count++}`;
      this.#waiting.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ type: 'say', id, text, reply }));
    })));
  }

  end() {
    this.socket.removeAllListeners('close');
    this.socket.terminate();
  }
}
