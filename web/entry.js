/* How a newcomer comes in where hosts do not let everyone in: what they need stands in place of the conversation. Loaded when the room
   refuses a hello for want of it. What is typed here is kept nowhere. */
'use strict';
{
  style('entry.css');

  const TITLES = {
    waiting: 'Waiting to be let in',
    password: 'This room has a password',
    invitation: 'This room is for invited guests',
  };

  const title = assign(make('h2'), { tabIndex: -1 });
  const words = assign(make('p'), { role: 'status' });
  const forms = make('div');
  const entry = assign(make('section', '', title, words, forms), { id: 'entry' });
  element('scroller').before(entry);

  const password = () => field('Password', 'Come in', (password, form, input) => {
    input.value = '';
    naming.brings = { password };
    comeIn();
  }, { type: 'password', required: true });
  const invitation = () => field('Invitation, as a link', 'Come in', (link) => {
    invite = /(?:^|=)([\w-]{43})$/.exec(link.trim())?.[1];
    if (invite) comeIn();
    else words.textContent = 'That is no invitation: it ends with #invite= and 43 letters.';
  }, { required: true });
  const name = () => field('Your name, for the host to see', 'Save', (name) => {
    seat.name = name.trim();
    comeIn();
  }, { value: seat.name ?? '', required: true, dir: 'auto' });

  /** What is shown: the first part of a code. */
  let shown;

  function show({ code, message, retry_after: wait, token }) {
    const kind = code === 'too_fast' ? shown ?? 'password' : code.split('_')[0];
    if (invite) message = `What you brought does not let you in. ${message}`;
    invite = naming.brings = undefined;
    naming.waits = naming.needed = TITLES[kind];
    if (words.textContent !== message) words.textContent = message;
    if (kind === 'waiting') {
      naming.needed = '';
      /* A reload goes on as the same guest, who has waited. */
      seat.welcomed(token ?? seat.token);
      clearTimeout(connection.timer);
      connection.timer = setTimeout(() => {
        connection.timer = setTimeout(() => connection.lost(), WELCOME_DEADLINE);
        connection.greet();
      }, wait * SECOND);
    }
    showStatus(connection);
    if (kind === shown) return;
    shown = kind;
    title.textContent = TITLES[kind];
    if (here !== 'main') titled(here);
    forms.replaceChildren(...{ waiting: [name(), invitation()], password: [password(), invitation()], invitation: [invitation()] }[kind], here === 'main' ? '' : button('To the main room', () => goTo('main')));
    element('room').classList.add('entering');
    (kind === 'waiting' || onGlass() ? title : forms.querySelector('input')).focus();
  }

  function entered() {
    if (!shown) return;
    shown = naming.waits = undefined;
    const focused = entry.contains(document.activeElement);
    element('room').classList.remove('entering');
    forms.replaceChildren();
    if (focused) composer.focus();
  }

  assign(naming, { entry: show, entered });
}
