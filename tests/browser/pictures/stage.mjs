/* What the pictures are of: rooms, who is in them, and the verbs that the table of states (states.mjs) needs beside those of the kit. */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Doors } from '../kit/doors.mjs';
import { DESKTOP, Guest } from '../kit/guest.mjs';
import * as menu from '../kit/menu.mjs';
import { NoscriptPage } from '../kit/noscript.mjs';
import { LocalRoom } from '../kit/room.mjs';
import { Speaker } from '../kit/speaker.mjs';
import { until } from '../kit/until.mjs';

export const PASSWORD = 'tea at five, no sugar';
/** Firefox tells a page this theme, and not that of Tor Browser, which is light for everyone. */
const TELLS = { light: 1, dark: 0 };

/** A room with those who are in it; each play (states.mjs) has its own. */
export class Stage {
  /** Browsers, by the guest's name. */
  guests = {};
  /** Guests without a browser, by their name. */
  speakers = {};
  /** The numbers of messages that states come back to, by a word. */
  said = {};

  /** `theme` is that of browsers without scripts. */
  constructor(theme) {
    this.theme = theme;
  }

  /** A room in memory that the play governs as its host (`act`). */
  async openHall() {
    this.doors = await Doors.open({});
    this.room = this.doors.door(0);
  }

  /** Two rooms at one address with few seats, which can be closed. */
  async openHouse() {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'onionroom-pictures-'));
    const config = path.join(this.directory, 'rooms.toml');
    fs.writeFileSync(config, '[room]\ntitle = "Hall"\nguests = 8\n\n[[rooms]]\nname = "tea"\ntitle = "Tea at five"\n\n[[rooms]]\nname = "attic"\ntitle = "A title as long as titles may be, for the attic"\n');
    this.house = await LocalRoom.open({ ONIONROOM_CONFIG: config });
    this.room = this.house;
  }

  act(act) {
    return this.doors.act(act);
  }

  /** A guest with a browser. */
  async browse(name, { size = DESKTOP, preferences = {} } = {}) {
    this.guests[name] = await Guest.arrive(this.room, { name, size, preferences });
    return this.guests[name];
  }

  /** A guest whose browser runs no scripts, in the theme of the stage. */
  async browsePlain(name) {
    const preferences = { 'privacy.resistFingerprinting': false, 'layout.css.prefers-color-scheme.content-override': TELLS[this.theme] };
    this.guests[name] = await NoscriptPage.arrive(this.room, { name, size: DESKTOP, preferences });
    return this.guests[name];
  }

  async speak(name) {
    this.speakers[name] = await Speaker.arrive(this.room, name);
    return this.speakers[name];
  }

  async close() {
    for (const guest of Object.values(this.guests)) await guest.leave();
    for (const speaker of Object.values(this.speakers)) speaker.vanish();
    await this.doors?.close();
    await this.house?.close();
    if (this.directory) fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Comes in under this name. */
export async function enter(guest, name) {
  await guest.open();
  await guest.connected();
  await guest.rename(name);
  await until(`the name ${name}`, async () => (await guest.name()) === name);
}

/** Opens the room by a link with this fragment. */
export async function withLink(guest, fragment) {
  const { url } = guest;
  guest.url = `${url}#${fragment}`;
  await guest.open();
  guest.url = url;
}

/** Opens the room as a new guest. */
export async function anew(guest) {
  /* It asks whether what is not sent may be lost. */
  guest.page?.on('dialog', (dialog) => dialog.accept());
  await guest.page?.evaluate(() => {
    connection.stop();
    seat.forget();
    doors.leaving = true;
    sessionStorage.clear();
    localStorage.clear();
  });
  await guest.page?.close();
  await guest.open();
}

/** Puts a text into the message box, as if it was typed. */
export async function type(guest, text) {
  await guest.page.bringToFront();
  await guest.ask(() => composer.set(''));
  await guest.page.focus('#text');
  await guest.page.keyboard.type(text);
}

export const untype = (guest) => guest.ask(() => {
  composer.set('');
  document.getElementById('note').hidden = true;
});

/** Opens the menu of a guest in the list, or of a message; the list may have to be opened first. */
export async function openMenu(guest, of) {
  if (of.name) await openPeople(guest);
  await menu.openMenu(guest, of);
}

/** Presses entries of such a menu, one after the other. */
export async function choose(guest, of, ...words) {
  if (of.name) await openPeople(guest);
  await menu.choose(guest, of, ...words);
}

/** Shows who is here: a column on a desk, a drawer on a phone. */
export async function openPeople(guest) {
  await guest.ask(() => {
    const people = document.getElementById('people');
    if (document.getElementById('people-button').getClientRects().length && !people.matches(':popover-open')) people.showPopover();
  });
}

/** Closes what is open above the page: menus, drawers, dialogs. */
export const closeAll = (guest) => guest.ask(() => {
  for (const open of document.querySelectorAll(':popover-open')) open.hidePopover();
  for (const open of document.querySelectorAll('dialog[open]')) open.close();
});

/** Opens the dialog of hosts, with what begins so in view. */
export async function govern(guest, heading) {
  await guest.page.bringToFront();
  await guest.see('the dialog', () => {
    const open = [...document.querySelectorAll('header button')].find((each) => each.textContent.startsWith('Govern') && each.getClientRects().length);
    if (!document.getElementById('govern')?.open) open?.click();
    return document.getElementById('govern')?.open;
  });
  if (heading) {
    await guest.see(heading, (wanted) => {
      const found = [...document.querySelectorAll('#govern :is(h3, form)')].find((each) => each.textContent.startsWith(wanted));
      found?.scrollIntoView();
      return Boolean(found);
    }, heading);
  }
}

/** Until something with these words is shown on the page. */
export const shows = (guest, selector, words) => guest.see(`${selector} says "${words}"`, (place, wanted) => [...document.querySelectorAll(place)].some((each) => each.getClientRects().length && each.textContent.includes(wanted)), selector, words);

/** Opens a page of the room without scripts in a tab of its own, which the guest's verbs are about until `closeAside`. */
export async function openAside(guest, place) {
  guest.before ??= guest.page;
  if (guest.page === guest.before) guest.page = await guest.browser.newPage();
  await guest.page.setViewport(guest.size);
  await guest.page.goto(new URL(`rooms/main/page/${place}`, guest.url).href, { waitUntil: 'domcontentloaded', timeout: 30_000 });
}

export async function closeAside(guest) {
  if (!guest.before) return;
  await guest.page.close();
  guest.page = guest.before;
  guest.before = undefined;
  await guest.page.bringToFront();
}

/** Fills a form of such a page and sends it with its button. */
export async function sendPlain(guest, fields, button) {
  await guest.ask((values, wanted) => {
    const press = [...document.querySelectorAll('button')].find((each) => each.textContent.trim().startsWith(wanted));
    for (const [name, value] of Object.entries(values)) press.form.querySelector(`[name=${name}]`).value = value;
    document.body.dataset.old = 'yes';
    press.click();
  }, fields, button);
  await until('the answer', () => guest.ask(() => document.readyState !== 'loading' && document.body && !document.body.dataset.old));
}

/** Whether the menu of this guest has an entry with these words. */
export async function offers(guest, of, words) {
  await openMenu(guest, of);
  const found = await guest.ask((wanted) => [...document.querySelectorAll('#menu button')].some((each) => each.textContent === wanted), words);
  await closeAll(guest);
  return found;
}
