/* Many guests without a browser: each holds a seat with a stream of events, which nobody looks at. */

/** A text of which there are many. */
export const said = (number) => `message ${number} of many, as long as what people say`;

export class ManyGuests {
  #guests = [];

  constructor(room) {
    this.base = new URL('rooms/main/', room.url);
  }

  /** So many more come in. */
  async gather(count) {
    for (let number = 0; number < count; number++) {
      const welcome = await (await this.#ask('POST', 'guests')).json();
      const guest = { token: welcome.token, name: welcome.guest.name, ending: new AbortController() };
      const { body } = await this.#ask('GET', 'events', guest);
      body.pipeTo(new WritableStream()).catch(() => {});
      this.#guests.push(guest);
    }
  }

  /** So many say goodbye. */
  async disperse(count) {
    for (const guest of this.#guests.splice(-count)) {
      await this.#ask('DELETE', 'guests/me', guest);
      guest.ending.abort();
    }
  }

  get names() {
    return this.#guests.map(({ name }) => name);
  }

  /** The connection of one is lost. */
  away() {
    this.#guests.at(-1).ending.abort();
  }

  /** One of them says something, in answer to another message if its number is given. */
  async say(text, number = 0, reply) {
    await this.#ask('POST', 'messages', this.#guests[number], { id: text.replaceAll(/\W/g, '-').slice(-64), text, reply });
  }

  /** One of them says these numbers of what `said` gives, one after the other. */
  async sayMany(from, to) {
    for (let number = from; number <= to; number++) {
      await this.#ask('POST', 'messages', this.#guests[0], { id: `many-${number}`, text: said(number) });
    }
  }

  /** All are gone at once. */
  end() {
    for (const { ending } of this.#guests.splice(0)) ending.abort();
  }

  async #ask(method, path, guest, body) {
    const headers = { 'content-type': 'application/json' };
    if (guest) headers.authorization = `Bearer ${guest.token}`;
    const answer = await fetch(new URL(path, this.base), { method, headers, body: body && JSON.stringify(body), signal: guest?.ending.signal });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }
}
