/* The page: brings the connection, the log, the people and the composer together. */
'use strict';

const composer = new Composer({
  form: element('say-form'),
  text: element('text'),
  left: element('room-left'),
  note: element('note'),
  changed() {
    kept.set('draft', draft());
    talk.suggest?.();
  },
  async say(text) {
    /* What may be a command is sent by none who does not know that. */
    if (COMMAND.test(text) && !(await help())) return composer.takeBack(text);
    if (talk.said) talk.said(text);
    else unsaid.add(text);
    showEmpty();
    log.toEnd();
  },
});
/** What stands in the box, with the command that says for whom, if it is for one guest alone. */
const draft = () => (talk.begun?.to ? `/msg ${talk.begun.to_name} ` : '') + element('text').value;
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
  newest: element('newest'),
  older: element('older'),
  beginning: element('kept'),
  more: (place) => connection.send({ type: 'history', limit: PAGE, ...place }),
  ended: () => look(),
});
const unsaid = new Unsaid(element('unsaid'), {
  send: (frame) => connection.send(frame),
  edit({ to, to_name, text }) {
    if (to) talk.begin({ to, to_name });
    composer.takeBack(text);
  },
  follows: () => log.lastIsMine,
});

/** So many of the newest messages are brought when the page opens, */
const NEWEST = 100;
/** when it comes back to where it was, */
const MISSED = 300;
/** and so many older ones when the reader scrolls up. */
const PAGE = 100;

/** How long it may take until what was said before the welcome is here. */
const LONGEST_CATCH_UP = 20 * SECOND;
/** The timer of that, until it is here. */
let catchingUp;

/** The cursor: the newest message that the page has. */
let cursor;
/** The room's epoch, which goes back to it with the cursor. */
let epoch;
/** When the room opened, on this guest's clock. */
let opened;
/** Messages up to here are history. */
let head = 0;
/** How many messages were said here, up to the cursor. */
let said;
/** The guest's numbers in this room. */
const mine = new Set();
/** Whether the room cannot write at the moment. */
let storageAway = false;
/** What became of this guest by a link, or on the way to another room, to be told below what was said before. */
let became;
let roomTitle = document.title;
let unread = 0;
/** The newest message that the reader has looked at; kept when they look away, for the line where the unread begin. */
let looked;
/** Whether what is unread now is below that line. */
let marked = false;
/** The room that the guest comes from, on the way to another one: until its welcome what comes is of the one before. */
let going;
/** What knows the other rooms, once there are some: rooms.js, which comes with governed.js. */
const rooms = {};
/** What guests do with messages, once it is loaded: talk.js. `editable` is for how many seconds they can change their own, `begun`
    what is being written, if that is no plain message. */
const talk = {};
/** What was done to messages, and what is for this guest alone, that talk.js has not taken account of. */
const annotations = [];
const annotated = (event) => annotations.push(event) && (talk.annotate ? talk.annotate() : bring('talk.js'));
/** Private messages have a cursor of their own. */
function whispered(event) {
  talk.lastWhisper = event.number ?? event.before - 1;
  annotated(event);
}
/** What a text has that talk.js shows in another way, perhaps. */
const RICH = /[`*_@]|^(?:[>•\-\d]|\/me )/m;
/* It is asked for when the guest does something, also with each key (around.js), or when a message needs it: who opens the room and reads plain texts is spared it. */
window.onpointerover = () => bring('talk.js');
/** How a command begins; some keyboards have a slash as wide as their other letters. */
const COMMAND = /^\s*[/／]/;
/** Acts that are shown at a message, and not in a line of their own. */
const isAnnotation = ({ act }) => act === 'edit' || act === 'react';

const connection = new Connection(new URL('.', location.href), {
  hello: () => (naming.needed ? undefined : {
    type: 'hello', room: here === 'main' && !going ? undefined : here, name: seat.name, token: seat.token, after: cursor, epoch, newest: cursor === undefined ? NEWEST : MISSED, private: talk.lastWhisper ?? 0, invite, ...naming.brings,
  }),
  heard(frame) {
    if (going && !/^(welcome|error)$/.test(frame.type)) return;
    handlers[frame.type]?.(frame);
    if (/^private/.test(frame.type)) whispered(frame);
    talk.heard?.(frame);
  },
  changed(connection) {
    showStatus(connection);
    doors.changed?.();
  },
});

/* The room's events. */

const handlers = {
  __proto__: null,

  welcome(welcome) {
    going = undefined;
    if (welcome.rooms) govern().then(() => rooms.told(welcome));
    doors.welcomed?.(welcome);
    doors.told(welcome.doors);
    storageAway = welcome.storage_available === false;
    epoch = welcome.room.epoch;
    opened = Date.now() - welcome.clock * SECOND;
    seat.welcomed(welcome.token);
    /* Where what follows begins, and whether older messages are kept. */
    const { after, first, cursor: known } = welcome;
    const reach = after < first ? 0 : after;
    if (cursor === undefined) {
      log.begin(reach);
      const [guest, seen] = kept.get('looked')?.split(' ') ?? [];
      if (guest === `${welcome.guest.id}`) looked = Number(seen);
      if (looked < welcome.head) markNew(looked);
      if (aim) lead();
    } else if (known !== cursor) {
      /* The room has less of what was read here, as its log was set back, or nothing, as it does not know our epoch. */
      const setBack = known !== undefined;
      if (!setBack) mine.clear();
      unsaid.forgotten();
      deleted = [];
      looked = setBack ? Math.min(looked ?? known, known) : undefined;
      /* Where everything that follows comes, what is shown stays. */
      const stays = !log.rest && (setBack ? after === known : !reach);
      if (!stays) log.begin(reach);
      log.line(
        setBack ? 'The room was set back to an earlier state.' : 'The room was started anew.',
        !stays ? '' : setBack ? ' What was said last is kept only on this page.' : ' What was said before is kept only on this page.',
      );
      if (stays) log.anew(known);
    } else if (after > cursor) {
      /* More was missed than is brought: it is above, with the rest; or below, for who reads further up. */
      if (log.atEnd) {
        const whispers = log.items.filter(({ to }) => to);
        log.begin(reach);
        for (const whisper of whispers) log.add(whisper);
      } else log.rest ||= cursor;
      markNew(Math.min(looked ?? cursor, cursor));
    }
    log.replaced = welcome.replaced ?? [];
    cursor = after;
    for (const id of ['kept', 'kept-here']) element(id).textContent = keptWords(welcome.kept);
    head = welcome.head;
    said = welcome.said;
    composer.limit = welcome.limits.message_bytes;
    talk.editable = welcome.limits.edit_seconds ?? 0;
    mine.add(welcome.guest.id);
    people.me = welcome.guest.id;
    people.waiting = welcome.waiting;
    people.replace(welcome.guests, welcome.count);
    decided(welcome);
    element('badge-shown').replaceChildren(badgeNode(people.me));
    titled(welcome.room.title);
    complain();
    closeNaming();
    const wanted = seat.name;
    called(welcome.guest.name);
    if (welcome.resumed && wanted && wanted !== welcome.guest.name) connection.send({ type: 'rename', name: wanted });
    log.asking = false;
    clearTimeout(catchingUp);
    /* The newest message may have been trimmed, and then it does not come. */
    catchingUp = setTimeout(caughtUp, LONGEST_CATCH_UP);
    log.said.ariaBusy = 'true';
    if (cursor >= head) caughtUp();
    showEmpty();
    showStatus(connection);
    unsaid.attemptAll();
    composer.showLeft();
    const role = invite && invite === claim && roleOf(people.me);
    if (role) {
      /* The hello has used the link. */
      became = `You are a ${ROLES[role]} of this room now.`;
      claim = undefined;
    }
    takeRole();
    invite = naming.brings = undefined;
    talk.welcomed?.();
    tools.welcomed?.();
  },

  message(message) {
    const { seq, guest, id } = message;
    if (seq <= cursor) return;
    cursor = seq;
    if (seq > head) said++;
    const own = mine.has(guest);
    if (own) unsaid.remove(id);
    const live = seq > head && !log.has({ guest, id });
    const heard = live && !own && !talk.hides?.(message);
    const looking = attentive() && log.atEnd;
    if (heard && !looking && !marked) markNew(seq - 1);
    log.message(shown(message));
    if (catchingUp && seq >= head) caughtUp();
    if (looking) looked = seq;
    if (heard && !attentive()) {
      unread++;
      bring('talk.js').then(() => showTitle(message));
    }
    showEmpty();
  },

  title(event) {
    /* What the welcome said is newer than what came before it. */
    if (told(event) && event.seq > head) titled(event.title);
  },

  act(event) {
    const now = event.seq > head;
    if (event.act === 'announce') handlers.message(event);
    else if (isAnnotation(event)) told(event) && annotated(event);
    else if (told(event)) follow(event, now);
  },

  policy: decided,

  unknown: (event) => told(event) && tools.ask?.(),

  held: (event) => tools.queued?.(event),

  rooms: (news) => rooms.told?.(news),

  deleted(event) {
    if (told({ ...event, act: 'gone', at: roomTime() })) unsaid.passedOver(cursor);
  },

  history({ before, after, messages }) {
    messages = messages.filter((message) => !isDeleted(message));
    for (const { guest, id } of messages) if (mine.has(guest)) unsaid.remove(id);
    log.paged(before, after, messages);
  },

  doors: (event) => doors.told(event.doors),

  storage: ({ available }) => wrote(available),

  waiting({ count, guests = [] }) {
    assign(people, { waiting: count, newcomers: guests });
    tools.changed?.();
  },

  acknowledged(answer) {
    const { id, number, seq = number } = answer;
    wrote(true);
    if (id === claimId) claim = undefined;
    if (talk.answered?.(answer)) return;
    if (!number && unsaid.messages.has(id)) spoke = Date.now();
    showLimits();
    unsaid.acknowledged(id, seq, seq <= (number ? talk.lastWhisper : cursor), answer.held);
  },

  /* The next message shows how many are missing. */
  gap({ before }) {
    cursor = Math.max(cursor, before - 1);
    unsaid.passedOver(cursor);
  },

  joined({ guest, at }) {
    if (people.put(guest) === undefined && guest.id !== people.me) log.presence(tr('joined'), guest.name, timeOf(at));
  },

  left({ guest, at }) {
    if (people.remove(guest)) log.presence(tr('left'), guest.name, timeOf(at));
  },

  /* Who changes circuits or loads the page again is not talked about. */
  away: ({ guest }) => people.put(guest),
  back: ({ guest }) => people.put(guest),

  renamed({ guest, was }) {
    if (people.put(guest) === guest.name) return;
    if (guest.id === people.me) {
      called(guest.name);
      closeNaming();
      log.line(...phrase`You are now called ${nameNode(guest.name)}`);
    } else {
      log.line(...phrase`${nameNode(was)} is now called ${nameNode(guest.name)}`);
    }
  },

  roster({ guests }) {
    people.replace(guests);
  },

  crowd({ count }) {
    people.tally(count);
  },

  error(answer) {
    const { code, message, id, doors: others } = answer;
    if (talk.answered?.(answer)) return;
    if (going || code === 'unknown_room') {
      /* The seat is where it was, and what was shown of that room is not: the page comes back as after a break. Where something has to
         be brought along, it is asked for at the door of the other room. */
      if (!ENTRY.test(code) && !code.startsWith('name_')) {
        here = code === 'unknown_room' ? 'main' : going;
        became = message;
      }
      going = aim = undefined;
      showRoom();
      return connection.open();
    }
    if (code === 'room_full') doors.told(others);
    if (code === 'locked') return connection.lost(code);
    if (unsaid.messages.has(id)) {
      if (code === 'not_kept') return unsaid.later(id);
      if (code === 'slow_mode') return unsaid.later(id, Math.max(SECOND, (spoke ||= Date.now()) + policy.slow * SECOND - Date.now()));
    }
    if (id === claimId && code !== 'not_kept') claim = undefined;
    if (connection.state === 'greeting' && ENTRY.test(code)) return openEntry(answer);
    if (code === 'banned') {
      closeNaming();
      connection.stop(CLOSE.banned);
    }
    if (id !== undefined && unsaid.failed(id, message)) return;
    if (code === 'taken_over' || code === 'room_full') return;
    complain(message);
    if (code.startsWith('name_')) {
      openNaming(connection.state === 'greeting');
    } else if (connection.state === 'greeting' && code === 'wrong_kind') {
      /* A token the room cannot read: come in as a new guest. */
      seat.renew();
      connection.greet();
    } else if (code === 'not_kept') {
      /* The room cannot let this guest in yet, or not give out older messages: each is asked for again. */
      log.asking = false;
      if (connection.state === 'greeting') connection.lost(code);
    }
  },
};

/** What was said before the welcome is here: from now on older messages are asked for. */
function caughtUp() {
  clearTimeout(catchingUp);
  catchingUp = undefined;
  log.said.ariaBusy = 'false';
  if (log.atEnd) log.toEnd();
  log.scrolled();
  showLimits();
  doors.caughtUp?.();
  showTitle();
  if (became) log.line(became);
  became = undefined;
}

/** Whether the room can write what is said. */
function wrote(available) {
  if (storageAway === !available) return;
  storageAway = !available;
  showStatus(connection);
  if (available) unsaid.attemptAll();
}

async function start() {
  element('room').hidden = false;
  for (let tries = 5; brought && !doors.changed && tries; tries--) await bring('moving.js');
  composer.set(kept.get('draft') ?? '');
  if (matchMedia('(pointer: fine)').matches) composer.focus();
  await seat.find();
  doors.arrived?.();
  connection.open();
}
start();
