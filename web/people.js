/* The roster. */
'use strict';

/** Neighbouring numbers get hues far apart (the golden angle), the same in every window. */
const hueOf = (guest) => Math.floor((guest * 137.508 + 285) % 360);

/** A guest's badge, as docs/protocol.md defines it: the characters, and the pattern by rows. Numbers beyond 32 bits. */
function badgeOf(guest) {
  const bits = (from, count) => Math.floor(guest / 2 ** from) % 2 ** count;
  const text = [15, 10, 5, 0].map((from) => '0123456789abcdefghjkmnpqrstvwxyz'[bits(from, 5)]).join('');
  const rows = [32, 29, 26, 23, 20].map((from) => [2, 1, 0, 1, 2].map((bit) => bits(from + bit, 1)));
  return { text, rows };
}

/** The badge beside a name. The style shows its characters, so that no text of a name can be like it or be copied with it. */
function badgeNode(guest) {
  const { text, rows } = badgeOf(guest);
  const node = element('badge').content.firstElementChild.cloneNode(true);
  node.ariaLabel = `badge ${text}`;
  node.dataset.badge = text;
  node.style.setProperty('--hue', hueOf(guest));
  const cells = rows.flatMap((row, y) => row.map((cell, x) => (cell ? `M${x} ${y}h1` : '')));
  node.querySelector('path').setAttribute('d', cells.join(''));
  return node;
}

class People {
  constructor({ list, crowd, counts, button }) {
    Object.assign(this, { list, crowd, counts, button });
    this.guests = new Map();
    /** How many are here beside those in the map, whom nobody names: the room is a crowd. */
    this.unnamed = 0;
    this.me = undefined;
    this.collator = new Intl.Collator();
  }

  /** All guests present, in place of all before; of a crowd of `count` only this guest. */
  replace(guests, count = guests.length) {
    this.guests = new Map(guests.map((guest) => [guest.id, guest]));
    this.unnamed = count - guests.length;
    this.show();
  }

  /** The occupancy, where the roster is not told. */
  number(count) {
    this.replace([...this.guests.values()].filter(({ id }) => id === this.me), count);
  }

  /** The name of a guest who is present. */
  nameOf(id) {
    return this.guests.get(id)?.name;
  }

  /** Puts a guest as they are now; tells the name they had, nothing if they were not here. */
  put(guest) {
    const was = this.nameOf(guest.id);
    this.guests.set(guest.id, guest);
    this.show();
    return was;
  }

  /** Returns whether the guest was present. */
  remove({ id }) {
    const was = this.guests.delete(id);
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
    const sorted = [...this.guests.values()].sort((one, other) => this.collator.compare(one.name, other.name));
    this.list.replaceChildren(
      ...sorted.map(({ id, name, away }) => {
        const item = make('li', away ? 'away' : '', nameNode(name));
        if (id === this.me || away) item.append(make('span', 'quiet', id === this.me ? 'you' : 'away'));
        item.append(badgeNode(id));
        return item;
      }),
    );
    const number = sorted.length + this.unnamed;
    for (const count of this.counts) count.textContent = number;
    this.button.ariaLabel = `People here: ${number}`;
    this.crowd.hidden = !this.unnamed;
    this.crowd.textContent = `${number} people are here, too many to list. Their names stand on what they say.`;
  }
}
