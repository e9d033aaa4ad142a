/* The page: brings the connection, the log, the people and the composer together. */
'use strict';

/* What a reload should not lose. Storage can be forbidden; then the page does without. */
const kept = {
  get(key) {
    try {
      return sessionStorage.getItem(key) ?? undefined;
    } catch {
      return undefined;
    }
  },
  set(key, value) {
    try {
      if (value) sessionStorage.setItem(key, value);
      else sessionStorage.removeItem(key);
    } catch {
      /* The page works without. */
    }
  },
};

const naming = { form: element('name-form'), field: element('name-field'), button: element('name-button') };

const composer = new Composer({
  form: element('say-form'),
  text: element('text'),
  left: element('room-left'),
  note: element('note'),
  changed: (text) => kept.set('draft', text),
  say(text) {
    unsaid.add(text);
    showEmpty();
    log.toEnd();
  },
});
const complain = (sentence) => composer.complain(sentence);
const people = new People({
  list: element('people-list'),
  crowd: element('crowd'),
  counts: document.querySelectorAll('[data-people-count]'),
  button: element('people-button'),
});
const log = new Log({
  scroller: element('scroller'),
  conversation: element('conversation'),
  said: element('said'),
  unsaid: element('unsaid'),
  newest: element('newest'),
});
const unsaid = new Unsaid(element('unsaid'), {
  send: (frame) => connection.send(frame),
  edit: (text) => composer.takeBack(text),
  follows: () => log.last?.mine,
});

/* The guest, and the cursor. */
let token = kept.get('token') ?? randomToken();
let wantedName = kept.get('name');
let cursor;
/** The epoch: the run of the room that the sequence numbers belong to. */
let epoch;
/** When the room opened, on this guest's clock. */
let opened;
/** Messages up to here are history. */
let head = 0;
/** The guest's numbers in this epoch. */
const mine = new Set();
let roomTitle = document.title;
let unread = 0;

const connection = new Connection(new URL('.', location.href), {
  hello: () => (naming.needed ? undefined : { type: 'hello', name: wantedName, token, after: cursor, epoch }),
  heard: (frame) => Object.hasOwn(handlers, frame.type) && handlers[frame.type](frame),
  changed: showStatus,
});

/* The room's events. */

const handlers = {
  welcome(welcome) {
    const afresh = epoch !== undefined && epoch !== welcome.room.epoch;
    epoch = welcome.room.epoch;
    opened = Date.now() - welcome.clock * SECOND;
    token = welcome.token;
    kept.set('token', token);
    holdSeat();
    if (afresh) {
      mine.clear();
      unsaid.forgotten();
      log.line('The room was started anew. What was said before is kept only on this page.');
      cursor = undefined;
    }
    element('kept').textContent = keptWords(welcome.kept);
    cursor ??= 0;
    head = welcome.head;
    composer.limit = welcome.limits.message_bytes;
    mine.add(welcome.guest.id);
    people.me = welcome.guest.id;
    element('badge-shown').replaceChildren(badgeNode(people.me));
    people.replace(welcome.guests, welcome.count);
    roomTitle = welcome.room.title;
    element('title').textContent = roomTitle;
    showTitle();
    complain();
    closeNaming();
    const wanted = wantedName;
    called(welcome.guest.name);
    if (welcome.resumed && wanted && wanted !== welcome.guest.name) connection.send({ type: 'rename', name: wanted });
    log.said.ariaBusy = String(cursor < head);
    showEmpty();
    unsaid.attemptAll();
    composer.showLeft();
  },

  message({ seq, at, guest, name, id, text }) {
    if (seq <= cursor) return;
    cursor = seq;
    const own = mine.has(guest);
    if (own) unsaid.remove(id);
    log.message({ guest, name, text, mine: own, time: timeOf(at) });
    if (seq >= head) log.said.ariaBusy = 'false';
    if (!own && seq > head && !attentive()) {
      unread++;
      showTitle();
    }
    showEmpty();
  },

  acknowledged({ id }) {
    unsaid.acknowledged(id);
  },

  gap({ after, before }) {
    log.line('Messages here are no longer kept.');
    cursor = Math.max(cursor, before - 1);
    unsaid.passedOver();
  },

  joined({ guest, at }) {
    if (people.put(guest) === undefined && guest.id !== people.me) log.presence('joined', guest.name, timeOf(at));
  },

  left({ guest, at }) {
    if (people.remove(guest)) log.presence('left', guest.name, timeOf(at));
  },

  /* Who changes circuits or loads the page again is not talked about. */
  away: ({ guest }) => people.put(guest),
  back: ({ guest }) => people.put(guest),

  renamed({ guest, was }) {
    if (people.put(guest) === guest.name) return;
    if (guest.id === people.me) {
      called(guest.name);
      closeNaming();
      log.line('You are now called ', nameNode(guest.name));
    } else {
      log.line(nameNode(was), ' is now called ', nameNode(guest.name));
    }
  },

  roster({ guests }) {
    people.replace(guests);
  },

  crowd({ count }) {
    people.number(count);
  },

  error({ code, message, id }) {
    if (id !== undefined && unsaid.failed(id, message)) return;
    if (code === 'taken_over' || code === 'room_full') return;
    complain(message);
    if (code.startsWith('name_')) {
      openNaming(connection.state === 'greeting');
    } else if (connection.state === 'greeting' && code === 'wrong_kind') {
      /* A token the room cannot read: come in as a new guest. */
      token = randomToken();
      connection.greet();
    }
  },
};

/** A moment on the room's clock, on this guest's. */
const timeOf = (at) => opened + at * SECOND;

/** The retention, in words. */
function keptWords({ messages, days }) {
  if (!messages) return 'Nothing is kept here.';
  const newest = `Kept here: the newest ${messages} messages`;
  return days ? `${newest}, for ${counted(days, 'day', 'days')}.` : `${newest}.`;
}

/* The status. */

function showStatus({ state, cause, everWelcome, way }) {
  const waiting = state === 'waiting';
  let words = way ? `Connected (${way})` : 'Connected';
  if (state === 'connecting' || state === 'greeting') words = everWelcome ? 'Reconnecting…' : 'Connecting…';
  if (state === 'greeting' && naming.needed) words = 'Choose a name to come in';
  if (waiting) {
    words = everWelcome ? 'Connection lost. Reconnecting' : 'The room does not answer. Trying again';
    if (cause === CLOSE.roomClosing) words = 'The room was closed. Looking for it again';
    if (cause === CLOSE.roomFull) words = 'The room is full. Trying again';
  }
  if (state === 'stopped') {
    words = { [CLOSE.takenOver]: 'This chat went on in another window.', [CLOSE.helloLate]: 'Choose a name to come in' }[cause]
      ?? 'Not connected';
  }
  const shown = element('status-words');
  if (shown.textContent !== words) shown.textContent = words;
  element('status').dataset.state = state;
  element('status-countdown').textContent = waiting ? `in ${connection.secondsLeft()} s` : '';
  const now = element('now');
  now.hidden = !waiting && state !== 'stopped';
  now.textContent = waiting ? 'Now' : 'Continue here';
  if (state !== 'connected') unsaid.interrupted();
}

element('now').addEventListener('click', () => connection.open());
window.addEventListener('online', () => connection.wake({ online: true }));
document.addEventListener('visibilitychange', () => document.hidden || connection.wake());

/* Leaving the page: close in order, and come back if the page does. */
window.addEventListener('pagehide', () => connection.stop());
window.addEventListener('pageshow', (event) => event.persisted && connection.open());
window.addEventListener('beforeunload', (event) => unsaid.any && event.preventDefault());

const attentive = () => !document.hidden && document.hasFocus();

/* Light and dark: Tor Browser tells every page "light", so the guest needs a say. */

function showTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
}
element('theme').addEventListener('click', () => {
  const { dataset } = document.documentElement;
  const dark = dataset.theme ? dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  showTheme(dark ? 'light' : 'dark');
  kept.set('theme', dataset.theme);
});
showTheme(kept.get('theme'));

/* The number of unread messages, in the title. */

function showTitle() {
  document.title = unread ? `(${unread}) ${roomTitle}` : roomTitle;
}

function seen() {
  if (!unread || !attentive()) return;
  unread = 0;
  showTitle();
}
window.addEventListener('focus', seen);
document.addEventListener('visibilitychange', seen);

function showEmpty() {
  const empty = !cursor && !unsaid.messages.size && connection.state === 'connected';
  element('empty').hidden = !empty;
}
if (location.hostname.endsWith('.onion')) element('address').textContent = location.origin;
else element('invitation').textContent = 'Say hello.';

/* The name. */

function called(name) {
  wantedName = name;
  kept.set('name', name);
  element('name-shown').textContent = name;
}

function openNaming(needed) {
  naming.needed = needed;
  if (naming.form.hidden) naming.field.value = wantedName ?? '';
  naming.form.hidden = false;
  element('you').hidden = true;
  element('name-cancel').hidden = needed;
  naming.field.focus();
  naming.field.select();
  showStatus(connection);
}

function closeNaming() {
  naming.needed = false;
  if (naming.form.hidden) return;
  const focused = naming.form.contains(document.activeElement);
  naming.form.hidden = true;
  element('you').hidden = false;
  if (focused) composer.focus();
}

naming.button.addEventListener('click', () => openNaming(false));
element('name-cancel').addEventListener('click', () => {
  complain();
  closeNaming();
});
naming.form.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !naming.needed) element('name-cancel').click();
});
naming.form.addEventListener('submit', (event) => {
  event.preventDefault();
  const name = naming.field.value.trim();
  complain();
  if (naming.needed) {
    wantedName = name || undefined;
    naming.needed = false;
    if (connection.state === 'greeting') connection.greet();
    else connection.open();
  } else if (!name || name === people.nameOf(people.me)) {
    closeNaming();
  } else if (!connection.send({ type: 'rename', name })) {
    complain('Not connected at the moment. Save the name again when the connection is back.');
  }
});

/* Two windows, two guests: a duplicated tab copies the token too, and must not take the first one's seat. The
   lock lives as long as the window. */
let seat;
function holdSeat() {
  if (seat === token) return;
  seat = token;
  navigator.locks?.request(`seat ${token}`, () => new Promise(() => {})).catch(() => {});
}

async function seatIsFree() {
  if (!navigator.locks) return true;
  try {
    await navigator.locks.request(`seat ${token}`, { signal: AbortSignal.timeout(500) }, () => {});
    return true;
  } catch (error) {
    /* Locks are forbidden here, or the other window has it. */
    return error.name !== 'TimeoutError' && error.name !== 'AbortError';
  }
}

async function start() {
  element('room').hidden = false;
  composer.set(kept.get('draft') ?? '');
  if (matchMedia('(pointer: fine)').matches) composer.focus();
  if (!(await seatIsFree())) {
    token = randomToken();
    wantedName = undefined;
  }
  connection.open();
}
start();
