/* JavaScript off, as at Tor Browser's level "Safest": the room is a working chat all the same. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { DESKTOP, Guest, PHONE } from './kit/guest.mjs';
import { openRoom } from './kit/room.mjs';
import { NoscriptPage } from './kit/noscript.mjs';
import { NEIGHBOUR } from './kit/proxy.mjs';
import { until } from './kit/until.mjs';

let room, ann, bob;

/** The token that the browser last sent. */
const guest = () => /guest\d*=([\w-]*)/.exec(ann.proxy.cookie)?.[1];

before(async () => {
  room = await openRoom();
  ann = await NoscriptPage.arrive(room, { name: 'safest', size: PHONE });
  bob = await Guest.arrive(room, { name: 'standard', size: DESKTOP });
  await bob.open();
  await bob.connected();
}, { timeout: 300_000 });

after(async () => {
  await ann?.leave();
  await bob?.leave();
  await room?.close();
});

test('opening the room shows the entry, and nobody is in the room yet', async () => {
  await ann.openTab();
  assert.equal(await ann.arrived(), 'entry');
  assert.deepEqual(ann.paths(), ['GET /', 'GET /rooms/main/page']);
  assert.equal((await bob.people()).length, 1);
  for (const [name, size] of [['phone', { width: 360, height: 740 }], ['desktop', DESKTOP]]) {
    await ann.page.setViewport(size);
    await ann.screenshot(`noscript-entry-${name}`);
  }
  await ann.page.setViewport(PHONE);
});

test('entering leads into the chat, without scripts and without a secret in an address', async (t) => {
  await ann.enter('Ann at the door');
  await ann.ready();
  await ann.hears('Nothing has been said yet.');
  await bob.line('Ann at the door joined');
  assert.equal(await ann.ask(() => location.href), room.url);
  const page = 'GET /rooms/main/page';
  const frames = ['connection', 'messages', 'reached', 'reconnect', 'say'].map((part) => `${page}/${part}`);
  await until('every part was asked for', () => ann.paths().length >= 4 + frames.length);
  assert.deepEqual(ann.paths().slice(2, 4), ['POST /rooms/main/page/enter', page]);
  assert.deepEqual(ann.paths().slice(4).toSorted(), frames);
  const token = guest();
  assert.equal(token.length, 43);
  assert.ok(ann.proxy.requests.every((request) => !request.includes(token)), 'the token is in no address');
  assert.ok(!(await ann.inside(({ room, messages, say }) => [room, messages, say].map((each) => each.documentElement.outerHTML).join())).includes(token));
  const names = await until('both are listed', async () => {
    const here = await ann.people();
    return here.length === 2 && here;
  });
  assert.ok(names.includes(await bob.name()));
  assert.ok(names.includes(await ann.name()));
  t.diagnostic(`bytes until the room is open: ${ann.proxy.bytes.down} down, ${ann.proxy.bytes.up} up`);
});

test('they chat, both ways, and nothing has to be loaded again', async (t) => {
  const streams = () => ann.paths().filter((path) => path.endsWith('/messages')).length;
  const before = { streams: streams(), down: ann.proxy.bytes.down, up: ann.proxy.bytes.up };
  await ann.say('Good evening, without a script');
  await bob.hears('Good evening, without a script');
  assert.equal(await bob.author('Good evening, without a script'), await ann.name());
  await ann.hears('Good evening, without a script');
  t.diagnostic(`bytes for a message said: ${ann.proxy.bytes.down - before.down} down, ${ann.proxy.bytes.up - before.up} up`);
  await bob.say('And to you');
  await ann.hears('And to you');
  assert.equal(streams(), before.streams);
  await ann.say('A second one, from the form that came back');
  await bob.hears('A second one, from the form that came back');
});

test('each guest has the same badge on both pages, beside names and messages, and no text can be like it', async () => {
  const badges = { [await ann.name()]: await ann.badge(), [await bob.name()]: await bob.badge() };
  assert.equal(new Set(Object.values(badges)).size, 2);
  for (const guest of [ann, bob]) assert.deepEqual(await guest.badges(), badges);
  /* What stands beside a message: label, whether it is part of the text, whether its pattern and its frame are there. */
  const look = (badge) => {
    const style = badge.ownerDocument.defaultView.getComputedStyle(badge);
    return {
      label: badge.ariaLabel, role: badge.role, text: badge.textContent, select: style.userSelect, frame: style.borderTopWidth,
      characters: badge.ownerDocument.defaultView.getComputedStyle(badge, '::after').content, pattern: badge.querySelector('path').getAttribute('d').length > 0,
    };
  };
  const shown = (badge) => ({ label: `badge ${badge}`, role: 'img', text: '', select: 'none', frame: '1px', pattern: true });
  const byAnn = await bob.ask(`(${look})([...document.querySelectorAll('#said .message:not(.mine) .badge')].at(-1))`);
  const byBob = await ann.inside(`({ messages }) => (${look})([...messages.querySelectorAll('article:not(.mine) .badge')].at(-1))`);
  for (const [{ characters, ...rest }, badge] of [[byAnn, await ann.badge()], [byBob, await bob.badge()]]) {
    assert.deepEqual(rest, shown(badge));
    assert.ok(characters.includes('data-badge') || characters.includes(badge), characters);
  }
  /* A name with the characters of a badge is text without a frame. */
  const own = await bob.name();
  const copied = `Annie ${await ann.badge()}`;
  await bob.rename(copied);
  await until('the new name', async () => copied in (await ann.badges()));
  assert.equal((await ann.badges())[copied], badges[own]);
  assert.equal(await ann.inside(({ messages }, name) => [...messages.querySelectorAll('bdi')].filter((each) => each.textContent === name && each.querySelector('*')).length, copied), 0);
});

test('markup is shown as the text it is', async () => {
  const text = '<img src=x onerror="alert(1)"> <b>bold</b> &amp; <script>document.title=2</script></p><h1>';
  await bob.say(text);
  await ann.hears(text);
  assert.equal(await ann.inside(({ messages }) => messages.querySelectorAll('article :is(img, b, script, h1)').length), 0);
  await ann.say(text);
  await bob.see('said by the other too', (wanted) => [...document.querySelectorAll('#said .words')].filter((words) => words.textContent === wanted).length === 2, text);
});

test('the newest message is in view, however many there are', async () => {
  for (let number = 0; number < 30; number++) await bob.say(`message number ${number}`);
  await ann.hears('message number 29');
  await ann.sees('message number 29');
});

test('a name is changed in the form, and a taken one is refused in words', async () => {
  await ann.rename('Ann at Safest');
  await bob.line('is now called Ann at Safest');
  await ann.hears('You are now called Ann at Safest');
  await ann.rename(await bob.name());
  await until('the reason is shown', () => ann.inside(({ say }) => say.querySelector('.note')?.textContent.includes('Choose another name')));
  await ann.screenshot('noscript-refused');
  assert.equal(await ann.name(), 'Ann at Safest');
  await until('the name is to be written again', () => ann.inside(({ say }) => say.activeElement?.name === 'name'));
  await ann.rename('Ann at Safest');
  await ann.ready();
});

test('who has scrolled up is told of a message, goes to the newest by a link, and sees what they say themselves', async () => {
  /* What lies over everything else in the middle of the lower edge: what is seen and pressed there. */
  const atTheEdge = () => ann.inside(({ messages }) => {
    const { innerWidth, innerHeight, getComputedStyle } = messages.defaultView;
    const column = innerWidth > 800 ? innerWidth - 256 : innerWidth;
    const link = messages.querySelector('.newest');
    const over = messages.elementFromPoint(column / 2, innerHeight - 16);
    const last = [...messages.querySelectorAll('article')].at(-1);
    const told = getComputedStyle(last, '::after');
    return { link: over === link, told: told.content === '"New message"' && told.visibility === 'visible' };
  });
  const scrollUp = () => ann.inside(({ messages }) => (messages.body.scrollTop = -400));
  const scrolled = () => ann.inside(({ messages }) => Math.abs(Math.round(messages.body.scrollTop)));
  await ann.sees('message number 29');
  assert.equal((await atTheEdge()).link, false, 'at the end there is nothing to go to');
  await scrollUp();
  await until('the link is there', async () => (await atTheEdge()).link);
  await bob.say('said while Ann reads above');
  await ann.hears('said while Ann reads above');
  assert.ok((await scrolled()) > 300, 'a message of another guest moves nothing');
  assert.deepEqual(await atTheEdge(), { link: true, told: true });
  await ann.screenshot('noscript-scrolled-up');
  await ann.inside(({ messages }) => messages.querySelector('.newest').click());
  await ann.sees('said while Ann reads above');
  assert.equal(await scrolled(), 0);
  await bob.say('after the link');
  await ann.sees('after the link');
  for (const text of ['said from above', 'and once more']) {
    /* For a second one's own message is held in view. */
    await until('nothing holds the view', () => ann.inside(({ messages }) => ![...messages.querySelectorAll('.mine')].some((message) => message.getAnimations().length)));
    await scrollUp();
    await until('the view is above', async () => (await scrolled()) > 300);
    await ann.inside(({ say }) => say.querySelector('textarea').focus());
    await ann.say(text);
    await ann.sees(text);
    assert.equal(await scrolled(), 0);
  }
  assert.equal(await ann.inside(({ messages }) => messages.defaultView.getComputedStyle(messages.querySelector('.empty')).display), 'none', 'something has been said');
});

test('a reload comes back as the same guest, with the messages, and says nothing twice', async () => {
  await ann.say('before the reload');
  await bob.hears('before the reload');
  await ann.write('a draft');
  const said = await bob.messages();
  assert.equal(said.filter((text) => text === 'before the reload').length, 1);
  await ann.reload();
  await ann.hears('before the reload');
  await ann.sees('You came in');
  assert.equal(await ann.name(), 'Ann at Safest');
  assert.equal(await ann.draft(), 'a draft');
  await ann.clear();
  assert.deepEqual(await bob.messages(), said);
  const lines = await bob.ask(() => [...document.querySelectorAll('#said .line')].map((line) => line.textContent));
  assert.ok(lines.every((line) => !/Ann at Safest (left|joined)/.test(line)), `nobody left: ${lines}`);
});

test('a second window takes over by its button, and the first one back by its own', async () => {
  const first = ann.page;
  await ann.openTab();
  await ann.ready();
  await ann.hears('This chat is open in another window.');
  await ann.screenshot('noscript-second-window');
  assert.equal(await ann.name(), 'Ann at Safest', 'the same guest');
  await ann.press('Continue here');
  await ann.hears('You came in');
  await bob.say('heard in the second window');
  await ann.hears('heard in the second window');
  const second = ann.page;
  ann.page = first;
  await ann.hears('This chat went on in another window.');
  await ann.screenshot('noscript-taken-over');
  /* What the browser does by itself ten seconds after the end. */
  await ann.hears('This chat is open in another window.');
  await ann.press('Continue here');
  await ann.hears('heard in the second window');
  ann.page = second;
  await ann.hears('This chat went on in another window.');
  await second.close();
  ann.page = first;
  await bob.say('heard in the first window again');
  await ann.hears('heard in the first window again');
  const lines = await bob.ask(() => [...document.querySelectorAll('#said .line')].map((line) => line.textContent));
  assert.ok(lines.every((line) => !/Ann at Safest (left|joined)/.test(line)), `nobody left: ${lines}`);
});

/* By its host name it is another site, whose links come without the cookies; by its address it is the same site as a room
   on loopback, whose cookies know no port. */
test('a link or a form on another site does nothing in the room', async () => {
  const token = 'A'.repeat(43);
  const page = (path) => new URL(`rooms/main/page${path}`, room.url).href;
  const links = ['', '/messages', '/say', '/enter'].map((path) => page(`${path}?token=${token}&window=1&name=Eve&do=rename`));
  const forms = ['/say', '/enter', '/leave', '/continue'].map(page);
  const fields = Object.entries({ token, form: 1, text: 'forged', name: 'Eve', do: 'rename' }).map(([name, value]) => `<input name="${name}" value="${value}">`);
  const markup = [...links.map((href) => `<a href="${href.replaceAll('&', '&amp;')}">link</a>`), ...forms.map((action) => `<form method="post" action="${action}">${fields.join('')}<button>send</button></form>`)];
  const elsewhere = createServer((request, response) => response.setHeader('content-type', 'text/html').end(`<!doctype html><title>Elsewhere</title>${markup.join('')}`));
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  const { port } = elsewhere.address();
  const [said, people, window] = [await bob.messages(), await bob.people(), ann.page];
  const kept = guest();
  const posts = () => ann.paths().filter((path) => path.startsWith('POST')).length;
  ann.proxy.neighbour = port;
  for (const origin of [`http://${NEIGHBOUR}`, `http://127.0.0.1:${port}`]) {
    for (const [kind, addresses] of [['a', links], ['button', forms]]) {
      for (const [index, address] of addresses.entries()) {
        const tab = await ann.browser.newPage();
        await tab.goto(`${origin}/`);
        const before = posts();
        await tab.evaluate((what, which) => document.querySelectorAll(what)[which].click(), kind, index);
        if (kind === 'button') {
          /* What Firefox shows for a refusal that is no document is its own affair. */
          await until(`${address} was sent from ${origin}`, () => posts() > before);
          await tab.close();
          continue;
        }
        const shown = await until(`${address} from ${origin}`, () => tab.evaluate(() => document.title !== 'Elsewhere' && (document.body?.innerText || document.querySelector('iframe')?.title)).catch(() => false));
        if (origin.includes(NEIGHBOUR)) assert.match(shown, /Your name \(optional\)/, `${address} shows the entry`);
        await tab.close();
      }
    }
  }
  elsewhere.close();
  ann.proxy.neighbour = undefined;
  ann.page = window;
  await ann.say('still here');
  await bob.hears('still here');
  assert.equal(await ann.name(), 'Ann at Safest');
  assert.deepEqual(await bob.messages(), [...said, 'still here']);
  assert.deepEqual(await bob.people(), people);
  assert.equal(guest(), kept);
  assert.equal(await ann.inside(({ messages }) => messages.body.innerText.includes('another window')), false, 'the stream goes on');
});

test('the form is loaded again where it was sent: nothing is said twice', async () => {
  await ann.clear();
  await ann.say('once');
  await bob.hears('once');
  const posts = ann.paths().filter((path) => path.startsWith('POST')).length;
  await ann.inside(({ say }) => say.location.reload());
  await ann.ready();
  await bob.say('after it');
  await ann.hears('after it');
  assert.equal(ann.paths().filter((path) => path.startsWith('POST')).length, posts, 'a reload sends no form');
  assert.equal((await bob.messages()).filter((text) => text === 'once').length, 1);
});

test('a circuit that dies: the messages come back by themselves', async () => {
  ann.proxy.cut();
  await bob.say('said while the circuit was dead');
  await until('the message', () => ann.inside(({ messages }) => messages?.body?.innerText.includes('said while the circuit was dead')), { deadline: 90_000 });
});

/* From an onion address the browser asks for some kinds of parts by https, and keeps others in no cache. */
test('an outage that outlasts a try: the parts come from the cache, and the page says so until the room is back', async () => {
  const away = () => ann.inside(({ connection }) => connection.defaultView.getComputedStyle(connection.getElementById('again')).zIndex);
  ann.proxy.away();
  await bob.say('said while no circuit came about');
  await ann.triesAgain();
  assert.equal(await away(), '2', 'over what the browser shows');
  ann.proxy.back();
  await ann.hears('said while no circuit came about');
  assert.equal(await ann.inside(({ connection }) => connection.getElementById('again').checkVisibility()), false);
});

test('without streaming, the page loads itself again', async () => {
  await ann.follow('Without streaming');
  await ann.hears('Loads again every 20 seconds');
  await ann.sees('Loads again every 20 seconds');
  await bob.say('heard by asking again');
  await until('the message', () => ann.inside(({ messages }) => messages?.body?.innerText.includes('heard by asking again')), { deadline: 60_000 });
  await ann.screenshot('noscript-plain');
  await ann.follow('Reconnect');
  await until('live again', () => ann.inside(({ messages }) => !messages?.body?.innerText.includes('Loads again every')));
});

test('both sizes look as they should', async () => {
  await ann.page.setViewport({ width: 360, height: 740 });
  await ann.screenshot('noscript-phone');
  assert.ok(await ann.inside(({ room, messages, say }) => [room, messages, say].every(({ documentElement: { scrollWidth, clientWidth } }) => scrollWidth <= clientWidth)), 'nothing sticks out sideways');
  ann.size = DESKTOP;
  await ann.open();
  await ann.hears('heard by asking again');
  await ann.sees('You came in');
  await until('who is here', async () => (await ann.people()).length >= 2);
  await ann.screenshot('noscript-desktop');
});

test('who leaves is out of the room at once, and sees the entry', async () => {
  await ann.pressOutside('Leave');
  assert.equal(await until('the entry', async () => (await ann.arrived()) === 'entry' && 'entry', { deadline: 60_000 }), 'entry');
  await bob.line('Ann at Safest left');
  assert.equal(guest(), undefined);
});

test('nothing from elsewhere, no complaints', () => {
  assert.deepEqual(ann.proxy.foreign, []);
  assert.deepEqual(ann.problems, []);
});
