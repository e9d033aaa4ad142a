/* The conversation as it is seen: messages, days, quiet lines, and where the reader is in it. */
'use strict';

/** Messages of one guest stand together if they are not further apart than this. */
const TOGETHER = 5 * 60 * SECOND;
/** More elements than this are not kept in the page; the oldest go. */
const KEPT = 3000;
/** More names than this are not listed in one quiet line. */
const NAMES_IN_LINE = 6;

class Log {
  constructor({ scroller, conversation, said, unsaid, newest }) {
    Object.assign(this, { scroller, said, unsaid, newest });
    this.atEnd = true;
    this.unseen = 0;
    this.lastTop = 0;
    scroller.addEventListener('scroll', () => this.scrolled(), { passive: true });
    newest.addEventListener('click', () => this.toEnd());
    const growth = new ResizeObserver(() => this.atEnd && this.toEnd());
    growth.observe(scroller);
    growth.observe(conversation);
  }

  /** Shows a message of the room. */
  message({ guest, name, text, mine, time }) {
    this.day(time);
    const last = this.last;
    const follows = last?.guest === guest && last.name === name && time - last.time < TOGETHER;
    const node = messageNode({ guest, name, text, mine, follows }, timeNode(time));
    this.append(node, { guest, name, time, mine });
    if (!this.atEnd && !mine) this.more();
  }

  /** Shows a quiet line, such as a gap. */
  line(...words) {
    this.append(make('p', 'line', ...words));
  }

  /** Shows who joined or left; several in a row share a line. */
  presence(verb, name, time) {
    this.day(time);
    const last = this.last;
    if (last?.verb !== verb) {
      const node = make('p', 'line');
      node.title = fullTime.format(time);
      this.append(node, { verb, names: [], node });
    }
    const { names, node } = this.last;
    names.push(name);
    const shown = names.slice(0, NAMES_IN_LINE).flatMap((each, index) => (index ? [', ', nameNode(each)] : [nameNode(each)]));
    if (names.length > NAMES_IN_LINE) shown.push(` and ${names.length - NAMES_IN_LINE} more`);
    node.replaceChildren(...shown, ` ${verb}`);
  }

  day(time) {
    const day = dayName.format(time);
    if (day === this.lastDay) return;
    this.lastDay = day;
    this.append(make('h2', 'day', day));
  }

  append(node, last) {
    this.last = last;
    this.said.append(node);
    if (this.said.childElementCount > KEPT && this.atEnd) {
      for (let extra = KEPT / 10; extra > 0; extra--) this.said.firstChild.remove();
      this.lastTop = 0;
    }
  }

  more() {
    this.unseen++;
    this.newest.textContent = `${this.unseen} new ↓`;
    this.newest.ariaLabel = `${counted(this.unseen, 'new message', 'new messages')}, go to the newest`;
    this.newest.hidden = false;
  }

  toEnd() {
    this.atEnd = true;
    this.unseen = 0;
    this.newest.hidden = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /* Only moving up leaves the end: growth below, not yet followed, does not. */
  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (scrollHeight - scrollTop - clientHeight < 48) {
      if (!this.atEnd) this.toEnd();
    } else if (scrollTop < this.lastTop) {
      this.atEnd = false;
    }
    this.lastTop = scrollTop;
  }
}

/** The guest's own messages that are not in the log yet. They outlive the connection. */
class Unsaid {
  constructor(container, { send, edit, follows }) {
    Object.assign(this, { container, send, edit, follows });
    this.messages = new Map();
  }

  add(text) {
    const message = { id: randomId(), text, foot: make('span', 'foot') };
    message.node = messageNode({ text, mine: true, follows: this.messages.size > 0 || this.follows() }, message.foot);
    this.messages.set(message.id, message);
    this.container.append(message.node);
    this.attempt(message);
  }

  attempt(message) {
    message.node.classList.remove('failed');
    this.mark(message, this.send({ type: 'say', id: message.id, text: message.text }) ? 'sending…' : 'waiting to be sent');
    message.failed = false;
  }

  /** Sends again, under the same ids, what is not acknowledged. */
  attemptAll() {
    for (const message of this.messages.values()) if (!message.failed && !message.sent) this.attempt(message);
  }

  /** The connection is gone: what was on its way waits. */
  interrupted() {
    for (const message of this.messages.values()) if (!message.failed && !message.sent) this.mark(message, 'waiting to be sent');
  }

  acknowledged(id) {
    const message = this.messages.get(id);
    if (!message) return;
    message.sent = true;
    this.mark(message, 'sent');
  }

  /** The room has started afresh and remembers no confirmation. */
  forgotten() {
    for (const message of this.messages.values()) message.sent = false;
  }

  failed(id, reason) {
    const message = this.messages.get(id);
    if (!message) return false;
    message.failed = true;
    message.node.classList.add('failed');
    const again = make('button', 'link', 'Try again');
    again.type = 'button';
    again.onclick = () => this.attempt(message);
    const edit = make('button', 'link', 'Edit');
    edit.type = 'button';
    edit.onclick = () => {
      this.remove(id);
      this.edit(message.text);
    };
    message.foot.replaceChildren(`Not sent. ${reason} `, again, ' ', edit);
    return true;
  }

  /** What the room has confirmed will not be shown any more: it lies in a gap. */
  passedOver() {
    for (const message of this.messages.values()) if (message.sent) this.remove(message.id);
  }

  /** Takes a message out, because it is said now or being edited. */
  remove(id) {
    this.messages.get(id)?.node.remove();
    return this.messages.delete(id);
  }

  mark(message, words) {
    message.foot.textContent = words;
  }

  /** Whether closing the page would lose something. */
  get any() {
    return [...this.messages.values()].some((message) => !message.sent);
  }
}
