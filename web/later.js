/* What only some guests need is loaded when they do. */
'use strict';

const asked = {};

const OFFLINE = 'Not connected.';

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
const ask = (method, path, body) => request(method, path, body, seat.token).then((answer) => (answer.status === 204 ? {} : answer.json())).catch(() => ({ detail: OFFLINE }));

/** The document's style and script. How they begin and end is a dictionary that the later scripts are compressed with: web/build/dictionary.rs. */
const known = encoder.encode(document.querySelector('link + style').textContent + document.currentScript.textContent);
const HEAD = 14336, TAIL = 18432;

/** Decompresses a script: what it refers back to comes first, as a block that is stored (RFC 1951, section 3.2.4). */
async function inflated(answer) {
  const blob = new Blob([Uint8Array.of(0, 0, 128, 255, 127), known.slice(0, HEAD), known.slice(-TAIL), await answer.blob()]);
  const text = await new Response(blob.stream().pipeThrough(new DecompressionStream('deflate-raw'))).blob();
  return text.slice(HEAD + TAIL).text();
}

/** Runs one more script of the room, once; the policy knows it by its text. Tells whether it came. */
const bring = (file) => (asked[file] ??= fetch(`${file}.deflate?${lang}`)
  .then((answer) => (answer.ok ? inflated(answer) : Promise.reject()))
  .then((text) => {
    document.head.append(make('script', '', text));
    return true;
  })
  .catch(() => new Promise((resolve) => setTimeout(resolve, SECOND)).then(() => (asked[file] = undefined))));
