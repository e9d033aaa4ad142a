/* The tools of hosts and moderators: a menu for each guest and each message, and a dialog for the room. Loaded for them alone; the
   room checks every act. */
'use strict';
{
  style('tools.css');

  const RANKS = [undefined, 'moderator', 'host'];
  const rank = (guest) => RANKS.indexOf(roleOf(guest));
  const isHost = () => rank(people.me) === 2;

  const { choice, entry, fill, menu } = talk;
  /** What came of an act is said in the dialog, too. */
  const act = (what, done) => {
    told.textContent = talk.act(what, done) ? '' : 'Waiting for the connection.';
  };

  /** The messages that wait for approval, and for hosts the words because of which they do. */
  let queue = [], words = [];
  const askHeld = () => rank(people.me) && connection.send({ type: 'held' });

  function queued({ messages, words: kept = [] }) {
    [queue, words] = [messages, kept];
    const field = fields.querySelector('[name=words]');
    if (field && field !== document.activeElement) field.value = words.join('\n');
    changed();
  }

  function came({ act }, words) {
    told.textContent = words;
    if (/^(release|delete|kick|ban)/.test(act)) askHeld();
  }

  /* What the menu of a guest or a message has beside. */

  function seen({ guest, seq, text }) {
    if (seq && queue.some((one) => one.guest === guest && one.text === text)) askHeld();
  }

  const entries = ({ guest, name, seq }) => (rank(people.me) ? [...(seq ? forMessage(seq) : []), ...forGuest(guest, name)] : []);

  const forMessage = (message) => [
    entry('Delete', { act: 'delete', messages: [message] }, 'Delete this message for good?'),
    entry('Pin', { act: 'pin', message }),
  ];

  function forGuest(of, name) {
    const choices = [];
    const add = (words, act, more, question) => choices.push(entry(words, { act, of, ...more }, question));
    if (of !== people.me) {
      if (rank(of) < rank(people.me)) {
        add('Put out', 'kick');
        if (held('mute').has(of)) add('Let write again', 'unmute');
        add('Mute for 10 minutes', 'mute', { seconds: 600 });
        add('Mute for 1 hour', 'mute', { seconds: 3600 });
        add('Mute for good', 'mute');
        add('Ban', 'ban', {}, `Ban ${name}?`);
        if (policy.approval || policy.password || policy.invited_only) {
          const all = (words, act) => entry(words, { act, of, invitation: true });
          choices.push(button('All of their invitation', () => fill('All who came by the same invitation, which lets in no one any more:', [choice('Cancel', () => {}), all('Mute all', 'mute'), all('Ban all', 'ban')]), ''));
        }
      }
      if (isHost() && people.guests.get(of)?.kept) add('Take their reserved name', 'unreserve');
      if (isHost()) RANKS.forEach((role = 'guest', place) => place !== rank(of) && add(`Make a ${ROLES[role]}`, 'role', { role }, place === 2 && `Make ${name} a host?`));
    }
    add('Delete all messages', 'delete_all', {}, `Delete all messages of ${name} for good?`);
    return choices;
  }

  /** Whom the acts that are loaded leave muted or banned, with their names. */
  function held(what) {
    const guests = new Map();
    for (const { act, of, name, seconds, time } of log.items) {
      if (act === what && !(time + seconds * SECOND < Date.now())) guests.set(of, name);
      if (act === `un${what}`) guests.delete(of);
    }
    return guests;
  }

  /* The dialog of the room. */

  /** The rank that the tools are shown for. */
  let shownRank;

  const told = assign(make('p'), { role: 'alert' });
  const fields = make('div'), invited = make('div'), lists = make('div'), done = make('div'), end = make('div', 'end');
  const dialog = make('dialog', '', make('div', 'bar', make('h2', '', 'Govern the room'), button('Close', () => dialog.close())), told, lists, fields, invited, done, end);
  assign(dialog, { id: 'govern', ariaLabel: 'Govern the room' });
  document.body.append(dialog);
  const open = button('Govern', () => {
    showFields();
    dialog.showModal();
    changed();
    askHeld();
  }, 'round');
  const count = assign(make('span', 'unseen'), { role: 'status' });
  element('theme').before(count, open);

  /** A form of one field. `what(value)` is the act. */
  const setting = (words, value, what, tag, save, more, after) => field(words, save ?? 'Save', (text, form, input) => act(what(text), (link) => {
    if (save) input.value = '';
    after?.(link, form);
    return `${words.split(/[,،，]/)[0]}: done.`;
  }), { ...(typeof value === 'number' && { type: 'number', min: 0 }), value, ...more }, tag);

  const text = (act) => (text) => ({ act, text });
  const linkButton = (role) => button(`Link for a ${ROLES[role]}`, ({ target }) => act({ act: 'link', role }, (secret) => showLink(target.parentNode, `host=${secret}`, `The first to open it becomes a ${ROLES[role]}.`)));

  /** Shows a link that was made, once, to be copied or scanned. */
  async function showLink(place, fragment, words) {
    const text = `${location.origin}${location.pathname}${inRoom(fragment)}`;
    const link = make('p', 'address', text);
    const shown = make('div', '', make('p', 'quiet', `${words} It is not shown again.`), link, button('Copy', copies(link)));
    place.after(shown);
    const { size, path } = await ask('POST', 'qr', { text });
    if (!path) return;
    const picture = element('badge').content.querySelector('svg').cloneNode(true);
    picture.setAttribute('viewBox', `0 -.5 ${size} ${size}`);
    picture.firstChild.setAttribute('d', path);
    shown.append(assign(make('div', 'qr', picture), { role: 'img', ariaLabel: 'The link as a QR code' }));
  }

  /** A button for something that is on or off. */
  const toggle = (member, on, off) => button(policy[member] ? off : on, () => act({ act: member, [member]: !policy[member] }));

  function inviting() {
    const days = assign(make('input'), { type: 'number', min: 0, value: 7 });
    const once = assign(make('input'), { type: 'checkbox', checked: true });
    const what = (name) => ({ act: 'invite', name, single_use: once.checked, seconds: (days.value * DAY) / SECOND || undefined });
    const form = setting('Invitation, for whom', '', what, 'input', 'Make a link', { required: true, maxLength: 64 }, (secret, form) => showLink(form, `invite=${secret}`, 'Give it to one person.'));
    form.lastChild.before(make('label', '', 'Days, 0 for any time', days), make('label', '', 'Once', once));
    return form;
  }

  /** One on each line. */
  function wordsField() {
    const what = (text) => ({ act: 'words', words: text.split('\n').map((word) => word.trim()).filter(Boolean) });
    return setting('Words to keep out, one on each line', words.join('\n'), what, 'textarea', undefined, { name: 'words' });
  }

  /** Shows who is invited. */
  async function showInvited() {
    const { invitations = [] } = await ask('GET', 'acts');
    const state = ({ closed, single_use: once, used, guests, until }) => [
      closed || (once && used) || until < roomTime() ? tr('ended') : until ? `until ${fullTime.format(timeOf(until))}` : '', once ? tr('once') : '', guests ? counted(guests, 'guest', 'guests') : '',
    ].filter(Boolean).join(', ');
    const items = invitations.map((one) => make('li', '', nameNode(one.name), make('span', 'quiet', state(one)), button('Take back', () => act({ act: 'revoke_invite', invite: one.id }))));
    /* The answer may be of a room that the guest has left. */
    if (dialog.open) put(invited, items.length ? [make('h3', '', 'Invitations'), make('ul', '', ...items)] : []);
  }

  /** Puts these in place of what was there; the keyboard stays where it was. */
  function put(place, nodes) {
    const buttons = () => [...place.querySelectorAll('button')];
    const focused = buttons().indexOf(document.activeElement);
    place.replaceChildren(...nodes);
    if (focused >= 0) (buttons()[focused] ?? buttons().at(-1) ?? dialog.querySelector('button')).focus();
  }

  /** Ends the room. No act, since nothing of it is to be kept. */
  function wiping() {
    const address = assign(make('input'), { type: 'checkbox' });
    const form = field('Wipe the room for good, for all, with all other rooms here. Its title, to confirm', 'Wipe', async (confirm) => {
      const { detail } = await ask('POST', 'wipe', { confirm, address: address.checked });
      told.textContent = detail ?? 'The room is being wiped.';
      complain(detail);
    });
    form.lastChild.before(make('label', '', 'Its address too', address));
    return form;
  }

  function showFields() {
    const { topic = '', rules = '', slow = 0, cap = 0 } = policy;
    fields.replaceChildren(setting('Slow mode, seconds between messages', slow, (value) => ({ act: 'slow', seconds: Number(value) })));
    /* What cannot be undone stands last. */
    end.replaceChildren(isHost() && here === 'main' ? wiping() : '');
    if (!isHost()) return;
    fields.append(
      setting('Guests at most, 0 for any number', cap, (value) => ({ act: 'cap', guests: Number(value) })),
      setting('Title', roomTitle, text('title')),
      setting('Topic', topic, text('topic')),
      setting('Rules', rules, text('rules'), 'textarea'),
      setting('Announcement', '', text('announce'), 'textarea', 'Announce'),
      wordsField(),
      setting('Password for newcomers, at least 8 characters', '', text('password'), 'input', 'Set', { type: 'password', minLength: 8, required: true }),
      make('p', '', linkButton('moderator'), ' ', linkButton('host'), ' ', button('Take back unused links', () => act({ act: 'revoke_links' }))),
      inviting(),
    );
  }

  /** A list with a button for each, if there is any. */
  function list(words, guests, ...acts) {
    const items = [...guests].map(([of, name]) => make('li', '', nameNode(name ?? ''), badgeNode(of), ...acts.map(([words, what]) => button(words, () => act({ of, ...what })))));
    return items.length ? [make('h3', '', words), make('ul', '', ...items)] : [];
  }

  /** What waits, each with what becomes of it. */
  function queueList() {
    const items = queue.map(({ seq, guest, name, text }) => make('li', '', nameNode(name), badgeNode(guest), make('span', 'words', calm(text)),
      button('Release', () => act({ act: 'release', messages: [seq] })), button('Delete', () => act({ act: 'delete', messages: [seq] }))));
    return items.length ? [make('h3', '', 'Messages that wait'), make('ul', '', ...items)] : [];
  }

  /** Shows the state of the room. */
  function changed() {
    const own = rank(people.me);
    if (own !== shownRank) {
      shownRank = own;
      open.hidden = !own;
      log.redraw();
      people.show();
      dialog.close();
      menu.hidePopover();
      if (!own) {
        invited.replaceChildren();
        people.newcomers = [];
        queued({ messages: [] });
      }
    }
    const { waiting: number = 0, newcomers = [] } = people;
    const all = number + queue.length;
    open.textContent = all ? `Govern (${all})` : 'Govern';
    const words = number ? counted(number, 'guest waits to be let in', 'guests wait to be let in') : '';
    if (count.textContent !== words) count.textContent = words;
    if (!dialog.open) return;
    if (number !== newcomers.length) connection.send({ type: 'waiting' });
    if (isHost()) showInvited();
    const { locked, pinned, roles, password } = policy;
    const acts = log.items.filter(({ act }) => act && act !== 'gone' && act !== 'held').slice(-50).reverse();
    put(lists, [
      ...list('Waiting to be let in', newcomers.map(({ id, name }) => [id, name ?? 'No name']), ['Let in', { act: 'admit' }], ['Turn away', { act: 'reject' }]),
      ...queueList(),
    ]);
    put(done, [
      toggle('approval', 'Let newcomers wait', 'Let newcomers in at once'), ' ',
      ...(isHost() ? [
        toggle('invited_only', 'Only with an invitation', 'Also without an invitation'), ' ',
        button(policy.identities_required ? 'Also without an identity' : 'Only with an identity', () => act({ act: 'identities', required: !policy.identities_required })), ' ',
        password ? button('No password any more', () => act({ act: 'password', text: '' })) : '', ' ',
      ] : []),
      button(policy.no_private ? 'Allow private messages' : 'No private messages', () => act({ act: 'private', private: Boolean(policy.no_private) })), ' ',
      toggle('typing', 'Show who is writing', 'Do not show who is writing'), ' ',
      button(locked ? 'Unlock the room' : 'Lock the room', () => act({ act: 'lock', locked: !locked })), ' ',
      pinned ? button('Unpin the message', () => act({ act: 'unpin' })) : '',
      ...list('Roles', isHost() ? [...roles].map(([of, { name }]) => [of, name]) : [], ['Take back', { act: 'role', role: 'guest' }]),
      ...list('Muted', held('mute'), ['Let write again', { act: 'unmute' }]),
      ...list('Banned', held('ban'), ['Let in again', { act: 'unban' }]),
      make('h3', '', 'What was done'),
      make('ul', '', ...acts.map((item) => make('li', '', make('span', '', ...(governed.words?.(item) ?? [])), timeNode(item.time)))),
    ]);
  }

  assign(tools, { came, seen, entries, changed, welcomed: askHeld, ask: askHeld, queued });
  changed();
  askHeld();
}
