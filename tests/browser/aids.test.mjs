/* What helps with writing and noticing: commands, completion, the unread, signs of what is new, settings, and the way out at once. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faults } from './kit/axe.mjs';
import { DESKTOP, Guest } from './kit/guest.mjs';
import { lookAway, lookBack, toEnd } from './kit/looking.mjs';
import { NoscriptPage } from './kit/noscript.mjs';
import { TwoGuests } from './kit/two_guests.mjs';
import { until } from './kit/until.mjs';

const SMALL = { width: 360, height: 740 };
/** A phone held upright, a desk, and a small screen at 200 %. */
const SIZES = { 360: SMALL, 1280: DESKTOP, zoomed: { width: 640, height: 400, deviceScaleFactor: 2 } };

let here, ann, bob;

before(async () => {
  here = await TwoGuests.arrive({ ann: DESKTOP, bob: DESKTOP });
  ({ ann, bob } = here);
  await ann.rename('Ann');
  await bob.rename('Bob Smith');
  await ann.line('Bob Smith');
  await bob.line('You are now called');
}, { timeout: 120_000 });

after(() => here?.end());

/** Puts a text into the message box as if it was typed, and waits for what is suggested. */
async function type(guest, text) {
  await guest.page.bringToFront();
  await guest.ask(() => composer.set(''));
  await guest.page.focus('#text');
  await guest.page.keyboard.type(text);
}

const offered = (guest) => guest.ask(() => {
  const list = document.getElementById('offers');
  return [...list?.children ?? []].map((option) => option.textContent);
});
const offers = (guest, what) => until(`offered: ${what}`, async () => (await offered(guest)).some((words) => words.startsWith(what)));
const closed = (guest) => until('nothing is offered', async () => (await offered(guest)).length === 0);
const written = (guest) => guest.ask(() => document.getElementById('text').value);
const note = (guest, words) => guest.see(`the note "${words}"`, (wanted) => {
  const shown = document.getElementById('note');
  return !shown.hidden && shown.textContent.includes(wanted);
}, words);
const menuIsOpen = (guest) => guest.see('the settings', () => document.getElementById('menu')?.matches(':popover-open'));
async function clean(guest, what) {
  assert.deepEqual(await faults(guest.page), [], what);
  const { wide, inner } = await guest.ask(() => ({ wide: document.documentElement.scrollWidth, inner: innerWidth }));
  assert.ok(wide <= inner, `${what}: ${wide} px wide of ${inner}`);
}

test('commands are suggested, taken with the keyboard, and done', async () => {
  await type(ann, '/');
  await offers(ann, '/me');
  assert.deepEqual(await offered(ann), ['/me', '/name', '/room', '/ignore', '/msg', '/help']);
  await clean(ann, 'suggestions');
  await ann.page.keyboard.down('Shift');
  await ann.page.keyboard.press('Tab');
  await ann.page.keyboard.up('Shift');
  assert.notEqual(await ann.ask(() => document.activeElement.id), 'text', 'the way back stays');
  await type(ann, '/NA');
  await offers(ann, '/name');
  await ann.page.keyboard.press('Tab');
  assert.equal(await written(ann), '/name ');
  await closed(ann);
  await ann.page.keyboard.type('Anna');
  await ann.page.keyboard.press('Enter');
  await bob.line('is now called Anna');
  assert.equal(await written(ann), '');
});

test('what begins with a slash and is no command is not sent, and two slashes say one', async () => {
  await ann.say('/etc/passwd');
  await note(ann, '// says a slash');
  assert.equal(await written(ann), '/etc/passwd');
  await type(ann, '/me');
  await ann.page.keyboard.press('Enter');
  await note(ann, 'No command');
  await type(ann, '//etc/passwd');
  await ann.page.keyboard.press('Enter');
  await bob.hears('/etc/passwd');
  await type(ann, 'here is @bob smith');
  await offers(ann, '@Bob Smith');
  await ann.page.keyboard.press('Enter');
  await bob.hears('here is @bob smith');
  await closed(ann);
  await ann.say('/me waves at //this');
  await bob.see('it is sent', () => log.items.some(({ text }) => text === '/me waves at //this'));
  assert.equal(await written(ann), '');
  assert.deepEqual((await bob.messages()).filter((text) => text.startsWith('//') || text === '/me'), []);
});

test('what looks like a command is one, or is not sent; what is none becomes no markup', async () => {
  for (const text of ['／msg Nemo hidden', ' /msg @Nemo hidden', '/МЕ hidden', '/__proto__ hidden', '/me\u200b hidden']) {
    await ann.say(text);
    await note(ann, ' ');
    assert.equal(await written(ann), text);
    await ann.ask(() => composer.set(''));
  }
  await ann.say('／me <b>bold</b> @Bob Smith `:tada:`');
  await bob.see('it is shown', () => [...document.querySelectorAll('#said .words')].some((words) => words.textContent === 'Anna <b>bold</b> @Bob Smith :tada:'));
  assert.ok(!JSON.stringify(await bob.messages()).includes('hidden'));
  assert.equal(await bob.ask(() => [...document.querySelectorAll('#said .words b')].filter(({ textContent }) => textContent === 'bold').length), 0);
});

test('in code nothing is suggested, and names of emoji stay', async () => {
  await type(ann, 'is `a ? :yes: ');
  assert.equal(await written(ann), 'is `a ? :yes: ');
  assert.deepEqual(await offered(ann), []);
  await ann.page.keyboard.type('` :yes:');
  assert.equal(await written(ann), 'is `a ? :yes: ` 👍');
  await ann.ask(() => composer.set('```\n@bob'));
  assert.deepEqual(await offered(ann), []);
  await ann.ask(() => composer.set(''));
});

test('a command before what does it is loaded waits for that, and is done once', async () => {
  const carl = await Guest.arrive(here.room, { name: 'carl', size: SMALL });
  try {
    await carl.open();
    await carl.connected();
    await carl.ask(() => {
      composer.set('/me came late');
      document.getElementById('say-form').requestSubmit();
      document.getElementById('say-form').requestSubmit();
    });
    await ann.see('it came', () => log.items.some(({ text }) => text === '/me came late'));
    await carl.say('and this');
    await ann.hears('and this');
    assert.equal(await ann.ask(() => log.items.filter(({ text }) => text === '/me came late').length), 1);
  } finally {
    await carl.leave();
  }
});

test('names and emoji are suggested within a text, by keyboard and by touch', async () => {
  await type(ann, 'hello @b');
  await offers(ann, '@Bob Smith');
  await ann.page.keyboard.press('Tab');
  assert.equal(await written(ann), 'hello @Bob Smith ');
  await closed(ann);
  assert.equal(await ann.ask(() => document.activeElement.id), 'text');
  await ann.page.keyboard.type(':tad');
  await offers(ann, ':tada:🎉');
  const option = await ann.page.$('#offers button');
  await option.click();
  assert.equal(await written(ann), 'hello @Bob Smith 🎉');
  assert.equal(await ann.ask(() => document.activeElement.id), 'text', 'the keyboard stays');
  await ann.page.keyboard.type(' :joy: and https://example.org :nosuch:');
  assert.equal(await written(ann), 'hello @Bob Smith 🎉 😂 and https://example.org :nosuch:');
  await ann.page.keyboard.press('Enter');
  await bob.hears('hello @Bob Smith 🎉 😂 and https://example.org :nosuch:');
  await ann.ask(() => composer.set(':he'));
  assert.deepEqual(await offered(ann), [':heart:❤️']);
  await ann.ask(() => composer.set(''));
});

test('/ignore and /msg find the guest with the longest name that fits', async () => {
  await ann.ask(() => {
    people.guests.set(1, { id: 1, name: 'bob' });
  });
  await bob.say('an ordinary word');
  await ann.hears('an ordinary word');
  await type(ann, '/msg @bob s');
  await offers(ann, '@Bob Smith');
  await ann.page.keyboard.press('Tab');
  await ann.page.keyboard.type('for you alone');
  await ann.page.keyboard.press('Enter');
  assert.equal(await ann.ask(() => document.querySelector('#writing .whisper').textContent), 'In private, to Bob Smith');
  assert.equal(await written(ann), 'for you alone', 'it waits until that was seen');
  await ann.page.keyboard.press('Enter');
  await bob.see('it came', () => [...document.querySelectorAll('#said .whisper + .words')].some((words) => words.textContent === 'for you alone'));
  await ann.page.keyboard.press('Escape');
  const shown = () => ann.ask(() => [...document.querySelectorAll('#said .words')].some((words) => words.textContent === 'an ordinary word'));
  await ann.say('/ignore bob smith');
  await until('it is hidden', async () => !(await shown()));
  await ann.say('/ignore @Bob Smith');
  await until('it is shown again', shown);
  await ann.say('/ignore Nemo');
  await note(ann, 'Not here');
  await ann.ask(() => {
    composer.set('');
    people.guests.delete(1);
  });
});

test('unread messages and mentions are in the title and on the icon, until the guest is back', async () => {
  const icon = () => bob.ask(() => document.querySelector('[rel=icon]').href);
  const plain = await icon();
  await lookAway(bob);
  await ann.say('are you there');
  await bob.see('one unread', () => document.title.startsWith('(1) '));
  await until('another colour', async () => (await icon()) !== plain);
  const dot = await icon();
  await ann.say('@bob smith?');
  await bob.see('a mention', () => document.title.startsWith('@1 (2) '));
  await until('one more colour', async () => (await icon()) !== dot);
  assert.ok(await bob.ask(async (href) => {
    const image = new Image();
    image.src = href;
    await image.decode();
    return image.naturalWidth > 0;
  }, await icon()), 'the policy lets it be drawn');
  await ann.say('but who is @Bob Smithson?');
  await bob.see('no mention', () => document.title.startsWith('@1 (3) '));
  await lookBack(bob);
  await bob.see('nothing unread', () => !/^[(@]/.test(document.title));
  assert.equal(await icon(), plain);
});

test('a tone, a flashing title and notifications come by choice alone, and not to who is not to be disturbed', async () => {
  await bob.ask(() => {
    Object.assign(window, { tones: 0, told: [], requests: 0 });
    const { start } = OscillatorNode.prototype;
    OscillatorNode.prototype.start = function (...when) {
      tones++;
      return start.apply(this, when);
    };
    window.Notification = class {
      constructor(...words) {
        told.push(words);
      }
      static async requestPermission() {
        requests++;
        return 'granted';
      }
    };
  });
  const signs = () => bob.ask(() => ({ tones, told: told.length, requests }));
  const choose = async (...words) => {
    await lookBack(bob);
    await bob.page.click('#theme');
    await menuIsOpen(bob);
    for (const word of words) await bob.page.click(`#menu [value=${word}]`);
    await bob.page.keyboard.press('Escape');
    await bob.see('closed', () => !document.getElementById('menu').matches(':popover-open'));
  };
  await lookAway(bob);
  await ann.say('nothing is chosen');
  await bob.see('unread', () => document.title.startsWith('(1) '));
  assert.deepEqual(await signs(), { tones: 0, told: 0, requests: 0 });
  await choose('sound', 'flash', 'notify');
  const before = await signs();
  assert.ok(before.requests > 0, 'asked for by the switch');
  await lookAway(bob);
  const chosen = Date.now();
  await until('the tone of the switch is over', () => Date.now() - chosen > 1000);
  await ann.say('secret words');
  await bob.see('a flash', () => document.title === '***');
  const after = await signs();
  assert.ok(after.tones > before.tones);
  assert.equal(after.requests, before.requests, 'and by nothing else');
  assert.equal(after.told, 1);
  assert.ok(!(await bob.ask(() => JSON.stringify(told))).includes('secret'), 'nothing of what was said');
  await choose('quiet');
  assert.ok(!(await bob.ask(() => document.title)).includes('*'), 'it ends');
  const last = await signs();
  await lookAway(bob);
  await ann.say('do not disturb');
  await bob.see('unread', () => document.title.startsWith('(1) '));
  assert.deepEqual(await signs(), last);
  await choose('sound', 'flash', 'notify', 'quiet');
});

test('a flood of mentions sounds once a second, and what the browser forbids is said and not set', async () => {
  await lookBack(bob);
  await bob.ask(() => {
    Object.assign(window, { tones: 0, told: [] });
    window.Notification = class {
      constructor() {
        told.push(performance.now());
      }
      static async requestPermission() {
        return 'denied';
      }
    };
  });
  await bob.page.click('#theme');
  await menuIsOpen(bob);
  await bob.page.click('#menu [value=notify]');
  await note(bob, 'shows no notifications');
  assert.equal(await bob.ask(() => document.querySelector('#menu [value=notify]').checked || document.documentElement.dataset.theme.includes('notify')), false);
  await bob.page.click('#menu [value=sound]');
  await bob.page.keyboard.press('Escape');
  await lookAway(bob);
  await bob.ask(() => {
    document.documentElement.dataset.theme += ' notify';
    Object.assign(window, { tones: 0, begun: performance.now() });
  });
  await ann.ask(() => {
    for (let number = 0; number < 10; number++) unsaid.add(`@Bob Smith, ${number}`);
  });
  await bob.see('all came', () => log.items.some(({ text }) => text === '@Bob Smith, 9'));
  const { tones, told, seconds } = await bob.ask(() => ({ tones, told: told.length, seconds: (performance.now() - begun) / 1000 }));
  assert.ok(tones <= seconds + 1 && told <= seconds + 1, `${tones} tones and ${told} notifications in ${seconds} s`);
  await lookBack(bob);
  await bob.page.click('#theme');
  await menuIsOpen(bob);
  await bob.page.click('#menu [value=sound]');
  await bob.page.keyboard.press('Escape');
});

test('from the end a button leads to where the unread begin', async () => {
  await lookAway(bob);
  for (let number = 0; number < 40; number++) await ann.say(`while you were away ${number}`);
  await bob.see('all came', () => log.items.some(({ text }) => text === 'while you were away 39'));
  await lookBack(bob);
  await toEnd(bob);
  await bob.see('the button', () => !document.getElementById('first').hidden);
  for (const [name, size] of Object.entries(SIZES)) {
    await bob.page.setViewport(size);
    await clean(bob, `unread, ${name}`);
    await bob.screenshot(`aids-unread-${name}`);
  }
  await bob.page.setViewport(DESKTOP);
  await bob.see('the button again', () => !document.getElementById('first').hidden);
  await bob.press('main', '↑ First unread');
  await bob.see('the line is in view, and the button gone', () => {
    const { top, bottom } = document.querySelector('.fresh').getBoundingClientRect(), view = document.getElementById('scroller').getBoundingClientRect();
    return top >= view.top && bottom <= view.bottom && document.getElementById('first').hidden;
  });
  assert.ok(await bob.ask(() => {
    const next = document.querySelector('.fresh').nextElementSibling;
    return next.textContent.includes('while you were away 0') && document.activeElement === next;
  }));
  await toEnd(bob);
});

test('what is set outlives a reload, in all windows', async () => {
  await lookBack(bob);
  await bob.page.keyboard.press('Tab');
  await bob.ask(() => document.activeElement.blur());
  await bob.page.keyboard.type('?');
  await menuIsOpen(bob);
  for (const word of ['dark', 'contrast', 'compact', 'sound']) await bob.page.click(`#menu [value=${word}]`);
  const look = () => bob.ask(() => ({ ground: getComputedStyle(document.body).backgroundColor, size: getComputedStyle(document.documentElement).fontSize }));
  const dark = await look();
  assert.equal(dark.ground, 'rgb(0, 0, 0)');
  await bob.page.reload();
  await bob.connected();
  assert.deepEqual(await look(), dark);
  await bob.page.click('#theme');
  await menuIsOpen(bob);
  assert.deepEqual(await bob.ask(() => [...document.querySelectorAll('#menu :checked')].map(({ value }) => value)), ['dark', 'contrast', 'compact', 'sound']);
  for (const word of ['contrast', 'compact', 'sound']) await bob.page.click(`#menu [value=${word}]`);
  await bob.page.click('#menu [value=dark]');
  await bob.page.click('#menu [value=light]');
  assert.equal((await look()).ground, 'rgb(251, 250, 252)');
  await bob.page.click('#menu [value=light]');
  await bob.page.keyboard.press('Escape');
  assert.equal(await bob.ask(() => document.documentElement.dataset.theme), '');
});

test('without scripts looks are switched by a form, for all parts of the page, and outlive a reload', async () => {
  const nora = await NoscriptPage.arrive(here.room, { name: 'nora', size: SMALL });
  try {
    await nora.open({ name: 'Nora' });
    const inks = () => nora.inside(({ room, messages, say }) => [room, messages, say].map((each) => each.defaultView.getComputedStyle(each.body).color)).catch(() => undefined);
    const are = (ink) => until(`all parts are written in ${ink}`, async () => (await inks())?.every((one) => one === ink));
    const choose = (word) => nora.inside(({ room }, value) => {
      room.querySelector('details:has([value=dark])').open = true;
      room.querySelector(`[value=${value}]`).click();
    }, word);
    await are('rgb(29, 24, 35)');
    await nora.screenshot('aids-noscript-light');
    await choose('dark');
    await are('rgb(236, 232, 241)');
    await nora.screenshot('aids-noscript-dark');
    await choose('contrast');
    await are('rgb(255, 255, 255)');
    await nora.inside(({ room }) => (room.querySelector('details:has([value=dark])').open = true));
    await nora.screenshot('aids-noscript-dark-contrast');
    await nora.openTab();
    await are('rgb(255, 255, 255)');
    assert.deepEqual(await nora.inside(({ room }) => [...room.querySelectorAll('[aria-pressed=true]')].map((each) => each.value)), ['dark', 'contrast']);
    await choose('light');
    await are('rgb(0, 0, 0)');
  } finally {
    await nora.leave();
  }
});

test('axe finds nothing, and nothing is too wide, in any look and at any size', async () => {
  await bob.say('mine');
  await bob.hears('mine');
  for (const theme of ['light', 'dark', 'light contrast', 'dark contrast', 'light compact']) {
    await bob.ask((wanted) => (document.documentElement.dataset.theme = wanted), theme);
    for (const [name, size] of Object.entries(SIZES)) {
      await bob.page.setViewport(size);
      const picture = `${theme.replace(' ', '-')}-${name}`;
      await clean(bob, `the conversation, ${picture}`);
      await bob.screenshot(`aids-chat-${picture}`);
      await type(bob, '/');
      await offers(bob, '/me');
      await clean(bob, `suggestions, ${picture}`);
      await bob.screenshot(`aids-offers-${picture}`);
      await bob.ask(() => composer.set(''));
      await bob.page.click('#theme');
      await menuIsOpen(bob);
      await clean(bob, `settings, ${picture}`);
      await bob.screenshot(`aids-settings-${picture}`);
      await bob.ask(() => document.getElementById('menu').hidePopover());
    }
  }
  await bob.ask(() => (document.documentElement.dataset.theme = ''));
  await bob.page.setViewport(DESKTOP);
});

test('everything is reached by the keyboard, in the order in which it stands', async () => {
  await bob.page.bringToFront();
  await bob.ask(() => document.getElementById('panic').focus());
  const order = [];
  for (let stop = 0; stop < 400 && order.at(-1) !== 'send'; stop++) {
    order.push(await bob.ask(() => document.activeElement.id));
    await bob.page.keyboard.press('Tab');
  }
  const wanted = ['panic', 'theme', 'scroller', 'leave', 'name-button', 'text', 'send'];
  assert.deepEqual(order.filter((id) => wanted.includes(id)).slice(0, wanted.length), wanted);
});

test('where the system has forced colours, or less motion, the page follows', async () => {
  const preferences = { 'privacy.resistFingerprinting': false, 'ui.useAccessibilityTheme': 1, 'browser.display.document_color_use': 2, 'ui.prefersReducedMotion': 1 };
  const fay = await Guest.arrive(here.room, { name: 'fay', size: SMALL, preferences });
  try {
    await fay.open();
    await fay.connected();
    assert.ok(await fay.ask(() => matchMedia('(forced-colors: active)').matches && matchMedia('(prefers-reduced-motion: reduce)').matches));
    assert.equal(await fay.ask(() => document.getAnimations().length), 0);
    await type(fay, '/');
    await offers(fay, '/me');
    await clean(fay, 'forced colours');
    await fay.screenshot('aids-forced');
  } finally {
    await fay.leave();
  }
});

test('in one window Panic is in all windows, also while a message waits to be sent', async () => {
  const eve = await Guest.arrive(here.room, { name: 'eve', size: SMALL });
  try {
    await eve.open();
    await eve.connected();
    const first = eve.page, name = await eve.name();
    await eve.open();
    await eve.connected();
    assert.notEqual(await eve.name(), name);
    await eve.ask(() => unsaid.add('on its way'));
    await eve.page.click('#panic').catch(() => {});
    for (const page of [first, eve.page]) await until('a blank page', () => page.url() === 'about:blank');
    await eve.page.goto(new URL('entry.js', here.room.url).href);
    assert.deepEqual(await eve.ask(() => [{ ...sessionStorage }, { ...localStorage }]), [{}, {}]);
    await first.goto(new URL('entry.js', here.room.url).href);
    assert.deepEqual(await first.evaluate(() => [{ ...sessionStorage }, { ...localStorage }]), [{}, {}]);
  } finally {
    await eve.leave();
  }
});

test('where the browser stores nothing, looks are set until the reload, and Panic leaves', async () => {
  const fee = await Guest.arrive(here.room, { name: 'fee', size: SMALL, preferences: { 'dom.storage.enabled': false } });
  try {
    await fee.open();
    await fee.connected();
    await fee.page.click('#theme');
    await menuIsOpen(fee);
    await fee.page.click('#menu [value=dark]');
    assert.equal(await fee.ask(() => getComputedStyle(document.body).backgroundColor), 'rgb(21, 18, 26)');
    await fee.page.keyboard.press('Escape');
    await fee.page.click('#panic').catch(() => {});
    await until('a blank page', () => fee.page.url() === 'about:blank');
  } finally {
    await fee.leave();
  }
});

for (const [way, go] of Object.entries({
  'Escape twice': async (guest) => {
    await guest.page.keyboard.press('Escape');
    await guest.page.keyboard.press('Escape');
  },
  'the button': (guest) => guest.page.click('#panic'),
  'the button, where no WebSocket gets through,': async (guest) => {
    await guest.comeInBy('polling');
    await guest.page.click('#panic');
  },
})) {
  test(`${way} leaves the page for a blank one, and forgets everything`, async () => {
    const dan = await Guest.arrive(here.room, { name: 'dan', size: SMALL });
    try {
      await dan.open();
      await dan.connected();
      const name = await dan.name(), token = await dan.ask(() => seat.token);
      await ann.see('they are here', (wanted) => people.list.textContent.includes(wanted), name);
      await type(dan, 'what nobody is to see');
      await dan.page.keyboard.press('Escape');
      assert.equal(await written(dan), 'what nobody is to see', 'once is not enough');
      await dan.ask(() => {
        for (let times = 0; times < 5; times++) document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', repeat: true, bubbles: true }));
      });
      assert.equal(dan.page.url(), here.room.url, 'nor is a key that is held');
      for (const open of [() => document.getElementById('theme').click(), () => document.getElementById('people-button').click(), () => document.getElementById('name-button').click()]) {
        const pressed = Date.now();
        await until('that is long ago', () => Date.now() - pressed > 1000);
        await dan.ask(open);
        await dan.see('something is open', () => Boolean(document.querySelector(':popover-open, #name-form:not([hidden])')));
        await dan.page.keyboard.press('Escape');
        await dan.page.keyboard.press('Escape');
        await dan.see('it is closed', () => !document.querySelector(':popover-open, #name-form:not([hidden])'));
        assert.equal(dan.page.url(), here.room.url, 'what closes something is none of the two');
      }
      const pressed = Date.now();
      await until('that is long ago', () => Date.now() - pressed > 1000);
      await go(dan).catch(() => {});
      await until('a blank page', () => dan.page.url() === 'about:blank');
      assert.equal(await dan.ask(() => history.length), 1, 'there is nothing to go back to');
      await ann.line(`${name} left`);
      await ann.see('they are not only away', (wanted) => !people.list.textContent.includes(wanted), name);
      /* A page of the room without scripts sees what is stored. */
      await dan.page.goto(new URL('entry.js', here.room.url).href);
      assert.deepEqual(await dan.ask(() => [{ ...sessionStorage }, { ...localStorage }]), [{}, {}]);
      await dan.open();
      await dan.connected();
      assert.notEqual(await dan.ask(() => seat.token), token);
      assert.equal(await written(dan), '');
    } finally {
      await dan.leave();
    }
  });
}
