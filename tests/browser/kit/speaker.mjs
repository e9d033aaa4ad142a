/* A guest without a browser, with a name, who says things and does something about messages, by JSON over HTTP. */

export class Speaker {
  #ending = new AbortController();
  #done = 0;

  /** Comes in under this name, and is present until `leave` or `vanish`. */
  static async arrive(room, name) {
    const speaker = new Speaker();
    speaker.name = name;
    speaker.base = new URL('rooms/main/', room.url);
    const welcome = await speaker.#ask('POST', 'guests', { name });
    speaker.token = welcome.token;
    speaker.id = welcome.guest.id;
    const events = await fetch(new URL('events', speaker.base), { headers: speaker.#headers(), signal: speaker.#ending.signal });
    events.body.pipeTo(new WritableStream()).catch(() => {});
    return speaker;
  }

  /** Says something, in answer to another message if its number is given; the number of what was said. */
  async say(text, reply) {
    return (await this.#ask('POST', 'messages', { id: `say-${++this.#done}`, text, reply })).seq;
  }

  /** Does something about messages, or in the room. */
  async act(act) {
    return (await this.#ask('POST', 'acts', { id: `act-${++this.#done}`, ...act })).seq;
  }

  /** Says something to one guest alone. */
  whisper(to, text) {
    return this.#ask('POST', 'private', { id: `whisper-${++this.#done}`, to, text });
  }

  /** Has the room tell that this guest is writing. */
  types() {
    return this.#ask('POST', 'typing');
  }

  /** The connection is lost. */
  vanish() {
    this.#ending.abort();
  }

  /** Says goodbye. */
  async leave() {
    await this.#ask('DELETE', 'guests/me');
    this.vanish();
  }

  #headers() {
    return { 'content-type': 'application/json', ...(this.token && { authorization: `Bearer ${this.token}` }) };
  }

  async #ask(method, path, body) {
    const answer = await fetch(new URL(path, this.base), { method, headers: this.#headers(), body: body && JSON.stringify(body), signal: this.#ending.signal });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }
}
