/* Who is here. */
'use strict';

/** Neighbouring numbers get hues far apart (the golden angle), the same in every window. */
const hueOf = (guest) => Math.round((guest * 137.508 + 285) % 360);

class People {
  constructor({ list, counts, button }) {
    Object.assign(this, { list, counts, button });
    this.names = new Map();
    this.me = undefined;
    this.collator = new Intl.Collator();
  }

  /** All who are here, in place of all before. */
  replace(guests) {
    this.names = new Map(guests.map(({ id, name }) => [id, name]));
    this.show();
  }

  /** Puts a guest under a name; tells the name they had, nothing if they were not here. */
  put({ id, name }) {
    const was = this.names.get(id);
    this.names.set(id, name);
    this.show();
    return was;
  }

  /** Tells whether the guest was here. */
  remove({ id }) {
    const was = this.names.delete(id);
    this.show();
    return was;
  }

  /** Draws the list soon: a burst of changes is drawn once. */
  show() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.draw();
    }, 20);
  }

  draw() {
    const sorted = [...this.names].sort(([, one], [, other]) => this.collator.compare(one, other));
    this.list.replaceChildren(
      ...sorted.map(([id, name]) => {
        const item = make('li', '', make('span', 'dot'), nameNode(name));
        item.style.setProperty('--hue', hueOf(id));
        if (id === this.me) item.append(make('span', 'quiet', 'you'));
        return item;
      }),
    );
    for (const count of this.counts) count.textContent = sorted.length;
    this.button.ariaLabel = `People here: ${sorted.length}`;
  }
}
