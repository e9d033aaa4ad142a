/* How a newcomer comes in where hosts do not let everyone in, and how a guest stays the same one: what they need stands in place of the
   conversation. Loaded when the room refuses a hello for want of it, and with the form of the name. What is typed here is kept nowhere. */
'use strict';
{
  style('entry.css');

  const TITLES = {
    waiting: 'Waiting to be let in',
    password: 'This room has a password',
    invitation: 'This room is for invited guests',
    identity: 'Come in as the same guest each time',
  };

  const title = assign(make('h2'), { tabIndex: -1 });
  const words = assign(make('p'), { role: 'status' });
  const forms = make('div');
  const entry = assign(make('section', '', title, words, forms), { id: 'entry' });
  element('scroller').before(entry);

  const password = () => field('Password', 'Come in', (password, form, input) => {
    input.value = '';
    naming.brings = { ...naming.brings, password };
    comeIn();
  }, { type: 'password', required: true });
  const invitation = () => field('Invitation, as a link', 'Come in', (link) => {
    invite = /(?:^|=)([\w-]{43})$/.exec(link.trim())?.[1];
    if (invite) comeIn();
    else words.textContent = 'That is no invitation: it ends with #invite= and 43 letters.';
  }, { required: true });
  const name = (words) => field(words, 'Save', (name) => {
    seat.name = name.trim();
    comeIn();
  }, { value: seat.name ?? '', required: true, dir: 'auto' });

  /* The same guest each time. */

  /** Comes in as another guest: with what goes along with the hello, or with this token. */
  function become(brings, token) {
    seat.renew(undefined, token);
    naming.brings = brings;
    comeIn();
  }

  function identity() {
    const form = field('Passphrase, at least 8 characters', 'Come in', (passphrase, { firstChild }, input) => {
      input.value = '';
      become({ identity: { name: firstChild.lastChild.value, passphrase }, name: undefined, token: undefined });
    }, { type: 'password', required: true });
    form.prepend(name('Name').firstChild);
    return form;
  }

  const keyFile = () => field('Or your key file', 'Come in', async (path, form, { files }) => {
    const token = /^(?:onionroom-key-1 )?([\w-]{42}[AEIMQUYcgkosw048])\s*$/m.exec(await files[0].text())?.[1];
    if (token) become(undefined, token);
    else words.textContent = 'That is no key file.';
  }, { type: 'file', required: true });

  const other = (words) => button(words, () => {
    if (connection.state === 'connected') element('leave').click();
    closeNaming();
    show({ code: 'identity_', message: 'Name and passphrase bring you back as the same guest, from anywhere. If you forget it, it is lost.' });
  });

  /** Reserves the name that the guest has, or gives up the one that is reserved. */
  const reserving = (words, act) => button(words, async () => {
    const { detail } = await ask('POST', 'acts', { id: randomId(), act });
    complain(detail);
    if (detail) return;
    closeNaming();
    log.line(`${words}: done.`);
  });

  function saveKey() {
    const text = `# ${'The key of a guest in an onionroom: keep it secret.'}\nonionroom-key-1 ${seat.token}\n`;
    assign(make('a'), { href: URL.createObjectURL(new Blob([text])), download: `onionroom-key-${badgeOf(people.me).text}.txt` }).click();
  }

  const keeping = make('p', 'quiet');
  naming.form.append(keeping);
  const reserve = reserving('Reserve the name', 'reserve');

  /** Shows in the form of the name how to stay the same guest. */
  function keep() {
    keeping.replaceChildren(...(connection.state === 'connected' ? [
      'To be the same guest next time: ',
      people.guests.get(people.me)?.kept ? reserving('Give up the name', 'release_name') : reserve, ' ',
      button('Save a key file', saveKey), ' ',
      other('Leave, and come in with a passphrase or a key file'),
    ] : [other('Come in with a passphrase or a key file')]));
  }

  /** What is shown: the first part of a code. */
  let shown;
  /** Whether the name is to be reserved once the guest is let in. */
  let reserves;

  function show({ code, message, retry_after: wait, token }) {
    const kind = /^(waiting|password|invitation|identity)/.exec(code)?.[0] ?? shown ?? 'identity';
    if (invite) message = `What you brought does not let you in. ${message}`;
    const { identity: brought } = naming.brings ?? {};
    /* A passphrase goes along with what else is needed. */
    if (/^(p|inv)/.test(kind)) delete naming.brings?.password;
    else naming.brings = undefined;
    invite = undefined;
    naming.waits = naming.needed = TITLES[kind];
    if (words.textContent !== message) words.textContent = message;
    clearTimeout(connection.timer);
    if (kind === 'waiting') {
      naming.needed = '';
      if (brought) seat.name = brought.name;
      reserves ||= brought;
      /* A reload goes on as the same guest, who has waited. */
      seat.welcomed(token ?? seat.token);
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
    forms.replaceChildren(...{
      waiting: [name('Your name, for the host to see'), invitation()], password: [password(), invitation()], invitation: [invitation()], identity: [identity(), keyFile()],
    }[kind], here === 'main' ? '' : button('To the main room', () => goTo('main')), ' ', kind === 'identity' ? button('Cancel', comeIn) : other('Come in with a passphrase or a key file'));
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
    if (reserves && connection.state === 'connected') reserve.click();
    reserves = false;
  }

  assign(naming, { entry: show, entered, keep });
}
