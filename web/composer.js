/* The box in which messages are written. */
'use strict';

/** A keyboard on glass, whose Enter key makes lines; what is written is sent with the button. */
const onGlass = () => matchMedia('(hover: none) and (pointer: coarse)').matches;

const segmenter = new Intl.Segmenter();
/** What people take for characters: an emoji of several parts is one. */
const charactersOf = (text) => Array.from(segmenter.segment(text), ({ segment }) => segment);

/** How many characters at the end of a text are beyond a number of bytes. */
function charactersBeyond(text, bytes) {
  const characters = charactersOf(text);
  let fit = 0;
  while (fit < characters.length && (bytes -= byteLength(characters[fit])) >= 0) fit++;
  return characters.length - fit;
}

class Composer {
  /** `say(text)` gets what is to be sent, `changed()` is called when something else stands in the box. */
  constructor({ form, text, left, note, say, changed }) {
    assign(this, { text, left, note, changed });
    /** The longest message, in bytes, once known. */
    this.limit = undefined;
    text.oninput = () => this.edited();
    if (onGlass()) text.enterKeyHint = 'enter';
    text.onkeydown = (event) => {
      /* Enter that ends a composition (Japanese, Chinese …) belongs to the composition. 229: older engines. */
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      if (onGlass() && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      form.requestSubmit();
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      this.submit(say);
    };
  }

  submit(say) {
    const text = tidy(this.text.value);
    this.focus();
    if (!text) return;
    if (this.showLeft() < 0) {
      this.complain(`This message is ${this.left.textContent}. Make it shorter, or send it in parts.`);
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
    this.changed();
  }

  /** Tells what is left of the room for a message once most of it is used; gives it in bytes. People count characters, of
      which some take more bytes than others: as many are left as of those that are there. */
  showLeft() {
    const { left: shown, limit = Infinity } = this;
    const text = tidy(this.text.value);
    const bytes = byteLength(text);
    const left = limit - bytes;
    shown.hidden = limit === Infinity || left > limit / 5;
    shown.classList.toggle('over', left < 0);
    if (shown.hidden) return left;
    const characters = left < 0 ? charactersBeyond(text, limit) : Math.floor((left * charactersOf(text).length) / bytes);
    const words = counted(characters, 'character', 'characters');
    shown.textContent = left < 0 ? `${words} too long` : bytes === text.length ? `${words} left` : `about ${words} left`;
    shown.title = `A message may have ${limit} bytes. A letter takes one to three, an emoji four or more.`;
    return left;
  }
}
