/* The page in other languages: each browser gets its own, nothing in English is left, also not from right to left, and a guest can
   have another. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faults } from './kit/axe.mjs';
import { DESKTOP, Guest } from './kit/guest.mjs';
import { LANGUAGES, messages, patternOf } from './kit/messages.mjs';
import { LocalRoom } from './kit/room.mjs';

const SMALL = { width: 360, height: 740 };

let room, english;

before(async () => {
  room = await LocalRoom.open();
  english = await arrive('en-US, en', { name: 'english', size: DESKTOP });
  await english.rename('Ann');
  await english.line('You are now called');
}, { timeout: 120_000 });

after(async () => {
  await english?.leave();
  await room?.close();
});

/** A guest whose browser prefers these languages. */
async function arrive(languages, how) {
  const guest = await Guest.arrive(room, { ...how, preferences: { 'intl.accept_languages': languages } });
  await guest.open();
  await connected(guest);
  return guest;
}

/** In whichever language it says so. */
const connected = (guest) => guest.see('it is connected', () => document.getElementById('status').dataset.state === 'connected');
const root = (guest) => guest.ask(() => ({ lang: document.documentElement.lang, dir: getComputedStyle(document.documentElement).direction }));

/** All that the page says by itself, shown or read out: not what guests have said, names, addresses, the names of languages, and what the
    room refuses, which has tests of its own. */
const said = (guest) => guest.ask(() => {
  const own = 'script, style, bdi, .words, .address, [lang]:not(:root), time, .day, #title, .badge, .emoji, #note, input, textarea';
  const texts = [];
  for (const node of document.querySelectorAll('body *')) {
    for (const name of ['title', 'aria-label', 'placeholder', 'alt']) if (node.hasAttribute(name) && !node.closest('time, a')) texts.push(node.getAttribute(name));
    if (node.closest(own) || node.localName === 'noscript') continue;
    for (const { nodeType, data } of node.childNodes) if (nodeType === Node.TEXT_NODE) texts.push(data);
  }
  return texts.map((text) => text.replace(/[\u2066-\u2069]/g, '').trim()).filter((text) => /\p{L}/u.test(text));
});

/** Nothing of it is in English, as far as the language has another word. */
async function spoken(guest, code, what) {
  const { entries } = messages(code);
  const own = entries.flatMap(({ forms }) => forms.map((form) => form.replaceAll('|', ' ')));
  const others = entries.flatMap(({ id, many = id, forms }) => [id, many].filter((text) => !forms.includes(text)));
  const patterns = others.filter((text) => /\p{L}/u.test(text.replace(/\{\d\}/g, ''))).map(patternOf);
  const left = (await said(guest)).filter((text) => {
    const ours = own.some((form) => patternOf(form).test(text));
    /* In other scripts two words of Latin letters one after the other are nothing of the language. */
    return (!ours && patterns.some((pattern) => pattern.test(text))) || (!/^(de|fr|es)$/.test(code) && /[a-z]{2,} [a-z]{2,}/i.test(text));
  });
  assert.deepEqual(left, [], `${code}, ${what}`);
}

/** It fits, axe finds nothing, and all is said in the language. */
async function fine(guest, code, what) {
  const { wide, inner, out } = await guest.ask(() => ({
    wide: document.documentElement.scrollWidth,
    inner: innerWidth,
    /* From right to left what is too wide is to the left, where nothing scrolls. */
    out: [...document.querySelectorAll('button, input, textarea, p, h2, dialog, #menu')].filter((node) => {
      const { left, right, width } = node.getBoundingClientRect();
      return width > 1 && !node.closest('.unseen') && (left < -1 || right > innerWidth + 1);
    }).map((node) => node.outerHTML.slice(0, 90)),
  }));
  assert.ok(wide <= inner, `${code}, ${what}: ${wide} px wide of ${inner}`);
  assert.deepEqual(out, [], `${code}, ${what}`);
  assert.deepEqual(await faults(guest.page), [], `${code}, ${what}`);
  await spoken(guest, code, what);
}

for (const [code, prefers] of Object.entries(LANGUAGES)) {
  test(`a browser that prefers ${prefers} gets ${code}, and nothing in English`, async () => {
    const guest = await arrive(`${prefers}, en;q=0.5`, { name: code, size: SMALL });
    try {
      const { lang, dir } = await root(guest);
      assert.deepEqual({ lang, dir }, { lang: code, dir: /^(fa|ar)$/.test(code) ? 'rtl' : 'ltr' });
      await guest.rename(`B${code.slice(0, 2)}`);
      await guest.see('its name', (wanted) => document.getElementById('name-shown').textContent === wanted, `B${code.slice(0, 2)}`);
      await english.page.bringToFront();
      await english.say(`hello to ${code}`);
      await guest.hears(`hello to ${code}`);
      await guest.say('سلام');
      await english.hears('سلام');
      const { title, dateTime } = await guest.ask(() => {
        const { title, dateTime } = [...document.querySelectorAll('#said time')].at(-1);
        return { title, dateTime };
      });
      const weekday = new Intl.DateTimeFormat(code, { weekday: 'long', timeZone: 'UTC' }).format(new Date(dateTime));
      assert.ok(title.includes(weekday), `${code}: ${title}`);
      for (const size of [SMALL, DESKTOP]) {
        const at = (what) => fine(guest, code, `${what}, ${size.width} px`);
        await guest.page.setViewport(size);
        await guest.page.bringToFront();
        await at('the conversation');
        await guest.screenshot(`languages-${code}-${size.width}`);
        if (size === SMALL) {
          await guest.page.click('#people-button');
          await at('people');
          await guest.screenshot(`languages-${code}-people`);
          await guest.page.click('#people .close');
        }
        await guest.page.click('#theme');
        await guest.see('the settings', () => document.getElementById('menu')?.matches(':popover-open'));
        await at('settings');
        await guest.screenshot(`languages-${code}-settings-${size.width}`);
        await guest.page.keyboard.press('Escape');
        await guest.see('the tools of a message', () => Boolean(document.querySelector('#said .mine .tool')));
        await guest.ask(() => [...document.querySelectorAll('#said .mine .tool')].at(-1).click());
        await at('the menu of a message');
        await guest.page.keyboard.press('Escape');
        await guest.page.click('#name-button');
        await guest.see('how to stay the same', () => document.querySelectorAll('#name-form .quiet button').length > 1);
        await at('the name');
        await guest.page.click('#name-cancel');
      }
      /* What is shown of a host's tools; the room would refuse each act. */
      await guest.ask(async () => {
        policy.roles.set(people.me, { of: people.me, role: 'host', name: 'x' });
        await bring('tools.js');
        [...document.querySelectorAll('header .round')].find(({ id }) => !id).click();
      });
      await guest.see('the dialog', () => Boolean(document.querySelector('#govern[open] form')));
      await guest.page.setViewport(SMALL);
      await fine(guest, code, 'the tools of hosts');
      await guest.screenshot(`languages-${code}-hosts`);
      assert.deepEqual(guest.problems, []);
    } finally {
      await guest.leave();
    }
  }, { timeout: 240_000 });
}

test('from right to left all stands on the other side', async () => {
  const guest = await arrive('fa', { name: 'persian', size: SMALL });
  try {
    await guest.say('اینجا');
    await guest.hears('اینجا');
    const places = await guest.ask(() => Object.fromEntries(Object.entries({ title: '#title', people: '#people-button', text: '#text', send: '#send', mine: '.mine > .bubble', time: '.mine time' }).map(([name, selector]) => {
      const { left, right } = document.querySelector(selector).getBoundingClientRect();
      return [name, { left, right }];
    })));
    assert.ok(places.people.right < places.title.right && places.people.left < 60);
    assert.ok(places.send.right <= places.text.left);
    assert.ok(places.mine.left < 60, 'its own messages are where a line ends');
    assert.ok(places.time.left < (places.mine.left + places.mine.right) / 2);
    await guest.page.click('#people-button');
    const drawer = await guest.ask(() => document.getElementById('people').getBoundingClientRect().toJSON());
    assert.deepEqual([drawer.left, drawer.top, drawer.bottom], [0, 0, SMALL.height]);
  } finally {
    await guest.leave();
  }
});

test('another language is chosen in the settings, and what is being written and the guest stay', async () => {
  const before = await english.ask(() => people.me);
  const name = await english.name();
  await english.page.bringToFront();
  await english.ask(() => composer.set('half a sentence'));
  const choose = async (code) => {
    await english.page.click('#theme');
    await english.see('the settings', () => document.getElementById('menu')?.matches(':popover-open'));
    const names = await english.ask(() => [...document.querySelectorAll('#menu [lang]')].map(({ lang, textContent }) => [lang, textContent.toLowerCase()]));
    assert.deepEqual(names, [['en', 'english'], ['de', 'deutsch'], ['fr', 'français'], ['es', 'español'], ['fa', 'فارسی'], ['ru', 'русский'], ['ar', 'العربية'], ['zh-Hans', '简体中文']]);
    assert.ok(await english.ask(() => document.querySelector('#menu [lang]:disabled').lang === document.documentElement.lang));
    await Promise.all([english.page.waitForNavigation(), english.page.click(`#menu [lang=${code}]`)]);
    await connected(english);
  };
  for (const code of ['ar', 'zh-Hans', 'de', 'en']) {
    await choose(code);
    assert.equal((await root(english)).lang, code);
    assert.equal(await english.ask(() => document.getElementById('text').value), 'half a sentence');
    assert.equal(await english.ask(() => people.me), before);
    assert.equal(await english.name(), name);
  }
  await english.ask(() => composer.set(''));
});

test('a number takes the form that the language has for it', () => {
  const order = ['zero', 'one', 'two', 'few', 'many', 'other'];
  for (const code of Object.keys(LANGUAGES)) {
    const rules = new Intl.PluralRules(code);
    const form = new Function('n', `return +(${messages(code).plural})`);
    const numbers = Array.from({ length: 2001 }, (_, number) => number);
    /* As many as the language tells apart for whole numbers of this size. */
    const used = order.filter((category) => numbers.some((number) => rules.select(number) === category));
    for (const number of numbers) assert.equal(form(number), used.indexOf(rules.select(number)), `${code}, ${number}`);
  }
});
