/* What only some guests need is loaded when they do. */
'use strict';

const asked = {};

/** Adds the style of such a script. */
function style(text) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  document.adoptedStyleSheets.push(sheet);
}

/** Runs one more script of the room, once; the policy knows it by its text. Tells whether it came. */
const bring = (file) => (asked[file] ??= fetch(file)
  .then((answer) => (answer.ok ? answer.text() : Promise.reject()))
  .then((text) => {
    document.head.append(make('script', '', text));
    return true;
  })
  .catch(() => new Promise((resolve) => setTimeout(resolve, SECOND)).then(() => (asked[file] = undefined))));
