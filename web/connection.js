/* The connection to the room: opens it, notices when it is dead, opens it again. Knows nothing of the page. */
'use strict';

const SECOND = 1000;
/** How long a circuit and the room may take, from the first packet to the welcome. */
const WELCOME_DEADLINE = 60 * SECOND;
/** An attempt older than this, begun before the network came back, is begun again. */
const STALE = 5 * SECOND;
/** After how long without a frame the room is asked for a sign of life. */
const QUIET = 25 * SECOND;
/** How long that sign may take. */
const PONG_DEADLINE = 20 * SECOND;
const LONGEST_WAIT = 30 * SECOND;

/** Close codes of docs/protocol.md that change what happens next. */
const CLOSE = { roomClosing: 1001, helloLate: 1008, roomFull: 1013, takenOver: 4001 };
/** The shortest wait after some of them: a closing or full room is not helped by haste. */
const GENTLE = { [CLOSE.roomClosing]: 5 * SECOND, [CLOSE.roomFull]: 15 * SECOND };

/**
 * `hello()` gives the first frame, or nothing to stay connected without one; `heard(frame)` gets every frame of
 * the room; `changed(connection)` is called whenever `state`, `cause` or `secondsLeft()` are different.
 *
 * States: `connecting`, `greeting` (open, not welcome yet), `connected`, `waiting`, `stopped`.
 */
class Connection {
  constructor(address, { hello, heard, changed }) {
    Object.assign(this, { address, hello, heard, changed });
    this.state = 'stopped';
    this.cause = undefined;
    this.failures = 0;
    this.everWelcome = false;
  }

  /** Opens the connection now, whatever was planned. */
  open() {
    this.drop();
    const socket = new WebSocket(this.address, 'chat');
    this.socket = socket;
    this.opening = Date.now();
    socket.onopen = () => {
      this.become('greeting');
      this.greet();
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => this.lost(event.code);
    this.timer = setTimeout(() => this.lost(), WELCOME_DEADLINE);
    this.become('connecting');
  }

  /** Says hello (again), if there is something to say. */
  greet() {
    const frame = this.hello();
    if (frame && this.state === 'greeting') this.socket.send(JSON.stringify(frame));
  }

  /** Sends a frame if the room has welcomed this guest; tells whether it did. */
  send(frame) {
    if (this.state !== 'connected' || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** Closes the connection and stays away until `open`. */
  stop(cause) {
    this.drop();
    this.become('stopped', cause);
  }

  /** The person is back, or the network (`online`): try at once, or ask for a sign of life. */
  wake({ online = false } = {}) {
    if (this.state === 'waiting' && !GENTLE[this.cause]) this.open();
    else if (this.state === 'connecting' && online && Date.now() - this.opening > STALE) this.open();
    else if (this.state === 'connected' && Date.now() - this.lastHeard > STALE) this.ask();
  }

  /** Whole seconds until the next attempt. */
  secondsLeft() {
    return Math.max(1, Math.ceil((this.retryAt - Date.now()) / SECOND));
  }

  receive(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (!frame || typeof frame !== 'object') return;
    this.lastHeard = Date.now();
    if (frame.type === 'welcome') {
      this.failures = 0;
      this.everWelcome = true;
      this.listen();
      this.become('connected');
    } else if (this.asked) {
      this.listen();
    }
    this.heard(frame);
  }

  /** Waits for silence. */
  listen() {
    clearTimeout(this.timer);
    this.asked = false;
    const check = () => {
      const rest = this.lastHeard + QUIET - Date.now();
      if (rest > 0) this.timer = setTimeout(check, rest);
      else this.ask();
    };
    check();
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lost(), PONG_DEADLINE);
    this.send({ type: 'ping' });
  }

  lost(code) {
    this.drop();
    if (code === CLOSE.takenOver || (code === CLOSE.helloLate && !this.hello())) {
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

  /** Lets go of the socket without waiting for its end: a dead circuit never answers. */
  drop() {
    clearTimeout(this.timer);
    this.asked = false;
    const socket = this.socket;
    this.socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  become(state, cause) {
    this.state = state;
    this.cause = cause;
    this.changed(this);
  }
}
