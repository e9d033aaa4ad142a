/* The box in which messages are written. */
'use strict';

class Composer {
  /** `say(text)` gets what is to be sent, `changed(draft)` whatever stands in the box. */
  constructor({ form, text, left, note, say, changed }) {
    Object.assign(this, { text, left, note, changed });
    /** The longest message, in bytes, once known. */
    this.limit = undefined;
    text.addEventListener('input', () => this.edited());
    text.addEventListener('keydown', (event) => {
      /* Enter that ends a composition (Japanese, Chinese …) belongs to the composition. 229: older engines. */
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      form.requestSubmit();
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit(say);
    });
  }

  submit(say) {
    const text = tidy(this.text.value);
    this.focus();
    if (!text) return;
    if (this.showLeft() < 0) {
      this.complain('This message is too long. Make it shorter, or send it in parts.');
      return;
    }
    this.set('');
    say(text);
  }

  focus() {
    this.text.focus();
  }

  /** Says what is wrong, or that nothing is any more. */
  complain(sentence) {
    this.note.textContent = sentence ?? '';
    this.note.hidden = !sentence;
  }

  set(text) {
    this.text.value = text;
    this.edited();
  }

  /** Puts a message back to be edited, before what is being written. */
  takeBack(text) {
    this.set([text, this.text.value].filter(Boolean).join('\n'));
    this.focus();
  }

  edited() {
    this.text.style.height = 'auto';
    this.text.style.height = `${this.text.scrollHeight + 2}px`;
    this.showLeft();
    this.complain();
    this.changed(this.text.value);
  }

  /** Tells what is left of the room for a message once most of it is used; gives it in bytes. */
  showLeft() {
    const { left: shown, limit = Infinity } = this;
    const left = limit - byteLength(tidy(this.text.value));
    shown.hidden = limit === Infinity || left > limit / 5;
    shown.textContent = left < 0 ? `${-left} too long` : `${left} left`;
    shown.title = 'Counted in bytes of UTF-8';
    shown.classList.toggle('over', left < 0);
    return left;
  }
}
