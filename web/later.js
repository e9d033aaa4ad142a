/* What only some guests need is loaded when they do. */
'use strict';

const asked = {};

/** Adds the style of such a script. */
function style(text) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  document.adoptedStyleSheets.push(sheet);
}

/** A form of one field; `use(text, form, input)` takes what was typed. */
function field(words, save, use, more, tag = 'input') {
  const input = assign(make(tag), { autocomplete: 'off' }, more);
  const form = make('form', 'field', make('label', '', words, input), make('button', '', save));
  form.onsubmit = (event) => {
    event.preventDefault();
    use(input.value, form, input);
  };
  return form;
}

/** A request to the room, of the guest with this token. */
const request = (method, path, body, token, signal) => fetch(new URL(`rooms/${here}/${path}`, connection.base), {
  method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }, signal, cache: 'no-store',
});

/** What the room answers to a request beside the connection; `detail` says what is wrong. */
const ask = (method, path, body) => request(method, path, body, seat.token).then((answer) => (answer.status === 204 ? {} : answer.json())).catch(() => ({ detail: 'Not connected at the moment.' }));

/** Runs one more script of the room, once; the policy knows it by its text. Tells whether it came. */
const bring = (file) => (asked[file] ??= fetch(file)
  .then((answer) => (answer.ok ? answer.text() : Promise.reject()))
  .then((text) => {
    document.head.append(make('script', '', text));
    return true;
  })
  .catch(() => new Promise((resolve) => setTimeout(resolve, SECOND)).then(() => (asked[file] = undefined))));
