/* The tools of hosts and moderators: a menu for each guest and each message, and a dialog for the room. Loaded for them alone; the
   room checks every act. */
'use strict';
{
  style('tools.css');

  const RANKS = [undefined, 'moderator', 'host'];
  const rank = (guest) => RANKS.indexOf(roleOf(guest));
  const isHost = () => rank(people.me) === 2;

  /** The acts that the room has not answered. They outlive the connection. */
  const waiting = new Map();

  function act(what, done) {
    const frame = { type: 'act', id: randomId(), ...what };
    waiting.set(frame.id, { frame, done });
    tell(connection.send(frame) ? '' : 'Waiting for the connection.', true);
  }

  /** Says what came of it, in the dialog; and beside, what is wrong. */
  function tell(words, wrong) {
    told.textContent = words;
    complain(wrong && words);
  }

  /** The messages that wait for approval, and for hosts the words because of which they do. */
  let queue = [], words = [];
  const ask = () => rank(people.me) && connection.send({ type: 'held' });

  function queued({ messages, words: kept = [] }) {
    [queue, words] = [messages, kept];
    open.textContent = queue.length ? `Govern (${queue.length})` : 'Govern';
    const field = fields.querySelector('[name=words]');
    if (field && field !== document.activeElement) field.value = words.join('\n');
    changed();
  }

  function answered({ id, message, link }) {
    if (waiting.has(id)) tell(message ?? waiting.get(id).done?.(link) ?? '', message);
    if (/^(release|delete|kick|ban)/.test(waiting.get(id)?.frame.act)) ask();
    return waiting.delete(id);
  }

  /* The menu of a guest or a message. */

  const menu = Object.assign(make('div'), { id: 'menu', popover: 'auto', role: 'dialog' });

  /** A button of the menu; what cannot be undone has a question. */
  const entry = (words, what, question) => button(words, () => {
    if (question) return fill(question, [button('Cancel', () => menu.hidePopover(), ''), entry(words, what)]);
    menu.hidePopover();
    act(what);
  }, '');

  function fill(words, entries) {
    menu.ariaLabel = words;
    menu.replaceChildren(make('p', 'quiet', words), ...entries);
    entries[0].focus();
  }

  function mark(node, { guest, name, seq, text }) {
    if (seq && queue.some((one) => one.guest === guest && one.text === text)) ask();
    if (!rank(people.me) || !guest || (!seq && guest === people.me)) return;
    const title = seq ? `Message of ${name}` : name;
    const tool = button('⋯', () => {
      (node.closest('#people') ?? document.body).append(menu);
      menu.showPopover();
      fill(title, [...(seq ? forMessage(seq) : []), ...forGuest(guest, name)]);
      const { bottom, right } = tool.getBoundingClientRect();
      menu.style.top = `clamp(8px, ${bottom}px, 100vh - ${menu.offsetHeight + 8}px)`;
      menu.style.right = `clamp(8px, ${innerWidth - right}px, 100vw - 17.5rem)`;
    }, 'tool');
    Object.assign(tool, { ariaLabel: `${title}: tools`, ariaHasPopup: 'dialog' });
    node.append(tool);
  }

  const forMessage = (message) => [
    entry('Delete', { act: 'delete', messages: [message] }, 'Delete this message for good?'),
    entry('Pin', { act: 'pin', message }),
  ];

  function forGuest(of, name) {
    const entries = [];
    const add = (words, act, more, question) => entries.push(entry(words, { act, of, ...more }, question));
    if (of !== people.me) {
      if (rank(of) < rank(people.me)) {
        add('Put out', 'kick');
        if (held('mute').has(of)) add('Let write again', 'unmute');
        add('Mute for 10 minutes', 'mute', { seconds: 600 });
        add('Mute for 1 hour', 'mute', { seconds: 3600 });
        add('Mute for good', 'mute');
        add('Ban', 'ban', {}, `Ban ${name}?`);
      }
      if (isHost()) RANKS.forEach((role = 'guest', place) => place !== rank(of) && add(`Make a ${role}`, 'role', { role }, place === 2 && `Make ${name} a host?`));
    }
    add('Delete all messages', 'delete_all', {}, `Delete all messages of ${name} for good?`);
    return entries;
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

  const told = Object.assign(make('p'), { role: 'alert' });
  const fields = make('div'), lists = make('div');
  const dialog = make('dialog', '', make('div', 'bar', make('h2', '', 'Govern the room'), button('Close', () => dialog.close())), told, fields, lists);
  Object.assign(dialog, { id: 'govern', ariaLabel: 'Govern the room' });
  document.body.append(dialog);
  const open = button('Govern', () => {
    showFields();
    dialog.showModal();
    changed();
    ask();
  }, 'round');
  element('theme').before(open);

  /** A form of one field. `what(value)` is the act. */
  function field(words, value, what, tag = 'input', save) {
    const input = Object.assign(make(tag), { value });
    if (typeof value === 'number') Object.assign(input, { type: 'number', min: 0 });
    const form = make('form', '', make('label', '', words, input), make('button', '', save ?? 'Save'));
    form.onsubmit = (event) => {
      event.preventDefault();
      act(what(input.value), () => {
        if (save) input.value = '';
        return `${words.split(',')[0]}: done.`;
      });
    };
    return form;
  }

  /** One on each line. */
  function wordsField() {
    const form = field('Words to keep out, one on each line', words.join('\n'), (value) => ({
      act: 'words', words: value.split('\n').map((word) => word.trim()).filter(Boolean),
    }), 'textarea');
    form.querySelector('textarea').name = 'words';
    return form;
  }

  const text = (act) => (text) => ({ act, text });
  const linkButton = (role) => button(`Link for a ${role}`, ({ target }) => act({ act: 'link', role }, (secret) => {
    const link = make('p', 'address', `${location.origin}${location.pathname}#host=${secret}`);
    target.parentNode.after(make('div', '', make('p', 'quiet', `The first to open it becomes a ${role}. It is not shown again.`), link, button('Copy', copies(link))));
  }));

  /** Ends the room. No act, since nothing of it is to be kept. */
  function wiping() {
    const title = make('input'), address = Object.assign(make('input'), { type: 'checkbox' });
    const form = make('form', '', make('label', '', 'Wipe the room for good, for all. Its title, to confirm', title), make('label', '', 'Its address too', address), make('button', '', 'Wipe'));
    form.onsubmit = async (event) => {
      event.preventDefault();
      const headers = { authorization: `Bearer ${seat.token}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ confirm: title.value, address: address.checked });
      const answer = await fetch('rooms/main/wipe', { method: 'POST', headers, body }).catch(() => {});
      tell(answer?.ok ? 'The room is being wiped.' : (await answer?.json())?.detail ?? 'No answer came. Try again.', !answer?.ok);
    };
    return form;
  }

  function showFields() {
    const { topic = '', rules = '', slow = 0, cap = 0 } = policy;
    fields.replaceChildren(field('Slow mode, seconds between messages', slow, (value) => ({ act: 'slow', seconds: Number(value) })));
    if (!isHost()) return;
    fields.append(
      field('Guests at most, 0 for any number', cap, (value) => ({ act: 'cap', guests: Number(value) })),
      field('Title', roomTitle, text('title')),
      field('Topic', topic, text('topic')),
      field('Rules', rules, text('rules'), 'textarea'),
      field('Announcement', '', text('announce'), 'textarea', 'Announce'),
      wordsField(),
      make('p', '', linkButton('moderator'), ' ', linkButton('host'), ' ', button('Take back unused links', () => act({ act: 'revoke_links' }))),
      wiping(),
    );
  }

  /** A list with a button for each, if there is any. */
  function list(words, guests, undo, what) {
    const items = [...guests].map(([of, name]) => make('li', '', nameNode(name ?? ''), badgeNode(of), button(undo, () => act({ of, ...what }))));
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
      for (const id of ['said', 'people-list']) element(id).classList.toggle('governed', own > 0);
      log.redraw();
      people.show();
      dialog.close();
    }
    if (!dialog.open) return;
    const { locked, pinned, roles } = policy;
    const acts = log.items.filter(({ act }) => act && act !== 'gone' && act !== 'held').slice(-50).reverse();
    lists.replaceChildren(
      ...queueList(),
      button(locked ? 'Unlock the room' : 'Lock the room', () => act({ act: 'lock', locked: !locked })), ' ',
      pinned ? button('Unpin the message', () => act({ act: 'unpin' })) : '',
      ...list('Roles', isHost() ? [...roles].map(([of, { name }]) => [of, name]) : [], 'Take back', { act: 'role', role: 'guest' }),
      ...list('Muted', held('mute'), 'Let write again', { act: 'unmute' }),
      ...list('Banned', held('ban'), 'Let in again', { act: 'unban' }),
      make('h3', '', 'What was done'),
      make('ul', '', ...acts.map((item) => make('li', '', make('span', '', ...(governed.words?.(item) ?? [])), timeNode(item.time)))),
    );
  }

  function welcomed() {
    waiting.forEach(({ frame }) => connection.send(frame));
    ask();
  }

  Object.assign(tools, { answered, mark, changed, welcomed, ask, queued });
  changed();
  ask();
}
