/* axe finds nothing, whatever the page shows: with and without scripts, in the light and in the dark. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { copyOf, faults, showCopy } from './kit/axe.mjs';
import { DESKTOP, Guest, PHONE } from './kit/guest.mjs';
import { ManyGuests } from './kit/many_guests.mjs';
import { NoscriptPage } from './kit/noscript.mjs';
import { LocalRoom } from './kit/room.mjs';
import { until } from './kit/until.mjs';

/** Light is what Tor Browser tells every page; dark is only told without its protection. */
const DARK = { 'privacy.resistFingerprinting': false, 'layout.css.prefers-color-scheme.content-override': 0 };

/** So many lines that not all of them are shown at once. */
const LONG = Array.from({ length: 120 }, (_, number) => `line ${number}`).join('\n');

let room, crowd, light, dark, pam;

before(async () => {
  room = await LocalRoom.open();
  crowd = new ManyGuests(room);
  light = await Guest.arrive(room, { name: 'light', size: DESKTOP });
  dark = await Guest.arrive(room, { name: 'dark', size: DESKTOP, preferences: DARK });
  pam = await NoscriptPage.arrive(room, { name: 'pam', size: DESKTOP });
}, { timeout: 120_000 });

after(async () => {
  for (const guest of [light, dark, pam]) await guest?.leave();
  crowd?.end();
  await room?.close();
});

const both = () => [light, dark];

/** axe finds nothing in what a page shows. */
async function clean(page, what) {
  const found = await faults(page);
  assert.deepEqual(found, [], `${what}: ${found.length} found`);
}

/** The same for what both see, at a desk and on a phone. */
async function bothClean(what, { sizes = [DESKTOP, PHONE] } = {}) {
  for (const [theme, guest] of Object.entries({ light, dark })) {
    await guest.page.bringToFront();
    for (const size of sizes) {
      await guest.page.setViewport(size);
      await clean(guest.page, `${what}, ${theme}, ${size.width} px`);
    }
    await guest.page.setViewport(DESKTOP);
  }
}

/** The same for the page without scripts. */
async function cleanWithout(what, { sizes = [PHONE] } = {}) {
  for (const size of sizes) {
    await pam.page.setViewport(size);
    const copy = await until('all frames have documents', () => copyOf(pam.page));
    for (const [theme, { browser }] of Object.entries({ light, dark })) {
      const viewer = await browser.newPage();
      await viewer.setViewport(size);
      await showCopy(viewer, copy);
      await clean(viewer, `${what} without scripts, ${theme}, ${size.width} px`);
      await viewer.close();
    }
  }
}

test('the entry without scripts', async () => {
  await pam.openTab();
  assert.equal(await pam.arrived(), 'entry');
  await cleanWithout('the entry');
  await pam.enter('admin');
  await until('the name is refused', () => pam.ask(() => document.querySelector('noscript iframe').contentDocument.querySelector('.note') !== null));
  await cleanWithout('the entry with a name that is refused');
});

test('an empty room', async () => {
  for (const guest of both()) {
    await guest.open();
    await guest.connected();
  }
  assert.ok(await dark.ask(() => matchMedia('(prefers-color-scheme: dark)').matches));
  await bothClean('an empty room');
  await pam.open();
  await pam.hears('Nothing has been said yet.');
  await cleanWithout('an empty room');
});

test('many messages, long ones, links, guests who came and went, and one who is away', async () => {
  await crowd.gather(6);
  for (let number = 0; number < 20; number++) await crowd.say(`message ${number} https://example.org/${number} https://аррӏе.com`, number % 6);
  await crowd.say(LONG, 2);
  await crowd.disperse(2);
  await crowd.away();
  await light.say('mine');
  await light.rename('Renamed');
  for (const guest of both()) {
    await guest.hears('mine');
    await guest.line('Renamed');
    await guest.see('one is away', () => Boolean(document.querySelector('#people-list .away')));
  }
  await bothClean('many messages');
  await until('one is away', () => pam.inside(({ messages }) => [...messages.querySelectorAll('aside')].at(-1).querySelector('.away') !== null));
  await cleanWithout('many messages', { sizes: [DESKTOP, PHONE] });
});

test('scrolled up, with news below', async () => {
  for (const guest of both()) await guest.ask(() => document.getElementById('scroller').scrollTo(0, 0));
  await crowd.say('news', 1);
  for (const guest of both()) await guest.see('the button to the news', () => !document.getElementById('newest').hidden);
  await bothClean('scrolled up', { sizes: [DESKTOP] });
});

test('the names of who is here, on a phone', async () => {
  for (const guest of both()) {
    await guest.page.setViewport(PHONE);
    await guest.page.click('#people-button');
    await guest.see('the drawer', () => document.getElementById('people').matches(':popover-open'));
  }
  await bothClean('the drawer', { sizes: [PHONE] });
  await pam.page.setViewport(PHONE);
  await pam.inside(({ messages }) => messages.getElementById('people')?.click());
  await cleanWithout('the drawer');
  await pam.inside(({ messages }) => messages.getElementById('people')?.click());
  for (const guest of both()) {
    await guest.page.setViewport(PHONE);
    await guest.page.click('#people .close');
    await guest.page.setViewport(DESKTOP);
  }
});

test('a name that is refused', async () => {
  for (const guest of both()) {
    await guest.rename('admin');
    await guest.see('the reason', () => !document.getElementById('note').hidden);
  }
  await bothClean('a name that is refused');
  for (const guest of both()) await guest.page.click('#name-cancel');
  await pam.rename('admin');
  await cleanWithout('a name that is refused');
});

test('a message that is too long, and one that is refused', async () => {
  for (const guest of both()) {
    await guest.page.bringToFront();
    await guest.ask(() => {
      const text = document.getElementById('text');
      text.value = 'x'.repeat(5000);
      text.dispatchEvent(new Event('input'));
    });
    await guest.page.focus('#text');
    await guest.page.keyboard.press('Enter');
    await guest.see('the reason', () => !document.getElementById('note').hidden && !document.getElementById('room-left').hidden);
  }
  await bothClean('too long');
  await pam.inside(({ say }) => {
    say.querySelector('textarea').value = 'слово '.repeat(2000);
    say.querySelector('button[value=say]').click();
  });
  await until('the form is refused', () => pam.inside(({ say }) => say?.querySelector('.note')?.textContent.includes('Back brings the form again')));
  await cleanWithout('far too long');
  await pam.back();
  await until('the form is back', async () => (await pam.draft())?.startsWith('слово'));
  for (const guest of both()) {
    await guest.ask(() => {
      composer.set('');
      const { send } = unsaid;
      unsaid.send = () => true;
      unsaid.add('on its way');
      unsaid.send = send;
    });
  }
  await bothClean('a message on its way', { sizes: [PHONE] });
  for (const guest of both()) await guest.ask(() => unsaid.failed([...unsaid.messages.keys()][0], 'The room could not store this message.'));
  await bothClean('a message that is refused');
  for (const guest of both()) {
    await guest.ask(() => document.querySelector('#unsaid .foot button').click());
    await guest.see('sent', () => !document.querySelector('#unsaid .foot'));
  }
});

test('another window has the seat', async () => {
  await pam.openTab();
  await pam.ready();
  await pam.hears('This chat is open in another window.');
  await cleanWithout('open in another window');
  await pam.press('Continue here');
  await pam.ready();
  const [own, token] = [await dark.ask(() => ({ ...sessionStorage })), await light.ask(() => sessionStorage.getItem('token'))];
  await dark.ask((stolen) => {
    sessionStorage.setItem('token', stolen);
    sessionStorage.removeItem('name');
  }, token);
  await dark.page.reload();
  await light.status('went on in another window');
  await clean(light.page, 'taken over, light');
  await light.ask(() => document.getElementById('now').click());
  await dark.status('went on in another window');
  await clean(dark.page, 'taken over, dark');
  await dark.ask((items) => Object.entries(items).forEach((item) => sessionStorage.setItem(...item)), own);
  await dark.page.reload();
  for (const guest of both()) await guest.connected();
});

test('a crowd', async () => {
  await crowd.gather(101);
  for (const guest of both()) await guest.see('the crowd', () => !document.getElementById('crowd').hidden);
  await bothClean('a crowd');
  await cleanWithout('a crowd');
});

test('without streaming', async () => {
  await pam.follow('Without streaming');
  await pam.hears('Loads again every 20 seconds');
  await cleanWithout('without streaming');
});

test('the room was closed', async () => {
  crowd.end();
  await room.close();
  for (const guest of both()) await guest.status('again');
  for (const guest of both()) await guest.say('waiting');
  await bothClean('the room was closed');
  await cleanWithout('the room was closed');
});
