/* What helps with writing and with noticing: commands, names and emoji with suggestions, where the unread begin, signs of what is new,
   and the settings of all that. Loaded together with talk.js. */
'use strict';
{
  const text = element('text');

  /* What may be typed. */

  /** Does something with the guest whose name begins what was typed; of two that do, with the one of the longer name. */
  const toGuest = (use) => (rest) => {
    const fits = ({ name }) => `${rest} `.toLowerCase().startsWith(`${name.toLowerCase()} `);
    const [guest] = [...people.guests.values()].filter(fits).sort((one, other) => other.name.length - one.name.length);
    return guest ? use(guest.id, guest.name, rest.slice(guest.name.length).trim()) : 'Not here.';
  };

  /** Each is a function of what follows it that gives what is wrong, if anything is. */
  const COMMANDS = {
    '/me': undefined,
    '/name': (name) => !connection.send({ type: 'rename', name }) && OFFLINE,
    '/room': (room) => location.replace(`#room=${room}`),
    '/ignore': toGuest(talk.ignore),
    /* Who is meant may have left, and another one's name be the beginning of theirs: it is sent when that was seen. */
    '/msg': toGuest((to, to_name, words) => talk.begin({ to, to_name }, words)),
    '/help': settle,
  };

  /** What is to be sent of what was typed; nothing if that was a command, or is wrong. */
  function obey(given) {
    const typed = given.replace(COMMAND, '/');
    if (!/^\/(?!me\s+\S)/.test(typed)) return typed;
    if (typed[1] === '/') return typed.slice(1);
    const [, name, rest] = /^(\S+)\s*@?([^]*)/.exec(typed);
    const wrong = COMMANDS[name] ? COMMANDS[name](rest) : 'No command. // says a slash.';
    if (!wrong) return;
    composer.takeBack(given);
    complain(wrong);
  }

  const EMOJI = ':joy:😂 :think:🤔 :wave:👋 :yes:👍 :no:👎 :heart:❤️ :fire:🔥 :tada:🎉'.split(' ');

  const list = assign(make('div', 'emoji'), { id: 'offers', ariaLive: 'polite' });
  element('you').before(list);

  /** Shows what the last word may become; in code, nothing. */
  function suggest() {
    const [word] = (text.value.split('`').length % 2 && /(?<!\S)[/@:][^@:\n]*:?$/.exec(text.value)) || [];
    const all = word ? [...Object.keys(COMMANDS), ...Array.from(people.guests.values(), ({ name }) => `@${name}`), ...EMOJI] : [];
    list.replaceChildren(...all.filter((whole) => whole.toLowerCase().startsWith(word.toLowerCase())).slice(0, 6).map((whole) => button(whole, () => {
      composer.set(text.value.slice(0, -word.length) + `${whole} `.replace(/^:\w+:(\S+) /, '$1'));
      composer.focus();
    }, '')));
    if (/\w:$/.test(word)) list.firstChild?.click();
  }
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Tab' || event.shiftKey || !list.firstChild) return;
    event.preventDefault();
    list.firstChild.click();
  });

  /* Where the unread begin. */

  const first = assign(button('↑ First unread', () => talk.jump(log.marked.seq, 0, true), ''), { id: 'first' });
  element('newest').before(first);
  /** The place that was seen. */
  let seen;
  const sight = new IntersectionObserver(([{ isIntersecting, boundingClientRect }]) => {
    /* While messages come, the place passes by. */
    if (isIntersecting && attentive() && !catchingUp) seen = log.marked;
    first.hidden = seen === log.marked || boundingClientRect.top > 99;
  });

  /* Signs of what is new, while the guest looks elsewhere. */

  const on = (word) => settings.theme.includes(word) && !settings.theme.includes('quiet');
  const icon = document.querySelector('[rel=icon]'), plain = icon.href;
  let mentions = 0, context, noticed;

  /** Takes account of what is unread, and of one message more. */
  async function notice(message) {
    /* Where the page is not drawn, it would not be noticed that the place has come and gone. */
    sight.disconnect();
    sight.observe(log.fresh);
    if (!unread) mentions = message = 0;
    if (message && (message.to || talk.calls(message.text))) mentions++;
    if (mentions) document.title = `@${mentions} ${document.title}`;
    icon.href = plain.replace('7d4698', mentions ? 'e00' : unread ? '888' : '$&');
    /* Many at once are one. */
    if (!message || Date.now() - noticed < SECOND) return;
    noticed = Date.now();
    if (on('sound')) sound();
    if (on('notify')) new Notification('New messages', { tag: 'chat' });
  }
  setInterval(() => unread && on('flash') && (document.title[0] === '*' ? showTitle() : (document.title = '***')), SECOND);

  /** A short tone. Where the browser does not let it sound yet, it gives way to the next one. */
  function sound() {
    context?.close();
    context = new AudioContext();
    const tone = new OscillatorNode(context);
    tone.connect(new GainNode(context, { gain: 0.1 })).connect(context.destination);
    tone.start();
    tone.stop(context.currentTime + 0.1);
  }

  /* Settings, and what there is to know. */

  const WORDS = 'light|dark|contrast|compact|sound|flash|notify|quiet'.split('|');
  function settle() {
    const words = tr('light|dark|high contrast|compact|sound|flashing title|notifications|do not disturb').split('|');
    talk.unfold(element('theme'), 'Settings', [
      ...WORDS.map((value, place) => make('label', '', assign(make('input'), { type: 'checkbox', value, checked: settings.theme.includes(value), onchange: set }), ` ${words[place]}`)),
      make('div', 'emoji', ...'en de fr es fa ru ar zh-Hans'.split(' ').map((code) => assign(button(new Intl.DisplayNames(code, { type: 'language' }).of(code), () => {
        /* The room gives this browser the page in that language from now on. The seat and what is being written stay. */
        document.cookie = `language${location.port}=${code};path=${location.pathname};SameSite=Strict`;
        location.reload();
      }), { lang: code, disabled: code === lang }))),
      make('p', 'quiet', 'Enter: send. Shift+Enter: new line. Tab: suggestion. ↑: edit. Escape: close, twice: forget all. ?: this.'),
    ]);
  }

  async function set({ target: { value, checked } }) {
    /* The first two exclude each other. */
    const place = WORDS.indexOf(value);
    if (checked && place < 2) talk.menu.querySelectorAll('input')[1 - place].checked = false;
    shared.set('theme', (settings.theme = Array.from(talk.menu.querySelectorAll(':checked'), ({ value }) => value).join(' ')));
    if (on('sound')) sound();
    if (!on('notify') || (await window.Notification?.requestPermission()) === 'granted') return;
    complain('This browser shows no notifications.');
    talk.menu.querySelector('[value=notify]').click();
  }

  assign(talk, { obey, suggest, notice, settle });
  suggest();
  notice();
}
