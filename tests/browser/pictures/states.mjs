/* Every state of the page that has a picture: one table, in the order in which they come about. The rows of one play share a room
   and the guests in it, so what a row leaves behind is there for the next one. */

import { lookAway, lookBack, toEnd } from '../kit/looking.mjs';
import { set } from '../kit/menu.mjs';
import { until } from '../kit/until.mjs';
import { anew, choose, closeAll, closeAside, enter, govern, offers, openAside, openMenu, openPeople, PASSWORD, sendPlain, shows, type, untype, withLink } from './stage.mjs';

const LONG = Array.from({ length: 60 }, (_, number) => `line ${number + 1} of a message that is long`).join('\n');
const RECIPE = 'The recipe, for `two`:\n1. warm the pot\n2. *three* spoons of Darjeeling\n3. **no** sugar\n> first the milk?\nNever.\n```sh\nkettle --on --until 90C && sleep 180  # three minutes, and not a second more\n```';
const ENTERED = 'Come in as the same guest each time';

/** A conversation as people have them. */
async function talk(stage) {
  const { speakers: { Marta, Jonas, Leila }, said } = stage;
  said.five = await Marta.say('Is anyone up for tea at five? I have a first flush Darjeeling.');
  await Jonas.say('Always. Who brings the cake?');
  said.cake = await Leila.say('I can bake the lemon one, if the oven lets me.', said.five);
  said.wrong = await Jonas.say('The kettle is at 90 degrees, as you like it.');
  await Jonas.act({ act: 'edit', message: said.wrong, text: 'The kettle is at 80 degrees, as you like it.' });
  for (const guest of [Marta, Jonas]) await guest.act({ act: 'react', message: said.cake, emoji: '🎉' });
  await Leila.act({ act: 'react', message: said.five, emoji: '❤️' });
  await Marta.say('@Sofia, do you know the way? It is on https://example.org/map/tea.');
}

const noPrivate = async ({ guests: { Sofia } }) => !(await offers(Sofia, { name: 'Jonas' }, 'Write in private')) && 'the page has no private messages';
/** Two are writing, and the guest sees it. */
async function writing({ guests: { Sofia }, speakers: { Marta, Jonas } }) {
  await Marta.types();
  await Jonas.types();
  await until('it is shown', () => Sofia.ask(() => /\bwriting\b/.test(document.getElementById('room').innerText)), { deadline: 5_000 });
}
const dialogOf = (open) => ({ who: 'Hana', show: ({ guests: { Hana } }) => govern(Hana, open), hide: ({ guests: { Hana } }) => closeAll(Hana) });
/** What the guest has in the message box. */
const typed = (text, shown) => ({
  show: async ({ guests: { Sofia } }) => {
    await type(Sofia, text);
    if (shown) await shows(Sofia, shown[0], shown[1]);
  },
  hide: ({ guests: { Sofia } }) => untype(Sofia),
});
/** A menu, or what an entry of it leads to. */
const menuOf = (of, ...words) => ({
  show: ({ guests: { Sofia } }) => choose(Sofia, of, ...words),
  hide: ({ guests: { Sofia } }) => closeAll(Sofia),
});
const people = (...press) => ({
  show: async ({ guests: { Sofia } }) => {
    await Sofia.page.bringToFront();
    await openPeople(Sofia);
    for (const each of press) await Sofia.press('#people', each);
  },
  hide: ({ guests: { Sofia } }) => closeAll(Sofia),
});
const asks = (heading) => ({ guests: { Sofia } }) => shows(Sofia, '#entry h2', heading);
/** A page without scripts in a tab of its own. */
const aside = (place, more) => ({
  before: async (stage) => {
    await openAside(stage.guests.Nora, typeof place === 'function' ? place(stage) : place);
    await more?.(stage.guests.Nora, stage);
  },
  after: ({ guests: { Nora } }) => closeAside(Nora),
});
/** Opens what is folded in the room without scripts. */
const unfolded = (words) => ({
  before: ({ guests: { Nora } }) => Nora.inside(({ room }, wanted) => [...room.querySelectorAll('details')].forEach((each) => (each.open = each.textContent.startsWith(wanted))), words),
  after: ({ guests: { Nora } }) => Nora.inside(({ room }) => room.querySelectorAll('details').forEach((each) => (each.open = false))),
});

/**
 * Of each row:
 * - `play`: which room it is in, and who is there (screenshots.mjs has how each begins);
 * - `name`: of the picture's file; `what`: a title;
 * - `who`: whose browser it is of, if not Sofia's (with scripts) or Nora's (without);
 * - `before` and `after`: what is done once, before and after all pictures of it; `show` and `hide`: for each size, and for each theme
 *   where it has `perTheme`;
 * - `unless`: why there is no picture, if there is a reason.
 */
export const STATES = [
  /* A guest of an open room. */
  { play: 'hall', name: 'empty', what: 'Nothing has been said yet', before: async ({ guests: { Sofia } }) => { await Sofia.open(); await Sofia.connected(); } },
  {
    play: 'hall', name: 'conversation', what: 'A conversation: replies, reactions, an edited message, a mention',
    before: async (stage) => {
      const { guests: { Sofia, Hana } } = stage;
      await Sofia.rename('Sofia');
      await withLink(Hana, `host=${await stage.act({ act: 'link', role: 'host' })}`);
      await Hana.line('You are a host of this room now.');
      await Hana.rename('Hana');
      await stage.act({ act: 'title', text: 'Tea at five' });
      await stage.act({ act: 'topic', text: 'What shall we brew today?' });
      for (const name of ['Marta', 'Jonas', 'Leila']) await stage.speak(name);
      await Sofia.line('Leila joined');
      await talk(stage);
      await Sofia.say('I do now. See you there!');
      await Sofia.see('all of it', () => log.items.some(({ text }) => text === 'I do now. See you there!'));
      await stage.speakers.Jonas.act({ act: 'react', message: await Sofia.ask(() => log.items.at(-1).seq), emoji: '👍' });
      await Sofia.see('the reaction', () => [...document.querySelectorAll('#said .mine .emoji button')].length > 0);
      await toEnd(Sofia);
    },
  },
  { play: 'hall', name: 'people', what: 'Who is here', ...people() },
  { play: 'hall', name: 'menu-of-a-message', what: 'The menu of a message', ...menuOf({ text: 'I can bake' }) },
  { play: 'hall', name: 'menu-of-an-own-message', what: 'The menu of an own message', ...menuOf({ text: 'I do now' }) },
  { play: 'hall', name: 'menu-deleting', what: 'Whether an own message is deleted', ...menuOf({ text: 'I do now' }, 'Delete') },
  { play: 'hall', name: 'menu-of-a-guest', what: 'The menu of a guest', ...menuOf({ name: 'Jonas' }) },
  { play: 'hall', name: 'erasing', what: 'Leaving, and erasing all one has said', ...people('Leave, and erase my messages') },
  { play: 'hall', name: 'replying', what: 'An answer is being written', show: async ({ guests: { Sofia } }) => { await choose(Sofia, { text: 'Always.' }, 'Reply'); await type(Sofia, 'I bring it'); }, hide: async ({ guests: { Sofia } }) => { await Sofia.press('#writing', 'Cancel'); await untype(Sofia); } },
  { play: 'hall', name: 'editing', what: 'A message is being changed', show: ({ guests: { Sofia } }) => choose(Sofia, { text: 'I do now' }, 'Edit'), hide: ({ guests: { Sofia } }) => Sofia.press('#writing', 'Cancel') },
  { play: 'hall', name: 'commands', what: 'Commands are suggested', ...typed('/', ['#offers button', '/me']) },
  { play: 'hall', name: 'mentions', what: 'Names are suggested', ...typed('well, @', ['#offers button', '@Jonas']) },
  { play: 'hall', name: 'emoji', what: 'Emoji are suggested', ...typed('a :t', ['#offers button', ':think:']) },
  { play: 'hall', name: 'long-draft', what: 'A long text is being written', ...typed('a text that goes on. '.repeat(30)) },
  { play: 'hall', name: 'no-command', what: 'What begins with a slash and is no command', show: async ({ guests: { Sofia } }) => { await type(Sofia, '/brew'); await Sofia.page.keyboard.press('Enter'); await shows(Sofia, '#note', 'No command'); }, hide: ({ guests: { Sofia } }) => untype(Sofia) },
  { play: 'hall', name: 'too-long', what: 'A message is too long', show: async ({ guests: { Sofia } }) => { await Sofia.page.bringToFront(); await Sofia.ask(() => composer.set('x'.repeat(5000))); await Sofia.page.focus('#text'); await Sofia.page.keyboard.press('Enter'); await shows(Sofia, '#note', 'too long'); }, hide: ({ guests: { Sofia } }) => untype(Sofia) },
  { play: 'hall', name: 'settings', what: 'The settings', perTheme: true, show: async ({ guests: { Sofia } }) => { await Sofia.page.bringToFront(); await Sofia.page.click('#theme'); await Sofia.see('the settings', () => document.getElementById('menu')?.matches(':popover-open')); }, hide: ({ guests: { Sofia } }) => closeAll(Sofia) },
  { play: 'hall', name: 'name', what: 'The form of the name', show: async ({ guests: { Sofia } }) => { await Sofia.page.bringToFront(); await Sofia.page.click('#name-button'); await Sofia.see('what is in the form', () => document.querySelector('#name-form p')?.getClientRects().length > 0); }, hide: ({ guests: { Sofia } }) => Sofia.page.click('#name-cancel') },
  { play: 'hall', name: 'name-refused', what: 'A name is refused', show: async ({ guests: { Sofia } }) => { await Sofia.page.bringToFront(); await Sofia.rename('admin'); await Sofia.see('the reason', () => !document.getElementById('note').hidden); }, hide: ({ guests: { Sofia } }) => Sofia.page.click('#name-cancel') },
  {
    play: 'hall', name: 'search', what: 'Search, before anything is searched for',
    show: async ({ guests: { Sofia } }) => { await Sofia.page.bringToFront(); await openPeople(Sofia); await Sofia.press('#people', 'Search'); },
    hide: ({ guests: { Sofia } }) => closeAll(Sofia),
  },
  {
    play: 'hall', name: 'search-found', what: 'Something was found',
    show: async ({ guests: { Sofia } }) => { await openPeople(Sofia); await Sofia.press('#people', 'Search'); await Sofia.ask(() => { const form = document.querySelector('#finder form'); form.querySelector('input').value = 'the'; form.requestSubmit(); }); await shows(Sofia, '#finder .words', 'lemon'); },
    hide: ({ guests: { Sofia } }) => closeAll(Sofia),
  },
  {
    play: 'hall', name: 'search-in-place', what: 'What was found, in its place',
    show: async ({ guests: { Sofia } }) => { await openPeople(Sofia); await Sofia.press('#people', 'Search'); await Sofia.ask(() => { const form = document.querySelector('#finder form'); form.querySelector('input').value = 'kettle'; form.requestSubmit(); }); await Sofia.press('#finder', 'In its place'); await shows(Sofia, '#meant .words', 'kettle'); },
    hide: ({ guests: { Sofia } }) => toEnd(Sofia),
  },
  {
    play: 'hall', name: 'search-nothing', what: 'Nothing was found',
    show: async ({ guests: { Sofia } }) => { await openPeople(Sofia); await Sofia.press('#people', 'Search'); await Sofia.ask(() => { const form = document.querySelector('#finder form'); form.querySelector('input').value = 'coffee'; form.requestSubmit(); }); await shows(Sofia, '#finder', 'Nothing was found'); },
    hide: ({ guests: { Sofia } }) => closeAll(Sofia),
  },
  {
    play: 'hall', name: 'private', what: 'Private messages',
    unless: noPrivate,
    before: async ({ speakers: { Jonas }, guests: { Sofia } }) => {
      await Jonas.whisper(await Sofia.ask(() => people.me), 'Shall we surprise Marta? It is her birthday.');
      await Sofia.say('/msg @Jonas What a good idea!');
      /* Whom it is for is seen before it is sent; and the next one is for all again. */
      await shows(Sofia, '#writing', 'Jonas');
      await Sofia.page.keyboard.press('Enter');
      await shows(Sofia, '#said .whisper', 'to Jonas');
      await Sofia.page.keyboard.press('Escape');
      await toEnd(Sofia);
    },
  },
  {
    play: 'hall', name: 'private-writing', what: 'A private message is being written',
    unless: noPrivate,
    show: async ({ guests: { Sofia } }) => { await choose(Sofia, { name: 'Jonas' }, 'Write in private'); await closeAll(Sofia); await Sofia.page.keyboard.type('For you alone'); },
    hide: async ({ guests: { Sofia } }) => { await untype(Sofia); await Sofia.page.focus('#text'); await Sofia.page.keyboard.press('Escape'); },
  },
  {
    play: 'hall', name: 'typing', what: 'Others are writing',
    unless: async (stage) => {
      await stage.act({ act: 'typing', typing: true });
      return writing(stage).then(() => false, () => 'the page does not show who is writing');
    },
    show: writing,
  },
  {
    play: 'hall', name: 'rich', what: 'Markdown, long texts, right to left, marks, links that mislead',
    before: async ({ speakers: { Marta, Jonas, Leila }, guests: { Sofia } }) => {
      await Marta.say(RECIPE);
      await Jonas.say('/me puts the kettle on');
      await Leila.say('ساعت پنج چای می‌خوریم، با شیرینی زعفرانی 🫖');
      await Leila.say('- 五点喝茶\n- see you at https://аррӏе.com/tea');
      await Jonas.say(`Donaudampfschifffahrtsgesellschaftskapitän${'s'.repeat(120)}mütze`);
      await Sofia.say('Zalgo e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301 and `code` in *mine*');
      await Sofia.see('all of it', () => log.items.at(-1).text?.startsWith('Zalgo'));
      await toEnd(Sofia);
    },
  },
  { play: 'hall', name: 'long', what: 'A message that is folded', before: async ({ speakers: { Marta }, guests: { Sofia } }) => { await Marta.say(LONG); await Sofia.see('the message', () => Boolean(document.querySelector('#said .long'))); await toEnd(Sofia); } },
  {
    play: 'hall', name: 'deleted', what: 'Deleted messages, a guest who is ignored, one who is away, one who left',
    before: async (stage) => {
      const { speakers: { Marta, Jonas, Leila }, guests: { Sofia } } = stage;
      const first = await Marta.say('I should not have said that.');
      await Leila.say('Said what?');
      await Marta.act({ act: 'delete', messages: [first] });
      const eve = await stage.speak('Eve');
      await eve.say('Buy my tea, it is the best');
      await Sofia.hears('Buy my tea, it is the best');
      await choose(Sofia, { text: 'Buy my tea' }, 'Ignore');
      await eve.leave();
      await (await stage.speak('Noah')).say('I will be away for a moment');
      stage.speakers.Noah.vanish();
      await Jonas.say('Good to know');
      await Sofia.hears('Good to know');
      await Sofia.see('one is away', () => Boolean(document.querySelector('#people-list .away')));
      await toEnd(Sofia);
    },
  },
  {
    play: 'hall', name: 'unread', what: 'Where the unread begin, and the way there',
    before: async ({ speakers: { Jonas }, guests: { Sofia } }) => {
      await toEnd(Sofia);
      await lookAway(Sofia);
      for (let number = 1; number <= 24; number++) await Jonas.say(`While you were away, cup ${number} was emptied.`);
      await Sofia.hears('While you were away, cup 24 was emptied.');
      await lookBack(Sofia);
      await toEnd(Sofia);
      await shows(Sofia, '#first', 'First unread');
    },
  },
  { play: 'hall', name: 'unread-line', what: 'The line where the unread begin', show: ({ guests: { Sofia } }) => Sofia.ask(() => document.querySelector('.fresh').scrollIntoView({ block: 'center' })), hide: ({ guests: { Sofia } }) => toEnd(Sofia) },
  {
    play: 'hall', name: 'scrolled-up', what: 'Scrolled up, with news below',
    show: async ({ speakers: { Marta }, guests: { Sofia } }) => { await Sofia.ask(() => document.getElementById('scroller').scrollTo(0, 0)); await Sofia.ask(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))); await Marta.say('Something new'); await shows(Sofia, '#newest', 'new'); },
    hide: ({ guests: { Sofia } }) => toEnd(Sofia),
  },
  {
    play: 'hall', name: 'unsent', what: 'Messages that are on their way, and one that is refused',
    before: ({ guests: { Sofia } }) => Sofia.ask(() => {
      const { send } = unsaid, scroller = document.getElementById('scroller');
      unsaid.send = () => true;
      unsaid.add('This one is on its way');
      unsaid.add('And this one was refused');
      unsaid.send = send;
      unsaid.failed([...unsaid.messages.keys()][1], 'The room could not store this message.');
      scroller.scrollTop = scroller.scrollHeight;
    }),
    after: async ({ guests: { Sofia } }) => { await anew(Sofia); await Sofia.connected(); await Sofia.rename('Sofia'); await Sofia.page.bringToFront(); await Sofia.page.keyboard.press('Shift'); await Sofia.see('the tools', () => Boolean(talk.words)); },
  },
  /* What hosts decide, as a guest sees it. */
  {
    play: 'hall', name: 'rules', what: 'Rules that are to be accepted',
    before: async (stage) => { await stage.act({ act: 'rules', text: 'Be kind.\nNo coffee.\nWhoever empties the pot fills it again.' }); await shows(stage.guests.Sofia, '#rules', 'No coffee.'); },
    after: ({ guests: { Sofia } }) => Sofia.press('#rules', 'Accept'),
  },
  {
    play: 'hall', name: 'governed', what: 'A pinned message, an announcement, slow mode, a locked room',
    before: async (stage) => {
      await stage.act({ act: 'pin', message: stage.said.five });
      await stage.act({ act: 'announce', text: 'Tea is served in the garden today.' });
      await stage.act({ act: 'slow', seconds: 30 });
      await stage.act({ act: 'lock', locked: true });
      await shows(stage.guests.Sofia, '#limits', 'locked');
      await toEnd(stage.guests.Sofia);
    },
    after: async (stage) => { await stage.act({ act: 'slow', seconds: 0 }); await stage.act({ act: 'lock', locked: false }); },
  },
  {
    play: 'hall', name: 'held', what: 'A message that waits for a host',
    before: async ({ guests: { Sofia, Hana }, ...stage }) => {
      await stage.doors.act({ act: 'words', words: ['coffee'] });
      await Sofia.say('Is there any coffee?');
      await shows(Sofia, '#unsaid .foot', 'waits');
      await stage.speakers.Jonas.say('Coffee, please').catch(() => {});
      await shows(Hana, 'header button', 'Govern (2)');
      await toEnd(Sofia);
    },
  },
  { play: 'hall', name: 'host-held', what: 'What waits, as a host sees it', ...dialogOf() },
  { play: 'hall', name: 'host', what: 'The dialog of hosts', ...dialogOf('Topic') },
  { play: 'hall', name: 'host-newcomers', what: 'The dialog of hosts: who may come in', ...dialogOf('Password') },
  {
    play: 'hall', name: 'host-invitation', what: 'An invitation, with a code to scan', ...dialogOf(),
    before: async ({ guests: { Hana } }) => { await govern(Hana); await set(Hana, 'Invitation', 'Aunt Agatha'); await Hana.see('the code', () => document.querySelector('.qr path')?.getAttribute('d')); },
    show: ({ guests: { Hana } }) => Hana.ask(() => document.querySelector('.qr').closest('div:not(.qr)').scrollIntoView()),
    hide: () => {},
    after: ({ guests: { Hana } }) => closeAll(Hana),
  },
  { play: 'hall', name: 'host-menu', what: 'The menu of a guest, for a host', who: 'Hana', show: ({ guests: { Hana } }) => openMenu(Hana, { name: 'Jonas' }), hide: ({ guests: { Hana } }) => closeAll(Hana) },
  { play: 'hall', name: 'host-conversation', what: 'The room, for a host', who: 'Hana' },
  { play: 'hall', name: 'muted', what: 'Muted', before: async (stage) => { await stage.act({ act: 'words', words: [] }); await stage.act({ act: 'mute', of: await stage.guests.Sofia.ask(() => people.me), seconds: 600 }); await shows(stage.guests.Sofia, '#limits', 'muted'); await toEnd(stage.guests.Sofia); } },
  { play: 'hall', name: 'put-out', what: 'Put out', before: async (stage) => { await stage.act({ act: 'kick', of: await stage.guests.Sofia.ask(() => people.me) }); await stage.guests.Sofia.status('Not connected'); await shows(stage.guests.Sofia, '#note', 'come back'); } },
  {
    play: 'hall', name: 'banned', what: 'Banned',
    before: async (stage) => { const { Sofia } = stage.guests; const of = await Sofia.ask(() => people.me); await stage.act({ act: 'unban', of }); await stage.act({ act: 'ban', of }); await Sofia.page.reload(); await Sofia.status('Not connected'); await shows(Sofia, '#note', 'banned'); },
    after: async (stage) => { await anew(stage.guests.Sofia); await stage.guests.Sofia.connected(); await stage.act({ act: 'rules', text: '' }); },
  },
  {
    play: 'hall', name: 'taken-over', what: 'Another window has the seat',
    before: async ({ guests: { Sofia, Hana } }) => {
      Hana.own = await Hana.ask(() => ({ ...sessionStorage }));
      await Hana.ask((stolen) => { sessionStorage.setItem('token', stolen); sessionStorage.removeItem('name'); }, await Sofia.ask(() => sessionStorage.getItem('token')));
      await Hana.page.reload();
      await Sofia.status('went on in another window');
    },
    after: async ({ guests: { Sofia, Hana } }) => {
      await Hana.ask((items) => Object.entries(items).forEach((item) => sessionStorage.setItem(...item)), Hana.own);
      await Hana.page.reload();
      await Hana.connected();
      await Sofia.page.click('#now');
      await Sofia.connected();
    },
  },
  { play: 'hall', name: 'reconnecting', what: 'The connection is lost', before: async ({ guests: { Sofia } }) => { Sofia.proxy.away(); await shows(Sofia, '#status', 'Reconnecting'); await Sofia.say('Am I heard?'); await toEnd(Sofia); } },
  { play: 'hall', name: 'left', what: 'The guest has left', before: async ({ guests: { Sofia } }) => { Sofia.proxy.back(); await Sofia.page.click('#now').catch(() => {}); await Sofia.connected(); await Sofia.ask(() => document.getElementById('leave').click()); await Sofia.status('You have left.'); } },
  /* Newcomers of a room that is not open to all. */
  { play: 'door', name: 'entry-waiting', what: 'A newcomer waits to be let in', before: async (stage) => { await stage.act({ act: 'title', text: 'Tea at five' }); await stage.act({ act: 'approval', approval: true }); await stage.guests.Sofia.open(); await asks('Waiting to be let in')(stage); } },
  { play: 'door', name: 'host-waiting', what: 'Who waits, as a host sees it', ...dialogOf('Waiting to be let in'), before: ({ guests: { Hana } }) => shows(Hana, 'header button', 'Govern (1)'), after: async ({ guests: { Hana } }) => { await govern(Hana); await Hana.press('#govern', 'Let newcomers in at once'); await set(Hana, 'Password for newcomers', PASSWORD); await closeAll(Hana); } },
  { play: 'door', name: 'entry-password', what: 'A room with a password', before: async (stage) => { await anew(stage.guests.Sofia); await asks('This room has a password')(stage); } },
  {
    play: 'door', name: 'entry-password-wrong', what: 'Another password',
    before: async ({ guests: { Sofia } }) => { await Sofia.ask(() => { const input = document.querySelector('#entry input[type=password]'); input.value = 'coffee at six'; input.form.requestSubmit(); }); await shows(Sofia, '#entry [role=status]', 'not the password'); },
    after: async ({ guests: { Hana } }) => { await govern(Hana); await Hana.press('#govern', 'No password any more'); await Hana.press('#govern', 'Only with an invitation'); await closeAll(Hana); },
  },
  { play: 'door', name: 'entry-invited', what: 'A room for invited guests', before: async (stage) => { await anew(stage.guests.Sofia); await asks('This room is for invited guests')(stage); }, after: (stage) => stage.act({ act: 'invited_only', invited_only: false }) },
  {
    play: 'door', name: 'entry-identity', what: 'Coming in as the same guest',
    before: async (stage) => { const { Sofia } = stage.guests; await anew(Sofia); await Sofia.connected(); await Sofia.page.click('#name-button'); await Sofia.press('#name-form', 'Leave, and come in with a passphrase or a key file'); await asks(ENTERED)(stage); },
  },
  /* Several rooms, a full one, a closed one. */
  { play: 'house', name: 'rooms', what: 'The rooms of the address', before: async ({ guests: { Sofia } }) => { await enter(Sofia, 'Sofia'); await Sofia.see('the list', () => document.querySelectorAll('#rooms li').length === 3); }, ...people() },
  { play: 'house', name: 'full', what: 'The room is full', before: async (stage) => { await stage.guests.Sofia.ask(() => document.getElementById('leave').click()); await stage.guests.Sofia.status('You have left.'); for (let number = 1; number <= 8; number++) await stage.speak(`Guest ${number}`); await anew(stage.guests.Sofia); await stage.guests.Sofia.status('The room is full'); }, after: async ({ guests: { Sofia }, speakers }) => { await speakers['Guest 1'].leave(); await Sofia.connected(); } },
  { play: 'house', name: 'closed', what: 'The room was closed', before: async (stage) => { const { Sofia } = stage.guests; for (const speaker of Object.values(stage.speakers)) speaker.vanish(); await stage.house.close(); await Sofia.status('The room was closed'); await Sofia.say('When it opens again'); } },
  { play: 'crowd', name: 'crowd', what: 'More guests than can be listed', before: async (stage) => { const { Sofia } = stage.guests; await enter(Sofia, 'Sofia'); for (let number = 1; number <= 104; number++) await stage.speak(`Guest ${number}`); await stage.speakers['Guest 7'].say('What a crowd!'); await Sofia.hears('What a crowd!'); await Sofia.see('the crowd', () => !document.getElementById('crowd').hidden); }, ...people() },
  /* Without scripts. */
  { play: 'plain', name: 'plain-entry', what: 'The entry', before: async (stage) => { await stage.act({ act: 'title', text: 'Tea at five' }); await stage.guests.Nora.openTab(); await stage.guests.Nora.arrived(); } },
  { play: 'plain', name: 'plain-entry-refused', what: 'A name is refused', before: async ({ guests: { Nora } }) => { await Nora.enter('admin'); await until('the name is refused', () => Nora.ask(() => document.querySelector('noscript iframe').contentDocument.querySelector('.note') !== null)); } },
  { play: 'plain', name: 'plain-entry-password', what: 'A room with a password, and who waits', before: async (stage) => { const host = await stage.speak('Hana'); await host.act({ act: 'reserve' }).catch(() => {}); await stage.act({ act: 'role', of: host.id, role: 'host' }); await host.act({ act: 'password', text: PASSWORD }); await stage.act({ act: 'approval', approval: true }); await stage.guests.Nora.page.close(); await stage.guests.Nora.openTab(); await stage.guests.Nora.arrived(); } },
  {
    play: 'plain', name: 'plain-waiting', what: 'A newcomer waits to be let in',
    before: async (stage) => { const { Nora } = stage.guests; await stage.speakers.Hana.act({ act: 'password', text: '' }); await Nora.enter('Nora'); await until('it waits', () => Nora.ask(() => document.querySelector('noscript iframe').contentDocument.body?.textContent.includes('Ask again now'))); },
    after: async (stage) => { await stage.act({ act: 'approval', approval: false }); await stage.guests.Nora.page.close(); await stage.guests.Nora.open({ name: 'Nora' }); },
  },
  { play: 'plain', name: 'plain-empty', what: 'Nothing has been said yet', before: ({ guests: { Nora } }) => Nora.hears('has been said yet') },
  {
    play: 'plain', name: 'plain-conversation', what: 'A conversation',
    before: async (stage) => { for (const name of ['Marta', 'Jonas', 'Leila']) await stage.speak(name); await stage.act({ act: 'topic', text: 'What shall we brew today?' }); await talk(stage); const { Nora } = stage.guests; await Nora.hears('do you know the way'); await Nora.say('I do now. See you there!'); await Nora.hears('See you there!'); await Nora.reload(); await Nora.hears('See you there!'); },
  },
  { play: 'plain', name: 'plain-people', what: 'Who is here', before: ({ guests: { Nora } }) => Nora.inside(({ messages }) => messages.getElementById('people')?.click()), after: ({ guests: { Nora } }) => Nora.inside(({ messages }) => messages.getElementById('people')?.click()) },
  { play: 'plain', name: 'plain-naming', what: 'The field for the name', before: ({ guests: { Nora } }) => Nora.inside(({ say }) => (say.getElementById('naming').checked = true)), after: ({ guests: { Nora } }) => Nora.inside(({ say }) => (say.getElementById('naming').checked = false)) },
  { play: 'plain', name: 'plain-leave', what: 'Leaving, and erasing all one has said', ...unfolded('Leave and erase') },
  { play: 'plain', name: 'plain-message', what: 'The page of a message', ...aside(({ said }) => `message?of=${said.cake}`) },
  { play: 'plain', name: 'plain-search', what: 'Search', ...aside('search') },
  { play: 'plain', name: 'plain-found', what: 'Something was found', ...aside('search', (Nora) => sendPlain(Nora, { text: 'the' }, 'Search')) },
  { play: 'plain', name: 'plain-in-place', what: 'What was found, in its place', ...aside(({ said }) => `context?message=${said.wrong}#m${said.wrong}`) },
  { play: 'plain', name: 'plain-private', what: 'A private message', ...aside('private') },
  {
    play: 'plain', name: 'plain-whispered', what: 'Private messages among the messages',
    before: async ({ guests: { Nora }, speakers: { Jonas } }) => {
      await openAside(Nora, 'private');
      await sendPlain(Nora, { to: Jonas.id, text: 'Shall we surprise Marta? It is her birthday.' }, 'Send');
      await closeAside(Nora);
      await Nora.hears('Shall we surprise Marta?');
    },
  },
  { play: 'plain', name: 'plain-identity', what: 'Being the same guest each time', ...aside('identity') },
  { play: 'plain', name: 'plain-claim', what: 'The page of hosts, for a guest', ...aside('host') },
  {
    play: 'plain', name: 'plain-rich', what: 'Long texts, right to left, marks; a pinned message, rules, slow mode',
    before: async (stage) => {
      const { guests: { Nora }, speakers: { Marta, Jonas, Leila } } = stage;
      await Marta.say(RECIPE);
      await Leila.say('ساعت پنج چای می‌خوریم، با شیرینی زعفرانی 🫖');
      await Jonas.say(`Donaudampfschifffahrtsgesellschaftskapitän${'s'.repeat(120)}mütze https://аррӏе.com/tea`);
      const gone = await Jonas.say('I should not have said that.');
      await stage.act({ act: 'pin', message: stage.said.five });
      await stage.act({ act: 'slow', seconds: 30 });
      await stage.act({ act: 'announce', text: 'Tea is served in the garden today.' });
      await Jonas.act({ act: 'delete', messages: [gone] });
      await Leila.say('Good to know');
      await Nora.reload();
      await Nora.hears('Good to know');
    },
    after: (stage) => stage.act({ act: 'slow', seconds: 0 }),
  },
  { play: 'plain', name: 'plain-refreshing', what: 'Without streaming', before: async ({ guests: { Nora } }) => { await Nora.follow('Without streaming'); await Nora.hears('Loads again every 20 seconds'); }, after: async ({ guests: { Nora } }) => { await Nora.follow('Reconnect'); await until('the messages stream', () => Nora.inside(({ connection }) => Boolean(connection?.querySelector('iframe')))); await Nora.ready(); } },
  {
    play: 'plain', name: 'plain-away', what: 'The room cannot be reached',
    before: async ({ guests: { Nora } }) => {
      Nora.proxy.away();
      await until('it says so', () => Nora.inside(({ connection }) => {
        const { getComputedStyle, innerWidth, innerHeight } = connection.defaultView, words = connection.querySelector('#again .away');
        /* It covers what the browser shows in place of the messages. */
        return getComputedStyle(words).visibility === 'visible' && words.parentElement.contains(connection.elementFromPoint(innerWidth / 2, innerHeight / 2));
      }), { deadline: 60_000 });
    },
    after: async ({ guests: { Nora } }) => { Nora.proxy.back(); await Nora.page.close(); await Nora.open(); },
  },
  { play: 'plain', name: 'plain-host', what: 'The page of hosts', before: async (stage) => { const { Nora } = stage.guests; const secret = await stage.act({ act: 'link', role: 'host' }); await openAside(Nora, 'host'); await Nora.ask((value) => { const press = document.querySelector('button[value=claim]'); press.form.querySelector('[name=text]').value = value; document.body.dataset.old = 'yes'; press.click(); }, secret); await until('the tools', () => Nora.ask(() => document.body && !document.body.dataset.old && document.querySelectorAll('button').length > 3)); }, after: ({ guests: { Nora } }) => closeAside(Nora) },
  { play: 'plain', name: 'plain-put-out', what: 'Put out', before: async (stage) => { const { Nora } = stage.guests; const badge = await Nora.badge(); const of = await until('the number', async () => { const answer = await fetch(new URL('rooms/main', stage.room.url), { headers: { authorization: `Bearer ${stage.speakers.Marta.token}` } }); const { guests } = await answer.json(); return guests?.find(({ name }) => name === 'Nora')?.id; }); await stage.act({ act: 'kick', of }); await until(`${badge} is out`, () => Nora.inside(({ messages }) => /put out/.test(messages?.body?.innerText))); } },
];

/** A small phone. */
export const SMALL = { width: 360, height: 740 };

/** The pictures of the README: each is one of the states, in one size and theme. */
export const README = [
  { file: 'phone.webp', name: 'conversation', size: { ...SMALL, deviceScaleFactor: 2 }, theme: 'light' },
  { file: 'desk.webp', name: 'menu-of-a-message', size: { width: 1120, height: 700 }, theme: 'dark' },
  { file: 'without-javascript.webp', name: 'plain-conversation', size: { width: 800, height: 640 }, theme: 'light' },
];
