/* What the guest said and the room has not confirmed. */
'use strict';

/** The guest's own messages that are not in the log yet. They outlive the connection. */
class Unsaid {
  constructor(container, { send, edit, follows }) {
    assign(this, { container, send, edit, follows });
    this.messages = new Map();
  }

  /** `what` is what it answers to (`reply`), or whom alone it is for (`to`, `to_name`). */
  add(text, id = randomId(), what) {
    const message = { ...what, id, text, foot: make('span', 'foot') };
    message.node = messageNode({ ...what, text, mine: true }, this.messages.size > 0 || this.follows(), message.foot);
    this.messages.set(message.id, message);
    this.container.append(message.node);
    this.attempt(message);
  }

  attempt(message) {
    const { id, text, reply, to } = message;
    message.node.classList.remove('failed');
    this.mark(message, !(this.again && policy.slow) && this.send({ type: to ? 'whisper' : 'say', id, text, reply, to }) ? tr('sending…') : 'waiting to be sent');
    message.failed = false;
  }

  /** Sends again, under the same ids, what is not acknowledged. */
  attemptAll() {
    clearTimeout(this.again);
    this.again = undefined;
    for (const message of this.messages.values()) if (!message.failed && !message.sent) this.attempt(message);
  }

  /** The room could not write it, or not yet: it waits, and everything that does is sent again after so long, or a while that
      grows. */
  later(id, pause = Math.min(2 * (this.pause ?? SECOND), MINUTE)) {
    this.mark(this.messages.get(id), 'waiting to be sent');
    this.pause = pause;
    this.again ??= setTimeout(() => this.attemptAll(), pause);
  }

  /** The connection is gone, or does not answer: what was on its way waits. */
  interrupted(words = 'waiting to be sent') {
    for (const message of this.messages.values()) if (!message.failed && !message.sent) this.mark(message, words);
  }

  /** The room has this message; `passed` if it lies before what is shown, and will not come; `held` if a host reads it first. */
  acknowledged(id, seq, passed, held) {
    const message = this.messages.get(id);
    this.pause = undefined;
    if (!message) return;
    if (held) {
      message.sent = Infinity;
      message.held = seq;
      return this.mark(message, 'waits until a host lets it be said');
    }
    if (passed) return this.remove(id);
    message.sent = seq;
    this.mark(message, tr('sent'));
  }

  /** The room has started afresh and remembers no confirmation. */
  forgotten() {
    for (const message of this.messages.values()) message.sent = undefined;
  }

  failed(id, reason) {
    const message = this.messages.get(id);
    if (!message) return false;
    message.failed = true;
    message.node.classList.add('failed');
    const again = button('Try again', () => this.attempt(message));
    const edit = button('Edit', () => {
      this.remove(id);
      this.edit(message);
    });
    message.foot.replaceChildren(`Not sent. ${reason} `, again, ' ', edit);
    return true;
  }

  /** What the room has confirmed up to here will not be shown any more: it lies in a gap, or is deleted. */
  passedOver(cursor) {
    for (const message of this.messages.values()) if (message.sent <= cursor) this.remove(message.id);
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
