/* The transports for where no WebSocket gets through: server-sent events and long polling. Loaded when two attempts with one came
   to nothing, and requests are answered. */
'use strict';

/** How long the room may hold a long poll, in seconds. */
const POLL_WAIT = 20;
/** How often a polling page asks for the roster. */
const ROSTER_EVERY = 15 * SECOND;
/** Above so many guests the room is a crowd: how many they are is asked for, not who. */
const OCCUPANCY_ABOVE = 100;
/** After how long on another transport the WebSocket is tried again. */
const TRIAL = 5 * 60 * SECOND;

/** What speaking in requests has in common. A class on top of it listens. */
class RequestWire {
  constructor(base, on) {
    this.on = on;
    this.ending = new AbortController();
    queueMicrotask(() => this.ending.signal.aborted || on.open());
  }

  send(frame) {
    if (this.ending.signal.aborted) return false;
    const ask = () => this[frame.type](frame).catch((error) => this.failed(error, frame));
    /* One after the other, so that what is said first is first. */
    if (frame.text) this.saying = Promise.resolve(this.saying).then(ask);
    else ask();
    return true;
  }

  close() {
    this.ending.abort();
  }

  async hello({ after, epoch, newest, private: number, type, ...guest }) {
    const welcome = await this.ask('POST', 'guests', guest);
    this.token = welcome.token;
    this.epoch = welcome.room.epoch;
    await this.listen(welcome, new URLSearchParams({ ...(after !== undefined && { after, epoch }), newest, private: number }));
  }

  /** What follows a message is read as what is around it: other pages are not as messages are now. */
  async history({ before, after, around = after + 1, limit }) {
    const page = await this.ask('GET', `messages?${before ? `before=${before}` : `around=${around}`}&limit=${limit}`);
    this.same(page) && this.on.heard({ before, ...page, type: 'history' });
  }

  /** The room may have been opened anew since the welcome; a new hello finds out what that means. */
  same({ epoch }) {
    if (epoch !== this.epoch) this.lost();
    return epoch === this.epoch;
  }

  /** Outlives this wire, and the page. */
  async leave() {
    const headers = { authorization: `Bearer ${this.token}` };
    await fetch(new URL(`rooms/${here}/guests/me`, connection.base), { method: 'DELETE', headers, keepalive: true });
  }

  async post(path, { type, ...body }) {
    this.on.heard({ type: 'acknowledged', ...(await this.ask('POST', path, body)) });
  }

  say(frame) {
    return this.post('messages', frame);
  }

  whisper(frame) {
    return this.post('private', frame);
  }

  typing() {
    return this.fetch('POST', 'typing');
  }

  async rename({ name }) {
    const guest = await this.ask('PATCH', 'guests/me', { name });
    this.on.heard({ type: 'renamed', guest, was: guest.name });
  }

  act(frame) {
    return this.post(`${frame.type}s`, frame);
  }

  async held() {
    this.on.heard(await this.ask('GET', 'held'));
  }

  async waiting() {
    this.on.heard({ type: 'waiting', ...(await this.ask('GET', 'waiting')) });
  }

  claim(frame) {
    return this.act(frame);
  }

  async ping() {
    await this.fetch('HEAD', `../${here}`);
    this.on.heard({ type: 'pong' });
  }

  async ask(...request) {
    const answer = await (await this.fetch(...request)).json();
    if (this.ending.signal.aborted) throw new DOMException('', 'AbortError');
    this.on.sign();
    return answer;
  }

  /** Makes a request, again in its turn if that was too fast; throws what else the room has against it. */
  async fetch(method, path, body) {
    const answer = await request(method, path, body, this.token, this.ending.signal);
    if (answer.ok) return answer;
    const refusal = await answer.json();
    const wait = Number(answer.headers.get('retry-after')) || 1;
    /* A passphrase is typed again. */
    if (answer.status !== 429 || body?.identity || body?.password) throw { refusal: { ...refusal, retry_after: wait } };
    this.on.sign();
    await new Promise((resolve) => setTimeout(resolve, wait * SECOND));
    return this.fetch(method, path, body);
  }

  failed({ refusal }, { type, id }) {
    if (this.ending.signal.aborted) return;
    const { code, detail } = refusal ?? {};
    if (!code) return this.lost();
    this.on.heard({ ...refusal, type: 'error', message: detail, id });
    if (code === 'room_full') this.lost(CLOSE.roomFull);
    /* With the hello ends what listens. */
    if (code === 'not_kept' && type === 'hello') this.lost(code);
  }

  lost(code) {
    if (this.ending.signal.aborted) return;
    this.close();
    this.on.lost(code);
  }
}

/** Server-sent events: one answer that goes on. Read by hand, because EventSource sends no token in a header, and
    keeps signs of life to itself. */
class EventWire extends RequestWire {
  async listen(welcome, query) {
    const answer = await this.fetch('GET', `events?${query}`);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ; ) {
      const { value, done } = await reader.read();
      if (done) return this.lost();
      this.on.sign();
      const events = (text + value).split('\n\n');
      text = events.pop();
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event);
        if (data) this.hear(JSON.parse(data[1]));
      }
    }
  }

  hear(frame) {
    if (this.ending.signal.aborted) return;
    this.on.heard(frame);
    if (frame.code === 'taken_over') this.lost(CLOSE.takenOver);
  }
}

/** Long polling: a question that is answered when there is something, again and again. */
class PollWire extends RequestWire {
  async listen(welcome, query) {
    let after, next;
    for (let known = Date.now(); ; query = new URLSearchParams({ after, epoch: this.epoch, private: next, wait: POLL_WAIT })) {
      const answer = await this.ask('GET', `messages?${query}`);
      if (!this.same(answer)) return;
      if (after === undefined) this.on.heard({ ...welcome, after: answer.after, cursor: answer.cursor });
      if (answer.gap) this.on.heard({ type: 'gap', ...answer.gap });
      for (const message of answer.messages) this.on.heard({ type: 'message', ...message });
      answer.private.events.forEach(this.on.heard);
      next = answer.private.next;
      if (after !== undefined) {
        this.on.heard({ type: 'doors', doors: answer.doors });
        this.on.heard({ type: 'storage', available: answer.storage_available !== false });
        this.on.heard({ type: 'waiting', count: answer.waiting });
      }
      after = answer.messages.at(-1)?.seq ?? (answer.gap ? answer.gap.before - 1 : answer.after);
      if (Date.now() - known < ROSTER_EVERY) continue;
      known = Date.now();
      if (answer.count > OCCUPANCY_ABOVE) this.on.heard({ type: 'crowd', count: answer.count });
      else this.on.heard({ type: 'roster', guests: (await this.ask('GET', '../main')).guests });
    }
  }
}

/* What a connection does beside, on one of them. */
assign(Connection.prototype, {
  /** Opens the best transport beside the present one, and changes over if that works. */
  tryBest() {
    if (this.rung === 0 || this.trial || this.state !== 'connected') return;
    const trial = new SocketWire(this.base, {
      open: () => {
        this.rung = 0;
        this.open();
      },
      lost: () => this.planTrial(),
    });
    this.trial = trial;
  },

  planTrial() {
    this.dropTrial();
    if (this.rung > 0) this.trialTimer = setTimeout(() => this.tryBest(), TRIAL);
  },

  dropTrial() {
    clearTimeout(this.trialTimer);
    this.trial?.close();
    this.trial = undefined;
  },
});

WIRES.push({ Wire: EventWire, name: tr('events') }, { Wire: PollWire, name: tr('polling') });
