/* The roster. */
'use strict';

/** The hue of a guest's badge, in degrees. */
const hueOf = (guest) => Math.floor((guest * 137.508 + 285) % 360);

/** How many colours there are in colours.css. */
const COLOURS = 12;

/** Which guest has which colour: that of their badge's hue, or one as far from all others as can be where somebody who is here
    or has spoken has that. Nobody's colour changes while the page is open. */
const colours = new Map();
function colourOf(guest) {
  if (!colours.has(guest)) {
    const taken = Array(COLOURS).fill(0);
    for (const colour of colours.values()) taken[colour]++;
    const rarest = Math.min(...taken);
    const own = Math.floor((hueOf(guest) * COLOURS) / 360);
    const room = (colour) => {
      for (let far = 0; far <= COLOURS / 2; far++) {
        if (taken[(colour + far) % COLOURS] > rarest || taken[(colour + COLOURS - far) % COLOURS] > rarest) return far;
      }
      return COLOURS;
    };
    let best = own;
    if (taken[own] > rarest) for (let colour = 0; colour < COLOURS; colour++) if (room(colour) > room(best)) best = colour;
    colours.set(guest, best);
  }
  return `h${colours.get(guest)}`;
}

/** Those who are not here any more give way, once so many are known that colours say little. */
function forgetColours(present) {
  if (colours.size > 10 * COLOURS) for (const guest of colours.keys()) if (!present.has(guest)) colours.delete(guest);
}

/** A guest's badge, as docs/protocol.md defines it: the characters, and the pattern by rows. Numbers beyond 32 bits. */
function badgeOf(guest) {
  const bits = (from, count) => Math.floor(guest / 2 ** from) % 2 ** count;
  const text = [15, 10, 5, 0].map((from) => '0123456789abcdefghjkmnpqrstvwxyz'[bits(from, 5)]).join('');
  const rows = [32, 29, 26, 23, 20].map((from) => [2, 1, 0, 1, 2].map((bit) => bits(from + bit, 1)));
  return { text, rows };
}

/** The badge beside a name. The style shows its characters, so that no text of a name can be like it or be copied with it. */
function badgeNode(guest, name) {
  const { text, rows } = badgeOf(guest);
  const node = element('badge').content.firstElementChild.cloneNode(true);
  node.dataset.badge = text;
  node.classList.add(colourOf(guest));
  assign(node, { guest, name });
  showRole(node);
  const cells = rows.flatMap((row, y) => row.map((cell, x) => (cell ? `M${x} ${y}h1` : '')));
  node.querySelector('path').setAttribute('d', cells.join(''));
  return node;
}

/** What the guest of a badge may do here stands in its frame, and whether the name beside it is reserved for them. */
function showRole(node) {
  const role = roleOf(node.guest);
  const { name, kept = false } = people.guests.get(node.guest) ?? {};
  const reserved = kept && name === (node.name ?? name);
  node.classList.toggle('kept', reserved);
  node.ariaLabel = [ROLES[role], `badge ${node.dataset.badge}`, reserved && 'name reserved'].filter(Boolean).join(', ');
  if (role) node.dataset.role = ROLES[role];
  else delete node.dataset.role;
}

class People {
  constructor({ list, crowd, counts, button }) {
    assign(this, { list, crowd, counts, button });
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
    forgetColours(this.guests);
    /* In this order, so that other windows give the same colours. */
    for (const { id } of [...guests].sort((one, other) => one.id - other.id)) colourOf(id);
    this.show();
  }

  /** The occupancy, where the roster is not told. */
  tally(count) {
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
        if (id === this.me || away) item.append(make('span', 'quiet', id === this.me ? tr('you') : tr('away')));
        item.append(badgeNode(id, name));
        talk.mark?.(item, { guest: id, name });
        return item;
      }),
    );
    document.querySelectorAll('.badge').forEach(showRole);
    const number = sorted.length + this.unnamed || '';
    for (const count of this.counts) count.textContent = number;
    this.button.ariaLabel = number ? `People here: ${number}` : 'People here';
    this.crowd.hidden = !this.unnamed;
    this.crowd.textContent = `${number} people are here, too many to list.`;
  }
}
