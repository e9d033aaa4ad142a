/* What hosts and moderators have decided: who they are, and who may write. How that is shown and put into words is governed.js,
   which is loaded where there is anything to show; what they do it with is tools.js, for them alone. */
'use strict';

/** As the room has told it last: `topic`, `rules`, `pinned`, `locked`, `slow`, `cap`, and `roles` by guest. */
let policy = { roles: new Map() };
/** When this guest said something last. */
let spoke = 0;
/** What tells the messages that were deleted, so that none comes back with older ones. */
let deleted = [];
const isDeleted = (message) => deleted.some((isGone) => isGone(message));
/** What was loaded later, and wants to know: `follow`, `show` and `words`; `changed`, `came`, `seen`, `entries`, `ask` and `queued`. */
const governed = {}, tools = {};
/** Acts that governed.js has not taken account of. */
let acts = [];
/** The act with which this guest takes the role of a link. */
const claimId = randomId();

/** The acts about reserved names. There are no words for them: who comes in with one uses it anew. */
const NAMES = /reserve|release_/;

/** What the roles are called. */
const ROLES = { host: tr('host'), moderator: tr('moderator'), guest: 'plain guest' };
const roleOf = (guest) => (guest === 0 ? 'host' : policy.roles.get(guest)?.role);

/** Whether there are rules that this guest has not accepted. */
const rulesUnread = () => Boolean(policy.rules && policy.rules !== policy.accepted && shared.get('rules') !== policy.rules && !roleOf(people.me));

/** The whole policy, in place of the one before. */
function decided(told) {
  acts = [];
  policy = { ...told, accepted: policy.accepted, roles: new Map(told.roles?.map((entry) => [entry.of, entry])) };
  showPolicy();
}

function showPolicy() {
  element('topic').textContent = policy.topic ?? '';
  people.show();
  showLimits();
  tools.changed?.();
  if (roleOf(people.me)) bring('talk.js').then((came) => came && bring('tools.js'));
  if (policy.rules || policy.pinned || policy.slow || policy.locked) govern();
}

/** Shows whether this guest may write. */
function showLimits() {
  governed.follow?.();
  element('say-form').hidden = rulesUnread() || connection.cause === CLOSE.banned;
  governed.show?.();
}

/** Loads how all this is shown. */
async function govern() {
  while (!(await bring('governed.js'))) {}
}

/** Does what follows from an act; `now` if the welcome did not tell it already. */
function follow(event, now) {
  const { act, seq, guest, of, role, messages = [] } = event;
  if (/^delete/.test(act)) {
    const gone = (item) => item.seq < seq && (messages.includes(item.seq) || item.guest === of);
    deleted.push(gone);
    deleted.splice(0, deleted.length - STEP);
    talk.gone?.();
    log.erase(gone, guest);
    for (const { id, held } of unsaid.messages.values()) if (gone({ seq: held, guest: people.me })) unsaid.remove(id);
  }
  if (now && act === 'role') {
    policy.roles[role === 'guest' ? 'delete' : 'set'](of, event);
    if (of === people.me) log.line(`You are a ${ROLES[role]} of this room now.`);
  }
  const one = people.guests.get(of ?? guest);
  if (now && one && NAMES.test(act)) one.kept = act === 'reserve' && event.name === one.name;
  acts.push({ ...event, now });
  if (now) showPolicy();
}
