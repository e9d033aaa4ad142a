/* What guests do with messages: texts with a little Markdown, mentions, whom a guest ignores; and the menu of each message. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faults } from './kit/axe.mjs';
import { DESKTOP } from './kit/guest.mjs';
import { TwoGuests } from './kit/two_guests.mjs';
import { until } from './kit/until.mjs';

const SMALL = { width: 360, height: 740 };

let here, ann, bob;

before(async () => {
  here = await TwoGuests.arrive({ ann: DESKTOP, bob: SMALL });
  ({ ann, bob } = here);
  for (const [guest, name] of [[ann, 'Ann Lee'], [bob, 'Bob']]) {
    await guest.rename(name);
    await until(`the name ${name}`, async () => (await guest.name()) === name);
    await guest.page.bringToFront();
    await guest.page.keyboard.press('Shift');
    await guest.see('the tools for messages', () => Boolean(talk.words));
  }
}, { timeout: 180_000 });

after(async () => here?.end());

/** The markup of the words of the newest message. */
const newest = (guest) => guest.ask(() => [...document.querySelectorAll('#said .words')].at(-1).innerHTML);

async function says(from, to, text) {
  await from.say(text);
  const seq = await from.see('it is in the log', (wanted) => log.items.findLast((item) => item.text === wanted)?.seq, text);
  await to.see(`message ${seq}`, (wanted) => log.items.some((item) => item.seq === wanted), seq);
  return seq;
}

/** Opens the menu of the message with this number. */
async function openMenu(guest, seq) {
  await guest.page.bringToFront();
  await guest.ask((wanted) => {
    const item = log.items.find((one) => one.seq === wanted);
    const tool = item.nodes.at(-1).querySelector('.tool');
    tool.scrollIntoView({ block: 'center' });
    tool.focus();
  }, seq);
  await guest.page.keyboard.press('Enter');
  await guest.see('the menu', () => document.getElementById('menu')?.matches(':popover-open'));
}

async function choose(guest, seq, ...words) {
  await openMenu(guest, seq);
  for (const each of words) await guest.press('#menu', each);
}

test('a little Markdown becomes elements, and nothing else does', async () => {
  for (const [text, markup] of [
    ['a `b*c*` **d** *e* _f_ snake_case_name 2*3*4', 'a <code>b*c*</code> <strong>d</strong> <em>e</em> <em>f</em> snake_case_name 2*3*4'],
    ['- one\n- two\nand', '<ul><li>one</li><li>two</li></ul>and'],
    ['3. one\n4) two', '<ol><li value="3">one</li><li value="4">two</li></ol>'],
    ['> so *it* is\nyes', '<blockquote>so <em>it</em> is</blockquote>yes'],
    ['see\n```rust\n<b>*x*</b>\n```\nend', 'see<div class="code"><pre><code>&lt;b&gt;*x*&lt;/b&gt;</code></pre><button class="link" type="button">Copy</button></div>end'],
    ['```\nnot closed', '```\nnot closed'],
    ['<img src=x onerror=alert(1)> undefined', '&lt;img src=x onerror=alert(1)&gt; undefined'],
    [`${'> '.repeat(8)}deep`, `${'<blockquote>'.repeat(4)}${'&gt; '.repeat(4)}deep${'</blockquote>'.repeat(4)}`],
  ]) {
    await says(ann, bob, text);
    assert.equal(await newest(bob), markup);
  }
  await says(ann, bob, '/me waves at *all*');
  assert.equal(await newest(bob), '<em><bdi>Ann Lee</bdi> waves at <em>all</em></em>');
  assert.equal(await newest(ann), '<em><bdi>Ann Lee</bdi> waves at <em>all</em></em>');
  await says(ann, bob, '**http://example.org/a_b_c**');
  assert.match(await newest(bob), /^<strong><a href="http:\/\/example.org\/a_b_c"[^>]*>http:\/\/example.org\/a_b_c<\/a><\/strong>$/);
});

test('who is called sees it', async () => {
  const called = await says(bob, ann, 'well, @ann lee, and @Bob?');
  const marked = (guest) => guest.ask((seq) => log.items.find((item) => item.seq === seq).nodes.at(-1).classList.contains('calls'), called);
  assert.ok(await marked(ann));
  assert.equal(await newest(ann), 'well, <b class="me">@ann lee</b>, and <b>@Bob</b>?');
  const other = await says(bob, ann, 'not @ann leeward, nor mail@ann');
  assert.ok(!(await ann.ask((seq) => log.items.find((item) => item.seq === seq).nodes.at(-1).classList.contains('calls'), other)));
});

test('what an ignored guest says is not shown, until it is again', async () => {
  const seq = await says(bob, ann, 'annoying');
  await choose(ann, seq, 'Ignore');
  const shown = (text) => ann.ask((wanted) => [...document.querySelectorAll('#said .words')].some((words) => words.textContent === wanted), text);
  await until('it is hidden', async () => !(await shown('annoying')));
  await says(bob, ann, 'more of it');
  assert.ok(!(await shown('more of it')));
  await ann.page.reload();
  await ann.connected();
  await ann.see('the tools', () => Boolean(talk.words));
  await ann.see('messages', () => log.items.length > 3);
  await until('it is still hidden', async () => !(await shown('annoying')) && !(await shown('more of it')));
  await ann.ask(() => {
    document.querySelector('#finder input').value = 'annoying';
    document.querySelector('#finder form').requestSubmit();
  });
  await ann.see('nor is it found', () => document.getElementById('finder').textContent.includes('Nothing was found.'));
  await ann.see('the menu of Bob', () => {
    const item = [...document.querySelectorAll('#people-list li')].find((each) => each.textContent.includes('Bob'));
    const tool = item?.querySelector('.tool');
    tool?.click();
    return Boolean(tool);
  });
  await ann.press('#menu', 'Show again what they say');
  await until('it is shown again', () => shown('annoying'));
});

/** What stands at the message with this number: its words, the emoji, and whether it says that it was edited. */
const shows = (guest, seq) => guest.ask((wanted) => {
  const node = log.items.find((item) => item.seq === wanted)?.nodes?.at(-1);
  return {
    words: node?.querySelector('.words')?.textContent,
    emoji: [...node?.querySelectorAll(':scope > .emoji button') ?? []].map((one) => `${one.textContent}${one.ariaPressed === 'true' ? '!' : ''}`),
    edited: Boolean(node?.querySelector('span.foot')),
    quote: node?.querySelector('.quote')?.textContent,
  };
}, seq);

/** Waits until a message looks like this to a guest. */
const looks = (guest, seq, wanted) => until(`message ${seq} is ${JSON.stringify(wanted)}`, async () => {
  const shown = await shows(guest, seq);
  return Object.entries(wanted).every(([key, value]) => JSON.stringify(shown[key]) === JSON.stringify(value));
}, { deadline: 20_000 });

/** Writes into the box and sends it. */
async function writes(guest, text) {
  await guest.page.bringToFront();
  await guest.ask(() => composer.focus());
  await guest.page.keyboard.type(text);
  await guest.ask(() => document.getElementById('say-form').requestSubmit());
}

test('a reply quotes what it answers, and leads there', async () => {
  const asked = await says(ann, bob, 'Tea at *five*?');
  await choose(bob, asked, 'Reply');
  await writes(bob, 'gladly');
  const seq = await ann.see('the reply', () => log.items.findLast(({ text }) => text === 'gladly')?.seq);
  await looks(ann, seq, { words: 'gladly', quote: 'You Tea at *five*?' });
  await looks(bob, seq, { words: 'gladly', quote: 'Ann Lee Tea at *five*?' });
  await bob.ask((wanted) => log.items.find((item) => item.seq === wanted).nodes.at(-1).querySelector('.quote').click(), seq);
  await bob.see('the message that is answered has the focus', (wanted) => log.items.find((item) => item.seq === wanted).nodes.at(-1) === document.activeElement, asked);
  await ann.page.reload();
  await ann.connected();
  await looks(ann, seq, { words: 'gladly', quote: 'You Tea at *five*?' });
});

test('emoji are put to a message, changed and taken back, and are there after a reload', async () => {
  const seq = await says(ann, bob, 'a vote');
  await choose(bob, seq, '👍');
  await looks(bob, seq, { emoji: ['👍 1!'] });
  await looks(ann, seq, { emoji: ['👍 1'] });
  await choose(ann, seq, '👍');
  await looks(bob, seq, { emoji: ['👍 2!'] });
  await choose(ann, seq, '🎉');
  await looks(bob, seq, { emoji: ['👍 1!', '🎉 1'] });
  await bob.page.reload();
  await bob.connected();
  await looks(bob, seq, { emoji: ['👍 1!', '🎉 1'] });
  await bob.ask((wanted) => log.items.find((item) => item.seq === wanted).nodes.at(-1).querySelector('.emoji [aria-pressed=true]').click(), seq);
  await looks(ann, seq, { emoji: ['🎉 1!'] });
  const next = await says(ann, bob, 'after the vote');
  const missing = () => ann.ask(() => [...document.querySelectorAll('#said .line')].map((line) => line.textContent).filter((text) => text.includes('no longer kept')));
  assert.deepEqual(await missing(), []);
  await ann.page.reload();
  await ann.connected();
  await looks(ann, next, { words: 'after the vote' });
  assert.deepEqual(await missing(), []);
});

test('own messages are changed and deleted, and those of others are not', async () => {
  const seq = await says(ann, bob, 'fuor');
  await openMenu(bob, seq);
  const offered = await bob.ask(() => [...document.querySelectorAll('#menu button')].map((one) => one.textContent));
  await bob.page.keyboard.press('Escape');
  assert.ok(!offered.includes('Edit') && !offered.includes('Delete'), offered.join());
  await ann.page.bringToFront();
  await ann.ask(() => composer.focus());
  await ann.page.keyboard.press('ArrowUp');
  await ann.see('the message in the box', () => document.getElementById('text').value === 'fuor');
  await ann.ask(() => composer.set(''));
  await writes(ann, 'four');
  await looks(bob, seq, { words: 'four', edited: true });
  await looks(ann, seq, { words: 'four', edited: true });
  await choose(ann, seq, 'Delete', 'Delete');
  await bob.see('it is gone', (wanted) => log.items.find((item) => item.seq === wanted).act === 'gone', seq);
  assert.ok(!(await bob.ask(() => document.getElementById('said').textContent.includes('four'))));
});

test('menus have no faults, at a desk and on a phone', async () => {
  for (const guest of [ann, bob]) {
    const seq = await says(guest, guest === ann ? bob : ann, `mine, ${guest.size.width}`);
    for (const size of [DESKTOP, SMALL]) {
      await guest.page.setViewport(size);
      await openMenu(guest, seq);
      assert.deepEqual(await faults(guest.page), []);
      await guest.screenshot(`talk-menu-${guest === ann ? 'ann' : 'bob'}-${size.width}`);
      await guest.page.keyboard.press('Escape');
    }
    await guest.page.setViewport(guest.size);
  }
});

test('what was said is found again, in its place, and is gone from there when it is deleted', async () => {
  const seq = await says(ann, bob, 'Einstein drank Kräutertee');
  await says(ann, bob, 'and what else?');
  await bob.page.setViewport(SMALL);
  await bob.page.bringToFront();
  await bob.ask(() => document.getElementById('people-button').click());
  await bob.press('#people', 'Search');
  await bob.see('the dialog', () => document.getElementById('finder').open);
  const search = (text) => bob.ask((wanted) => {
    const form = document.querySelector('#finder form');
    form.querySelector('input').value = wanted;
    form.requestSubmit();
  }, text);
  const found = () => bob.ask(() => [...document.querySelectorAll('#finder .words')].map((words) => words.textContent));
  await search('krautertee');
  await until('it is found', async () => (await found()).join() === 'Einstein drank Kräutertee');
  assert.deepEqual(await faults(bob.page), []);
  await bob.screenshot('talk-search-360');
  await bob.press('#finder', 'In its place');
  await bob.see('it has the focus', () => document.activeElement.id === 'meant');
  assert.ok(await bob.ask(() => !document.getElementById('finder').open && !document.getElementById('people').matches(':popover-open')));
  assert.ok((await bob.messages()).includes('and what else?'));
  await bob.screenshot('talk-found-360');
  await choose(ann, seq, 'Delete', 'Delete');
  await until('nothing of it is left', async () => (await found()).length === 0);
  await bob.page.bringToFront();
  await search('krautertee');
  await bob.see('nothing is found', () => document.getElementById('finder').textContent.includes('Nothing was found.'));
  await bob.page.keyboard.press('Escape');
  await bob.ask(() => document.getElementById('people').hidePopover());
});

test('who leaves can erase all that they said', async () => {
  const seq = await says(bob, ann, 'forget me');
  await bob.page.bringToFront();
  await bob.ask(() => document.getElementById('people-button').click());
  await bob.press('#people', 'Leave, and erase my messages');
  await bob.press('#menu', 'Erase and leave');
  await ann.see('it is gone', (wanted) => log.items.find((item) => item.seq === wanted).act === 'gone', seq);
  await bob.see('Bob has left', () => connection.state === 'stopped');
  assert.deepEqual(await ann.ask(() => log.items.filter(({ name, text }) => name === 'Bob' && text).map(({ text }) => text)), []);
});

test('nothing went wrong', () => {
  for (const guest of [ann, bob]) assert.deepEqual(guest.problems, []);
});
