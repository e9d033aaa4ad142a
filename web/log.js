/* The conversation as it is seen, and where the reader is in it. What is loaded is kept as data, a part of the conversation without holes;
   the elements of the page are a part of that around the view. Beyond a bound what is furthest from the view is let go of, older or newer,
   and asked for again when the reader scrolls there. */
'use strict';

/** Messages of one guest stand together if they are not further apart than this. */
const TOGETHER = 5 * MINUTE;
/** After so many lines of one guest the name is said again, so that it is always in view. */
const NAMED_EVERY = 14;
/** Above so many items elements are taken away at the end that is out of view. */
const SHOWN = 300;
/** So many are put there or taken away together. */
const STEP = 100;
/** More items than this are not kept. */
const KEPT = 5000;
/** More names than this are not listed in one quiet line. */
const NAMES_IN_LINE = 6;

class Log {
  /** `more(place)` asks for other messages, as the protocol's `history` has it, and tells whether it could; `ended()` is called when the
      end comes into view. */
  constructor({ scroller, conversation, said, newest, older, beginning, more, ended }) {
    assign(this, { scroller, said, newest, loading: older, beginning, more, ended });
    /** The run of sequence numbers that messages belong to. */
    this.run = 0;
    this.fresh = make('p', 'line fresh', 'New since you looked');
    this.begin(0);
    scroller.onscroll = () => this.scrolled();
    newest.onclick = () => {
      aim = undefined;
      showRoom();
      this.toEnd();
    };
    /* Who unfolds a message reads it from where it begins. */
    said.addEventListener('click', ({ target }) => target.localName === 'button' && (this.atEnd = false));
    const growth = new ResizeObserver(() => this.atEnd && this.toEnd());
    growth.observe(scroller);
    growth.observe(conversation);
  }

  /** Forgets everything shown: what comes next are the messages after `reach`. */
  begin(reach) {
    this.items = [];
    /** Called when the message is here for which others around it were asked for; `isMeant` tells which one. */
    this.found = undefined;
    /** What stands at other messages and in no place of its own: runs of its numbers, the first and the last of each. */
    this.passed = [];
    /** The same of what has given way to another, as the room has told it last. */
    this.replaced = [];
    /** The items from `from` on and before `to` are elements. */
    this.from = this.to = 0;
    /** Newer messages than those up to this one are not here; 0: all are. */
    this.rest = 0;
    this.said.replaceChildren();
    this.reached(reach);
    this.atEnd = true;
    this.lastTop = this.unseen = 0;
    this.showNewest();
  }

  /** The room's numbers began anew after this one: what is shown stays, and nothing newer than it is older. */
  anew(after = 0) {
    this.run++;
    this.passed = [];
    this.base = after;
    this.reached(Math.min(this.reach, after));
  }

  /** Whether a message is here that the room tells again, under any number: after its numbers began anew. */
  has({ guest, id }) {
    return this.run > 0 && this.items.some((item) => item.guest === guest && item.id === id);
  }

  /** Every kept message after this one is here; 0: there is nothing older. */
  reached(reach) {
    this.reach = reach;
    this.asking = false;
    this.showBeginning();
  }

  get empty() {
    return !this.reach && !this.items.some(({ text }) => text);
  }

  /** Whether what was said last is the guest's own. */
  get lastIsMine() {
    return this.items.at(-1)?.mine;
  }

  /** Shows a message of the room, or another thing that lasts. */
  message(message) {
    if (this.has(message)) return;
    this.add(message);
    if (this.atEnd || message.mine || !message.text) return;
    this.unseen++;
    this.showNewest();
  }

  /** Notes what has no place of its own; tells whether it was that. */
  passOver(event) {
    if (!isAnnotation(event)) return false;
    const { seq } = event, last = this.passed.at(-1);
    /* Where the newest are not here, it comes with them. */
    if (this.rest && seq === cursor) return true;
    if (last?.[1] === seq - 1) last[1] = seq;
    else this.passed.push([seq, seq]);
    if (this.passed.length > KEPT) this.passed.shift();
    return true;
  }

  /** How many numbers between these two are of what has no place of its own, or has given way to another. */
  passedBetween(after, before) {
    const runs = this.passed.concat(this.replaced).filter(([first, last]) => first < before && last > after).sort(([one], [other]) => one - other);
    let count = 0;
    for (const [first, last] of runs) {
      const end = Math.min(last, before - 1);
      count += Math.max(0, end - Math.max(first - 1, after));
      after = Math.max(after, end);
    }
    return count;
  }

  /** Shows a quiet line. */
  line(...words) {
    this.add({ words, time: Date.now() });
  }

  /** Shows who joined or left; several in a row share a line. */
  presence(verb, name, time) {
    const last = this.items.at(-1);
    if (this.rest || last?.verb !== verb) return this.add({ verb, names: [name], time });
    last.names.push(name);
    if (last.nodes) this.addName(last.nodes.at(-1), last);
  }

  /** Takes a page of the history, if it has what was asked for: all that lasts between these two numbers. */
  paged(before, after, events) {
    const { items, rest, found } = this;
    const end = before > cursor ? 0 : before - 1;
    /* What is newer than the cursor comes by itself. */
    const take = (from) => events.filter((event) => event.seq > from && event.seq <= cursor && !this.passOver(event)).map(shown).filter((item) => !this.has(item));
    if (found && events.some(this.isMeant)) {
      this.begin(after);
      this.rest = end;
      this.items = take(0);
      found();
    } else if (before === this.reach + 1) {
      const first = this.from === 0, older = take(0);
      items.unshift(...older);
      this.from += older.length;
      this.to += older.length;
      this.reached(after);
      if (first && this.from < this.to) this.shift(() => this.draw(this.from));
    } else if (after <= rest && rest < before) {
      this.rest = end;
      items.push(...take(rest));
      this.asking = false;
    } else if (found) {
      this.found = complain('That message is not here any more, or you ignore its author.');
    }
    this.letGo();
    this.scrolled();
  }

  /** Lets go of what is furthest from the view, where there is too much. */
  letGo() {
    const { items } = this;
    const extra = items.length - KEPT;
    if (extra < STEP) return;
    if (this.from > items.length - this.to) {
      items.splice(0, extra);
      this.from -= extra;
      this.to -= extra;
      const first = items.find(({ seq }) => seq);
      this.reached(first?.run === this.run ? first.seq - 1 : 0);
    } else {
      items.length = KEPT;
      this.rest = items.findLast(({ seq, run }) => seq && run === this.run)?.seq ?? this.base;
      this.asking = false;
    }
  }

  /** What comes after this message is new to the reader. */
  mark(seq) {
    this.marked = { run: this.run, seq };
    this.placeFresh();
  }

  add(item) {
    if (this.rest) return;
    const live = this.to === this.items.length;
    this.items.push(item);
    /* Who reads further up gets what is new when they come down. */
    if (live && (this.atEnd || this.to - this.from < 2 * SHOWN)) {
      this.draw(this.to++);
      if (item.seq && this.marked && !this.fresh.isConnected) this.placeFresh();
      if (this.atEnd && this.to - this.from > SHOWN) {
        this.dropTop();
        this.lastTop = 0;
      }
    }
    this.letGo();
  }

  /** Takes messages away for good, with a line in place of each run of them. */
  erase(isGone, guest) {
    const { items } = this;
    this.quietly(() => items.forEach((item, index) => {
      if (!item.text || item.run !== this.run || !isGone(item)) return;
      const { seq, run, time, nodes } = item;
      items[index] = { seq, run, time, nodes, guest, act: 'gone' };
      for (const place of [index, index + 1]) {
        /* Below it the name is said again. */
        if (items[place]) items[place].below = undefined;
        if (items[place]?.nodes) this.draw(place);
      }
    }));
  }

  /** Makes all elements anew. */
  redraw() {
    this.shift(() => {
      for (let index = this.from; index < this.to; index++) this.draw(index);
      this.placeFresh();
    });
  }

  /** Makes elements of these items alone. */
  view(from, to) {
    this.quietly(() => {
      while (this.from < this.to) this.undraw(this.items[--this.to]);
      this.from = from;
      for (this.to = from; this.to < to; ) this.draw(this.to++);
      this.placeFresh();
    });
    this.showBeginning();
  }

  /** Makes the elements of an item, in place of those it had. */
  draw(index) {
    const item = this.items[index];
    const before = item.nodes?.at(-1).nextSibling ?? this.nextNode(index);
    this.undraw(item);
    item.nodes = this.nodesOf(item, index);
    for (const node of item.nodes) this.said.insertBefore(node, before);
  }

  undraw(item) {
    for (const node of item.nodes ?? []) node.remove();
    item.nodes = undefined;
  }

  /** The first element after the place of an item. */
  nextNode(index) {
    return index < this.from ? this.items[this.from]?.nodes?.[0] ?? null : null;
  }

  nodesOf(item, index) {
    const previous = this.items[index - 1];
    const spoken = item.seq && this.spokenBefore(index);
    const nodes = [];
    const day = dayName.format(item.time);
    if (!previous || day !== dayName.format(previous.time)) nodes.push(make('h2', 'day', zoneName ? `${day} (${zoneName})` : day));
    let missing = spoken && spoken.run === item.run && item.run === this.run ? item.seq - spoken.seq - 1 : 0;
    if (missing > 0) missing -= this.passedBetween(spoken.seq, item.seq);
    if (missing > 0) nodes.push(make('p', 'line', `${counted(missing, 'message', 'messages')} no longer kept`));
    if (item.act || item.words || talk.hides?.(item)) {
      const words = item.words ?? governed.words?.(item) ?? [];
      const line = make('p', 'line', ...words);
      line.hidden = !words.length || (item.act === 'gone' && previous?.act === 'gone');
      nodes.push(line);
    } else if (item.text) {
      const follows = this.below(index) > 0 && !nodes.length && !this.isFresh(item, previous);
      const node = messageNode(item, follows, timeNode(item.time));
      talk.mark?.(node, item);
      nodes.push(node);
    } else {
      nodes.push(this.presenceNode(item));
    }
    return nodes;
  }

  /** How many lines below its author's name a message stands; 0: the name is said with it. */
  below(index) {
    const { items } = this;
    const joins = (one, next) => one?.text !== undefined && one.guest === next.guest && one.name === next.name
      && one.to === next.to && next.time - one.time < TOGETHER;
    let first = index;
    while (items[first].below === undefined && joins(items[first - 1], items[first])) first--;
    for (; first <= index; first++) {
      const [one, item] = [items[first - 1], items[first]];
      const below = joins(one, item) ? one.below + Math.min(LINES, linesOf(one.text)) : 0;
      item.below ??= below < NAMED_EVERY ? below : 0;
    }
    return items[index].below;
  }

  presenceNode(item) {
    const node = make('p', 'line presence');
    node.title = fullTime.format(item.time);
    for (let count = 1; count <= item.names.length; count++) this.addName(node, item, count);
    return node;
  }

  /** Puts one more name on a line. Only that is read out: what stands there already is not changed. */
  addName(node, { verb, names }, count = names.length) {
    const name = make('span', '', nameNode(names[count - 1]), make('span', 'verb', ` ${verb}`));
    if (count <= NAMES_IN_LINE) return node.append(count > 1 ? ', ' : '', name);
    name.className = 'unseen';
    const more = make('span', '', ` and ${count - NAMES_IN_LINE} more ${verb}`);
    more.ariaHidden = 'true';
    if (count > NAMES_IN_LINE + 1) for (const old of [...node.childNodes].slice(-2)) old.remove();
    node.append(name, more);
  }

  /** The message before this item. */
  spokenBefore(index) {
    while (--index >= 0) if (this.items[index].seq) return this.items[index];
    return undefined;
  }

  /** Whether the unread messages begin with this one. */
  isFresh({ run, seq }, spoken) {
    const { marked } = this;
    const unread = (item) => item && item.run === marked.run && item.seq > marked.seq;
    return Boolean(marked && seq && unread({ run, seq }) && !unread(spoken));
  }

  /** Puts the line before the first unread message, if that is shown. */
  placeFresh() {
    this.fresh.remove();
    for (let index = this.from; index < this.to; index++) {
      const item = this.items[index];
      if (!item.seq || !this.isFresh(item, this.spokenBefore(index))) continue;
      /* Under the line the name is said again. */
      this.draw(index);
      item.nodes.at(-1).before(this.fresh);
      return;
    }
  }

  /** Shows more above the view. */
  up() {
    if (this.from > 0) {
      while (this.to - this.from > SHOWN) this.undraw(this.items[--this.to]);
      this.shift(() => {
        for (let rest = STEP; rest > 0 && this.from > 0; rest--) {
          this.draw(this.from - 1);
          this.from--;
        }
        this.placeFresh();
      });
    } else if (this.reach && !this.asking && !catchingUp) {
      this.asking = this.more({ before: this.reach + 1 });
    }
    this.showBeginning();
  }

  /** Shows more below the view. */
  down() {
    if (this.to === this.items.length) this.asking ||= this.more({ after: this.rest });
    else this.quietly(() => {
      for (let rest = STEP; rest > 0 && this.to < this.items.length; rest--) this.draw(this.to++);
      this.placeFresh();
    });
    if (this.to - this.from > SHOWN) this.shift(() => this.dropTop());
  }

  dropTop() {
    for (let extra = this.to - this.from - SHOWN + STEP; extra > 0; extra--) this.undraw(this.items[this.from++]);
    this.showBeginning();
  }

  /** Changes what is above the view, which stays where it is. */
  shift(change) {
    const { scroller } = this;
    const below = scroller.scrollHeight - scroller.scrollTop;
    /* The browser's own way of the same thing must not come on top. */
    scroller.style.overflowAnchor = 'none';
    this.quietly(change);
    scroller.scrollTop = scroller.scrollHeight - below;
    this.lastTop = scroller.scrollTop;
    requestAnimationFrame(() => (scroller.style.overflowAnchor = ''));
  }

  /** Makes a change that is not read out: nothing new was said. */
  quietly(change) {
    this.said.ariaLive = 'off';
    change();
    setTimeout(() => (this.said.ariaLive = 'polite'), 100);
  }

  showBeginning() {
    this.loading.hidden = !this.from && !this.reach;
    this.beginning.hidden = !this.loading.hidden;
  }

  /** The way to the newest, where there are new ones or they are `far`. */
  showNewest(far) {
    const { newest, unseen } = this;
    newest.hidden = !unseen && !far;
    newest.textContent = unseen ? `${unseen} new ↓` : 'Newest ↓';
  }

  toEnd() {
    if (this.rest) {
      if (!this.more({ before: cursor + 1 })) return;
      this.begin(cursor);
      this.asking = true;
    }
    const { length } = this.items;
    if (this.to < length) this.view(Math.max(0, length - STEP), length);
    this.atEnd = true;
    this.unseen = 0;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.lastTop = this.scroller.scrollTop;
    this.ended();
  }

  /* Only moving up leaves the end: growth below, not yet followed, does not. */
  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const below = scrollHeight - scrollTop - clientHeight;
    const whole = this.to === this.items.length && !this.rest;
    if (below < 48 && whole) {
      if (!this.atEnd) this.toEnd();
    } else if (scrollTop < this.lastTop || !whole) {
      this.atEnd = false;
    }
    this.lastTop = scrollTop;
    this.showNewest(!whole || below > clientHeight);
    if (below < 1.5 * clientHeight && !whole) this.down();
    else if (scrollTop < 1.5 * clientHeight) this.up();
  }
}
