/* The connection to the room: opens it, notices when it is broken, reconnects. Knows nothing of the page. */
'use strict';

/** How long a circuit and the room may take, from the first packet to the welcome. */
const WELCOME_DEADLINE = 60 * SECOND;
/** An attempt older than this, begun before the network came back, is begun again. */
const STALE = 5 * SECOND;
/** The heartbeat: after how long without a frame a ping is sent. */
const QUIET = 25 * SECOND;
/** How long the pong may take. */
const PONG_DEADLINE = 20 * SECOND;
/** After how long without a frame a message that is not confirmed is a reason to ask; and how long the pong may take then.
    On a slow circuit: so many round trips. */
const LATE = 4 * SECOND;
const LATE_DEADLINE = 10 * SECOND;
const LATE_TRIPS = 4;
/** How long the pong may take where the room is there, and lets the guest wait: it has a rate limit. */
const TURN_DEADLINE = 60 * SECOND;
const LONGEST_WAIT = 30 * SECOND;
/** After how many attempts without a frame another transport is tried. */
const TRIES = 2;

/** Close codes of docs/protocol.md that change what happens next. */
const CLOSE = { roomClosing: 1001, helloLate: 1008, roomFull: 1013, takenOver: 4001, banned: 4003 };
/** The shortest wait after some of them: a closing or full room is not helped by haste. */
const GENTLE = { [CLOSE.roomClosing]: 5 * SECOND, [CLOSE.roomFull]: 15 * SECOND, locked: 15 * SECOND };

/**
 * `hello()` gives the first frame, or nothing to stay connected without one; `heard(frame)` gets every frame of
 * the room; `changed(connection)` is called whenever `state`, `late`, `cause` or `secondsLeft()` are different.
 *
 * States: `connecting`, `greeting` (open, not welcome yet), `connected`, `waiting`, `stopped`.
 */
class Connection {
  constructor(base, { hello, heard, changed }) {
    assign(this, { base, hello, heard, changed });
    /** Which of the WIRES is taken, and how often nothing came over it. */
    this.rung = 0;
    this.misses = 0;
    this.state = 'stopped';
    this.cause = undefined;
    this.failures = 0;
    this.everWelcome = false;
    /** The ids of what was said and is neither confirmed nor refused. */
    this.unanswered = new Set();
    /** The longest of the latest round trips, in milliseconds. */
    this.trip = 0;
    /** Why an answer takes longer than it should: `silent`, or `turn` if the room is there and lets this guest wait. */
    this.late = undefined;
    /** Whether it did the last time. */
    this.slow = false;
  }

  /** Opens the connection now, whatever was planned. */
  open() {
    this.drop();
    this.reached = false;
    this.opening = Date.now();
    this.wire = new WIRES[this.rung].Wire(this.base, {
      open: () => {
        this.become('greeting');
        this.greet();
      },
      sign: () => this.alive(),
      heard: (frame) => this.receive(frame),
      lost: (code) => this.lost(code),
    });
    this.timer = setTimeout(() => this.lost(), WELCOME_DEADLINE);
    this.become('connecting');
  }

  /** Sends the hello (again), if there is one. */
  greet() {
    const frame = this.hello();
    this.asked = Date.now();
    if (frame && this.state === 'greeting') this.wire.send(frame);
  }

  /** Sends a frame if the room has welcomed this guest; tells whether it did. */
  send(frame) {
    if (this.state !== 'connected' || !this.wire.send(frame)) return false;
    if (frame.text) {
      this.unanswered.add(frame.id);
      this.lastSaid = Date.now();
      this.watch();
    }
    return true;
  }

  /** Looks whether what was said is confirmed in time. */
  watch() {
    clearTimeout(this.watching);
    if (this.late || !this.unanswered.size) return;
    const patience = Math.max(LATE, LATE_TRIPS * this.trip);
    const rest = Math.max(this.lastHeard, this.lastSaid) + patience - Date.now();
    if (rest > 0) {
      this.watching = setTimeout(() => this.watch(), rest);
      return;
    }
    const deadline = Math.max(LATE_DEADLINE, LATE_TRIPS * this.trip);
    this.late = this.slow ? 'turn' : 'silent';
    this.ask(deadline);
    this.changed(this);
    const { wire } = this;
    this.reachable(deadline).then((answered) => answered && wire === this.wire && this.late && this.waitTurn());
  }

  waitTurn() {
    this.slow = true;
    this.late = 'turn';
    this.until = Date.now() + TURN_DEADLINE;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lost(), TURN_DEADLINE);
    this.changed(this);
  }

  /** Whether a request gets through. */
  reachable(deadline) {
    const request = { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(deadline) };
    return fetch(this.base, request).then(({ ok }) => ok, () => false);
  }

  /** Closes the connection and stays away until `open`. */
  stop(cause) {
    this.drop();
    this.become('stopped', cause);
  }

  /** The person is back, or the network (`online`): try at once, or send a ping. */
  wake({ online = false } = {}) {
    if (this.state === 'waiting' && !GENTLE[this.cause]) this.open();
    else if (this.state === 'connecting' && online && Date.now() - this.opening > STALE) this.open();
    else if (this.state === 'connected' && Date.now() - this.lastHeard > STALE) this.ask();
    if (online) this.tryBest?.();
  }

  /** Whole seconds until the next attempt. */
  secondsLeft() {
    return Math.max(1, Math.ceil((this.retryAt - Date.now()) / SECOND));
  }

  /** The transport, if it is not the best one. */
  get way() {
    return WIRES[this.rung].name;
  }

  /** A frame was received. */
  alive() {
    this.lastHeard = Date.now();
    if (this.asked && !this.late) this.trip = Math.max(this.lastHeard - this.asked, this.trip * 0.8);
    if (this.asked && this.state === 'connected') this.listen();
    if (!this.late) return;
    this.late = undefined;
    this.watch();
    this.changed(this);
  }

  receive(frame) {
    if (!frame || typeof frame !== 'object') return;
    if (frame.type === 'pong' && this.late) this.slow = true;
    this.alive();
    this.reached = true;
    this.unanswered.delete(frame.id);
    this.slow &&= this.unanswered.size > 0;
    if (frame.type === 'welcome') {
      this.failures = this.misses = 0;
      this.everWelcome = true;
      this.listen();
      this.planTrial?.();
      this.become('connected');
    }
    this.heard(frame);
  }

  /** Starts the heartbeat's timer. */
  listen() {
    clearTimeout(this.timer);
    this.asked = undefined;
    const check = () => {
      const rest = this.lastHeard + QUIET - Date.now();
      if (rest > 0) this.timer = setTimeout(check, rest);
      else this.ask();
    };
    check();
  }

  ask(deadline = PONG_DEADLINE) {
    const until = Date.now() + deadline;
    if (this.asked && until >= this.until) return;
    this.until = until;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lost(), deadline);
    if (this.asked) return;
    this.asked = Date.now();
    this.send({ type: 'ping' });
  }

  /** No frame of the room. If requests get through, this transport is blocked; if not, the room is away. */
  async missed() {
    if (++this.misses < TRIES) return;
    this.misses = 0;
    this.rung = (await this.reachable(WELCOME_DEADLINE)) && (await bring('requests.js')) ? Math.min(this.rung + 1, WIRES.length - 1) : 0;
  }

  lost(code) {
    if (!this.reached) this.missed();
    this.drop();
    if (code === CLOSE.takenOver || code === CLOSE.banned || (code === CLOSE.helloLate && !this.hello())) {
      this.become('stopped', code);
      return;
    }
    /* Half of the wait is chance, so that a room that comes back is not met by everyone at once. */
    const longest = Math.min(LONGEST_WAIT, 2 * SECOND * 2 ** this.failures++);
    const wait = Math.max(GENTLE[code] ?? SECOND, longest * (0.5 + Math.random() / 2));
    this.retryAt = Date.now() + wait;
    const tick = () => {
      const rest = this.retryAt - Date.now();
      if (rest <= 0) return this.open();
      this.timer = setTimeout(tick, Math.min(rest, SECOND));
      this.changed(this);
    };
    this.state = 'waiting';
    this.cause = code;
    tick();
  }

  drop() {
    clearTimeout(this.timer);
    clearTimeout(this.watching);
    this.dropTrial?.();
    this.asked = undefined;
    this.late = undefined;
    this.slow = false;
    this.unanswered.clear();
    this.wire?.close();
    this.wire = undefined;
  }

  become(state, cause) {
    this.state = state;
    this.cause = cause;
    this.changed(this);
  }
}
