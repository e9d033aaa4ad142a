/* What guests do with messages beside reading them: a menu for each, replies, reactions, edits, whom they ignore; and texts with a
   little Markdown. Loaded when the guest does something, or a message needs it. */
'use strict';
{
  style('talk.css');

  const REACTIONS = ['👍', '❤️', '😂', '😮', '😢', '🎉'];
  /** Quotes are not deeper than this. */
  const DEEPEST = 4;

  /* Texts. Nothing of them ever becomes markup: each node is made here. */

  const BLOCKS = { blockquote: /^> ?/, ul: /^[-*•] +/, ol: /^\d{1,3}[.)] +/ };
  const INLINE = new RegExp(`${ADDRESS.source}|\`([^\`\\n]+)\`|(?<![\\w*])(\\*\\*?)(?=\\S)([^*\\n]+)(?<=\\S)\\2(?![\\w*])|(?<![\\w_])_(?=\\S)([^_\\n]+)(?<=\\S)_(?!\\w)`, ADDRESS.flags);

  /** Lines of one kind stand together. What is between two lines of three backticks stays as it is. */
  function blocks(text, depth = 0) {
    const lines = text.split('\n'), groups = [];
    const lastFence = lines.lastIndexOf('```');
    let fenced = false;
    lines.forEach((line, place) => {
      if (fenced ? line === '```' : place < lastFence && /^```[\w+-]*$/.test(line)) {
        fenced = !fenced;
        if (fenced) groups.push({ tag: 'pre', lines: [] });
        return;
      }
      const tag = fenced ? 'pre' : Object.keys(BLOCKS).find((tag) => BLOCKS[tag].test(line) && depth < DEEPEST);
      if (!groups.length || tag !== groups.at(-1).tag) groups.push({ tag, lines: [] });
      groups.at(-1).lines.push(line);
    });
    return groups.map(({ tag, lines }) => {
      const text = lines.join('\n');
      if (!tag) return inline(text.replace(/^\n+|\n+$/g, ''));
      if (tag === 'pre') {
        const code = make('code', '', text);
        return make('div', 'code', make(tag, '', code), button('Copy', copies(code)));
      }
      const inner = lines.map((line) => line.replace(BLOCKS[tag], ''));
      if (tag === 'blockquote') return make(tag, '', ...blocks(inner.join('\n'), depth + 1));
      return make(tag, '', ...inner.map((words, place) => assign(make('li', '', inline(words)), tag === 'ol' && { value: parseInt(lines[place], 10) })));
    });
  }

  /** Addresses, code, emphasis and names. */
  function inline(text) {
    const nodes = document.createDocumentFragment();
    let done = 0;
    for (const { 0: whole, 1: code, 2: stars, 3: starred, 4: lined, index } of text.matchAll(INLINE)) {
      const inner = starred ?? lined;
      nodes.append(...names(text.slice(done, index)), code ? make('code', '', code) : inner ? make(stars === '**' ? 'strong' : 'em', '', inline(inner)) : linked(whole));
      done = index + whole.length;
    }
    nodes.append(...names(text.slice(done)));
    return nodes;
  }

  /** Whether a text calls this guest. */
  const calls = (text) => seat.name && new RegExp(`@${escaped(seat.name)}(?![\\p{L}\\p{N}])`, 'iu').test(text);
  const escaped = (name) => name.replace(/[.+()^$*?{}|[\]\\/]/g, '\\$&');

  /** The parts of a text in which the names of those who are here stand out, after an @. */
  function names(text) {
    const known = text.includes('@') ? [...people.guests.values()].map(({ name }) => name).sort((one, other) => other.length - one.length) : [];
    const parts = known.length ? text.split(new RegExp(`(@(?:${known.map(escaped).join('|')}))(?![\\p{L}\\p{N}])`, 'iu')) : [text];
    return parts.map((part, place) => (place % 2 ? make('b', calls(part) ? 'me' : '', part) : part));
  }

  /** The words of a message. */
  function words({ name, mine }, text) {
    const [, deed] = /^\/me\s+([^]+)/.exec(text) ?? [];
    return deed ? [make('em', '', nameNode(mine ? seat.name : name), ' ', inline(deed))] : blocks(text);
  }

  /* Where a message is. */

  const place = (seq) => log.items.findLastIndex((item) => item.seq === seq && item.run === log.run);
  const itemOf = (seq) => log.items[place(seq)];

  /** Leads to a message, or to the `next` one; tells whether it was loaded. With `from`, which may be the message that the reader is at, the
      browser's Back leads to where they were. */
  function jump(seq, from, next) {
    const isMeant = (item) => isShown(item) && (next ? item.seq > seq : item.seq === seq);
    const at = log.items.findIndex((item) => item.run === log.run && isMeant(item));
    if (at < 0 || seq < log.reach) {
      assign(log, { isMeant, found: () => jump(seq, from, next) });
      log.more({ around: seq });
      return false;
    }
    if (from) {
      aim = from;
      showRoom();
    }
    aim = log.items[at].seq;
    if (from !== undefined) history.pushState(null, '', inRoom(`message=${aim}`));
    log.view(Math.max(0, at - STEP / 2), Math.min(log.items.length, at + STEP / 2));
    log.atEnd = false;
    const node = log.items[at].nodes.at(-1);
    node.scrollIntoView({ block: 'center' });
    node.focus({ preventScroll: true });
    return true;
  }

  /** A line that says what a message answers to; `from` is that message. */
  function answersTo(seq, from = 0) {
    const { name, text, mine } = itemOf(seq) ?? {};
    const node = button('', () => jump(seq, from), 'quote');
    node.append(...(text === undefined ? ['An earlier message'] : [mine ? 'You' : nameNode(name), ` ${calm(text).slice(0, 120).replaceAll('\n', ' ')}`]));
    node.ariaLabel = `In answer to ${node.textContent}`;
    return node;
  }

  /** What stands above the words of a message: for whom alone it is, or what it answers to. */
  const above = ({ to, to_name, mine, reply, seq }) => (to ? make('p', 'whisper', mine ? `In private, to ${to_name}` : 'In private, to you') : reply && answersTo(reply, seq));

  /* What is done, until the room has answered. It outlives the connection. */

  const waiting = new Map();

  function act(what, done) {
    const frame = { type: 'act', id: randomId(), ...what };
    waiting.set(frame.id, { frame, done });
    const sent = connection.send(frame);
    complain(sent ? undefined : 'Waiting for the connection.');
    return sent;
  }

  /** Whether it was the answer to an act. */
  function answered(answer) {
    const { id, message, link } = answer;
    const asked = waiting.get(id);
    if (!asked) return false;
    waiting.delete(id);
    complain(message);
    const words = message ?? asked.done?.(link) ?? '';
    tools.came?.(asked.frame, words);
    return true;
  }

  /** Takes account of what was done to messages. */
  function annotate() {
    for (const event of annotations.splice(0)) {
      const { act, message, text, emoji, guest } = event;
      if (!act) {
        talk.whispered(event);
        continue;
      }
      const at = place(message), item = log.items[at];
      if (item?.text === undefined) continue;
      if (act === 'edit') assign(item, { text, edited: true });
      else {
        const reactions = (item.reactions ??= {});
        for (const [known, guests] of Object.entries(reactions)) {
          reactions[known] = guests.filter((one) => one !== guest);
          if (!reactions[known].length) delete reactions[known];
        }
        if (emoji) (reactions[emoji] ??= []).push(guest);
      }
      if (item.nodes) log.quietly(() => log.draw(at));
    }
  }

  /* The menu of a guest or a message. */

  const menu = assign(make('div'), { id: 'menu', popover: 'auto', role: 'dialog' });

  /** A button of the menu. */
  const choice = (words, what) => button(words, () => {
    menu.hidePopover();
    what();
  }, '');
  /** One that does something; what cannot be undone has a question. */
  const entry = (words, what, question) => (question ? button(words, () => fill(question, [choice('Cancel', () => {}), entry(words, what)]), '') : choice(words, () => act(what)));

  function fill(words, entries) {
    menu.ariaLabel = words;
    menu.replaceChildren(make('p', 'quiet', words), ...entries);
    menu.querySelector('button, input').focus();
  }

  /** Shows the menu below what was pressed. */
  function unfold(tool, words, entries) {
    (tool.closest('#people') ?? document.body).append(menu);
    menu.showPopover();
    fill(words, entries);
    const { bottom, right } = tool.getBoundingClientRect();
    menu.style.inset = `min(${bottom}px, 100vh - ${menu.offsetHeight + 8}px) min(${innerWidth - right}px, 100vw - 17.5rem) auto auto`;
  }

  function reaction(item, emoji) {
    const own = item.reactions?.[emoji]?.includes(people.me);
    return assign(choice(emoji, () => act({ act: 'react', message: item.seq, emoji: own ? '' : emoji })), { ariaPressed: `${Boolean(own)}` });
  }

  function forMessage(item) {
    const { seq, guest, mine, time, text } = item;
    const own = mine && guest === people.me;
    const link = make('div', 'address', location.origin + location.pathname + inRoom(`message=${seq}`));
    return [
      make('div', 'emoji', ...REACTIONS.map((emoji) => reaction(item, emoji))),
      choice('Reply', () => begin({ reply: seq })),
      button('Copy link', (event) => {
        event.target.after(link);
        copies(link)(event);
      }, ''),
      ...(own && Date.now() - time < talk.editable * SECOND ? [choice('Edit', () => begin({ edit: seq }, text))] : []),
      ...(own && !roleOf(guest) ? [entry('Delete', { act: 'delete', messages: [seq] }, 'Delete this message for good?')] : []),
    ];
  }

  const forGuest = ({ guest, name }) => (guest === people.me ? [] : [
    choice('Mention', () => composer.takeBack(`@${name} `)),
    choice(ignored.has(guest) ? 'Show again what they say' : 'Ignore', () => ignore(guest)),
    ...(policy.no_private ? [] : [choice('Write in private', () => begin({ to: guest, to_name: name }))]),
  ]);

  /** Adds to an element of a message, or of a guest in the list, what is done with it. */
  function mark(node, item) {
    const { guest, name, seq, reactions = {}, edited } = item;
    tools.seen?.(item);
    if (seq && seq === aim) assign(node, { id: 'meant', tabIndex: -1 });
    if (guest === 0 || !people.me || (!seq && guest === people.me)) return;
    const title = seq ? `Message of ${name}` : name;
    const tool = button('⋯', () => unfold(tool, title, [...(seq ? forMessage(item) : []), ...forGuest(item), ...(tools.entries?.(item) ?? [])]), 'tool');
    assign(tool, { ariaLabel: `${title}: more`, ariaHasPopup: 'dialog' });
    node.append(tool);
    if (ignored.has(guest)) node.classList.add('away');
    if (!seq) return;
    if (edited) node.querySelector('time').before(make('span', 'foot', tr('edited')));
    if (calls(item.text)) node.classList.add('calls');
    const given = Object.entries(reactions).map(([emoji, guests]) => {
      const one = reaction(item, emoji);
      one.append(` ${guests.length}`);
      one.title = guests.map((guest) => people.nameOf(guest) ?? 'A guest').join(', ');
      return one;
    });
    if (given.length) tool.before(make('div', 'emoji', ...given));
  }

  /* Whom this guest does not want to read. It is told to nobody. */

  const ignored = new Set(JSON.parse(kept.get('ignored') ?? '[]'));
  function ignore(guest) {
    if (!ignored.delete(guest)) ignored.add(guest);
    kept.set('ignored', JSON.stringify([...ignored]));
    log.redraw();
    people.show();
  }

  /* What is being written: an answer, or a message anew. */

  const bar = assign(make('div'), { id: 'writing', hidden: true });
  element('say-form').before(bar);

  function begin(what, text) {
    /* What is for one guest alone is said neither to all nor to another one. */
    if (talk.begun?.to && talk.begun.to !== what?.to) text ??= '';
    talk.begun = what;
    bar.hidden = !what;
    const cancel = button('Cancel', () => begin(undefined, what.edit && ''));
    bar.replaceChildren(...(what ? [what.to ? '' : make('span', 'quiet', what.edit ? 'You change a message' : 'You answer'), above({ reply: what.edit, ...what, mine: true }), cancel] : []));
    composer.set(text ?? element('text').value);
    composer.focus();
  }

  /** What becomes of a text that the guest sends. */
  function said(typed) {
    const what = talk.begun, text = talk.obey(typed);
    if (!text) return;
    /* The next one goes to the same guest, until that is ended. */
    if (!what?.to) begin();
    if (what?.edit) act({ act: 'edit', message: what.edit, text });
    else unsaid.add(text, undefined, what);
  }

  element('text').addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && talk.begun) {
      event.preventDefault();
      begin(undefined, talk.begun.edit && '');
    } else if (event.key === 'ArrowUp' && !draft()) {
      const last = log.items.findLast(({ mine, seq, text }) => mine && seq && text !== undefined);
      if (!last || Date.now() - last.time >= talk.editable * SECOND) return;
      event.preventDefault();
      begin({ edit: last.seq }, last.text);
    }
  });

  /* What was said, found again: in a dialog that leads to each message. */

  const found = make('div');
  const finder = make('dialog', '', make('div', 'bar', make('h2', '', 'Search'), button('Close', () => finder.close())), field('In all that is kept here', 'Search', (text) => find(text), { type: 'search', required: true, autofocus: true, maxLength: 500 }), found);
  assign(finder, { id: 'finder', ariaLabel: 'Search', onclose: gone });
  document.body.append(finder);
  element('kept-here').after(button('Search', () => finder.showModal()));

  /** Messages; not those that were deleted while the room answered, nor of whom the guest ignores. */
  const isShown = (message) => message.text !== undefined && !isDeleted(message) && !talk.hides(message);
  const resultNode = (message) => messageNode(shown(message), false, timeNode(timeOf(message.at)));

  async function find(text, before) {
    const { messages = [], after, detail } = await ask('POST', 'search', { text, before });
    if (!before) found.replaceChildren();
    found.append(...messages.filter(isShown).map((message) => {
      const node = resultNode(message);
      node.append(button('In its place', () => {
        finder.close();
        jump(message.seq, 0);
      }));
      return node;
    }));
    const more = button('Search in older messages', () => {
      more.remove();
      find(text, after + 1);
    });
    found.append(detail ? make('p', '', detail) : after ? more : make('p', 'quiet', found.childElementCount ? 'That is all.' : 'Nothing was found.'));
  }

  /** What was found may be deleted by now. */
  function gone() {
    found.replaceChildren();
  }

  /* Leaving, with all that was said. */

  const erasing = button('Leave, and erase my messages', () => unfold(erasing, 'Erase all that you have said here, for all?', [choice('Cancel', () => {}), choice('Erase and leave', () => act({ act: 'delete_all', of: people.me }, () => element('leave').click()))]));
  element('leave').after(erasing);

  assign(talk, {
    words, above, gone, begin, jump, act, answered, annotate, mark, ignore, said, entry, choice, fill, menu, unfold, calls,
    hides: ({ guest }) => ignored.has(guest),
    waits: () => waiting.size > 0,
    welcomed: () => waiting.forEach(({ frame }) => connection.send(frame)),
  });
  annotate();
  log.redraw();
  people.show();
}
