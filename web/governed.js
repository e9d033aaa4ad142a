/* How a guest is shown what hosts and moderators decide: the rules, the pinned message, who may write, and each act in words.
   Loaded where there is anything of it. */
'use strict';
{
  style('governed.css');

  const accept = button('', accepted, 'main');
  const title = 'Rules of this room';
  const text = assign(make('p', 'words'), { dir: 'auto', tabIndex: 0 });
  const rules = assign(make('section', '', make('h2', '', title), text, accept), { id: 'rules', ariaLabel: title, hidden: true });
  const read = button(title, () => {
    element('people').hidePopover();
    rules.hidden = false;
    text.focus();
  });
  const pinned = button('', async () => ((await bring('talk.js')) && talk.jump(policy.pinned.message, 0)) || pinned.classList.toggle('whole'), '');
  pinned.id = 'pinned';
  const limits = assign(make('p', 'quiet'), { id: 'limits' });
  element('scroller').before(pinned);
  element('say-form').before(rules, limits);
  element('leave').before(read);
  /** Until when this guest may say nothing. */
  let mutedUntil = 0;
  let shownRules, timer;

  function accepted() {
    rules.hidden = true;
    shared.set('rules', (policy.accepted = policy.rules));
    showLimits();
    composer.focus();
  }

  /** "10 minutes". */
  function spanWords(seconds) {
    const size = [DAY, HOUR, MINUTE, SECOND].find((size) => seconds * SECOND >= 2 * size) ?? SECOND;
    const unit = { [DAY]: 'day', [HOUR]: 'hour', [MINUTE]: 'minute', [SECOND]: 'second' }[size];
    return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.ceil((seconds * SECOND) / size));
  }

  /** Takes account of an act. */
  function follow({ act, of, at, seconds, locked, guests, text, message, messages = [], said, now, ...more }) {
    const { pinned: last } = policy;
    if (of === people.me && act === 'mute') mutedUntil = seconds ? timeOf(at + seconds) : Infinity;
    if (of === people.me && act === 'unmute') mutedUntil = 0;
    if (!now) return;
    if (act === 'pin') policy.pinned = { message, ...said };
    if (act === 'unpin' || messages.includes(last?.message) || (act === 'delete_all' && of === last?.by)) policy.pinned = undefined;
    if (act === 'slow') policy.slow = seconds;
    if (act === 'lock') policy.locked = locked;
    if (/^(approval|invited_only|password|typing)$/.test(act)) policy[act] = more[act];
    if (act === 'private') policy.no_private = !more.private;
    if (act === 'identities') policy.identities_required = more.required;
    if (act === 'cap') policy.cap = guests;
    if (act === 'topic' || act === 'rules') policy[act] = text;
  }

  /** Shows the policy; what ends by itself counts down. */
  function show() {
    element('topic').textContent = policy.topic ?? '';
    const { slow, locked } = policy;
    pinned.hidden = !policy.pinned;
    pinned.replaceChildren(...(policy.pinned ? [make('span', 'quiet', 'Pinned '), nameNode(policy.pinned.name), ` ${calm(policy.pinned.text)}`] : []));
    read.hidden = !policy.rules;
    if (shownRules !== policy.rules) text.replaceChildren(linked(calm((shownRules = policy.rules) ?? '')));
    const unread = rulesUnread();
    accept.textContent = unread ? 'Accept' : 'Close';
    if (unread || !policy.rules) rules.hidden = !unread;
    const left = (until) => Math.ceil((until - Date.now()) / SECOND);
    const muted = left(mutedUntil), wait = roleOf(people.me) || !slow ? 0 : left(spoke + slow * SECOND);
    const words = [];
    if (muted > 0) words.push(muted < Infinity ? `You are muted for ${spanWords(muted)}.` : 'You are muted.');
    else if (wait > 0) words.push(`You can write again in ${spanWords(wait)}.`);
    else if (slow) words.push(`Slow mode: one message in ${spanWords(slow)}.`);
    if (locked) words.push('The room is locked: no new guests come in.');
    limits.textContent = words.join(' ');
    limits.hidden = element('say-form').hidden;
    clearTimeout(timer);
    if (wait > 0 || (muted > 0 && muted < Infinity)) timer = setTimeout(show, SECOND);
  }

  /** What was done, in words; nothing if this page does not know it. */
  function words({ act, of, name = 'A guest', seconds, locked, text, role, guests, guest, count, by: proof, ...more }) {
    const them = nameNode(name);
    const time = seconds && spanWords(seconds);
    const known = {
      kick: phrase`${them} was put out`,
      ban: time ? phrase`${them} was banned for ${time}` : phrase`${them} was banned`,
      unban: phrase`The ban of ${them} was lifted`,
      mute: time ? phrase`${them} was muted for ${time}` : phrase`${them} was muted`,
      unmute: phrase`The mute of ${them} was lifted`,
      gone: 'Message deleted',
      delete_all: phrase`All messages of ${them} were deleted`,
      role: phrase`${them} was made a ${ROLES[role]}`,
      link: `A link for a ${ROLES[role]} was made`,
      revoke_links: 'Unused links were taken back',
      approval: more.approval ? 'The waiting room was opened' : 'The waiting room was closed',
      invited_only: more.invited_only ? 'The room was limited to invited guests' : 'The room was no longer limited to invited guests',
      password: more.password ? 'The password for newcomers was set' : 'The password for newcomers was taken away',
      private: more.private ? 'Private messages were switched on' : 'Private messages were switched off',
      typing: more.typing ? 'Signs of who is writing were switched on' : 'Signs of who is writing were switched off',
      identities: more.required ? 'Newcomers need an identity' : 'Newcomers need no identity',
      admit: !proof && phrase`${them} was let in`,
      reject: phrase`${them} was turned away`,
      invite: 'An invitation was made',
      revoke_invite: 'An invitation was taken back',
      lock: locked ? 'The room was locked' : 'The room was unlocked',
      slow: time ? `Slow mode was set to one message in ${time}` : 'Slow mode was ended',
      cap: guests ? `The number of guests was limited to ${guests}` : 'The number of guests was freed',
      topic: text ? phrase`The topic was set to “${nameNode(text)}”` : 'The topic was taken away',
      rules: 'The rules were changed',
      pin: 'A message was pinned',
      unpin: 'The pinned message was taken down',
      words: count ? 'The words to keep out were set' : 'The words to keep out were taken away',
    }[act];
    if (!known) return [];
    /* Nothing of who did it if it was the room itself. */
    return guest && guest !== of ? phrase`${known} by ${nameNode(people.nameOf(guest) ?? policy.roles.get(guest)?.name ?? 'a moderator')}` : [known].flat();
  }

  assign(governed, { follow: () => acts.splice(0).forEach(follow), show, words });
  log.redraw();
  showLimits();
}
