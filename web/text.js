/* What people wrote, made ready to be shown. Text becomes text nodes; nothing here ever becomes markup. */
'use strict';

const { assign } = Object;

/** The page's language. Its build has the texts for people in that one (web/build/texts.rs). */
const { lang } = document.documentElement;

const element = (id) => document.getElementById(id);

/** A new element with a class and children; strings become text. */
function make(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/** A button that only does something here. */
function button(words, onclick, className = 'link') {
  return assign(make('button', className, words), { type: 'button', onclick });
}

/** A name, kept from changing the direction of what stands around it. */
const nameNode = (name) => make('bdi', '', name);

const encoder = new TextEncoder();
const byteLength = (text) => encoder.encode(text).length;

/** What was typed, as it is sent: no control characters but line breaks and tabs, no blank first or last lines. */
function tidy(text) {
  const clean = text.replace(/\r\n?/g, '\n').replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '');
  return clean.toWellFormed().replace(/^(?:[^\S\n]*\n)+/, '').trimEnd();
}

/** A text as it is shown: no more marks on a letter than any script has, no more empty lines in a row than two. */
const calm = (text) => text.replace(/(\p{M}{8})\p{M}+/gu, '$1').replace(/(\n[^\S\n]*){3,}(?=\n)/g, '\n\n');

/** Bytes as base64url without padding. */
const base64 = (bytes) => btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

/** A token as docs/protocol.md has it, made here: so even a first welcome that is lost leaves no stranger behind. */
function randomToken(count = 32) {
  return base64(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(count))));
}

/** 128 random bits in the same letters. */
const randomId = () => randomToken(16);

/* Addresses end at white space, at quotes and brackets, and at every invisible or direction-changing character:
   what is shown is where it leads. */
const ADDRESS =
  /https?:\/\/[^\s<>"`\p{C}]+|(?<![\w.@-])(?:[\w-]+\.){0,4}[a-z2-7]{56}\.onion(?![\w-]|\.[\w-])(?::\d{1,5})?(?:\/[^\s<>"`\p{C}]*)?/giu;
const CLOSERS = { ')': '(', ']': '[', '}': '{' };

/** An address without the punctuation of the sentence around it. */
function withoutPunctuation(address) {
  const spare = {};
  for (const [closer, opener] of Object.entries(CLOSERS)) {
    spare[closer] = address.split(closer).length - address.split(opener).length;
  }
  let end = address.length;
  for (; end > 0; end--) {
    const last = address[end - 1];
    if (spare[last] > 0) spare[last]--;
    else if (!/[.,;:!?'*_~…]/.test(last)) break;
  }
  return address.slice(0, end);
}

/** The link for an address, or nothing if it is not a plain web address. */
function linkTo(address) {
  let url;
  try {
    url = new URL(/^https?:/i.test(address) ? address : `http://${address}`);
  } catch {
    return undefined;
  }
  /* "https://bank.example@elsewhere" is meant to be misread. */
  if (!/^https?:$/.test(url.protocol) || url.username || url.password) return undefined;
  const link = make('a', '', address);
  /* A host of other letters, or spelled in another way, can look like any other: the one it leads to stands beside it. */
  const plain = `${url.protocol}//${url.host}`;
  const typed = /^https?:/i.test(address) ? address.toLowerCase() : `http://${address.toLowerCase()}`;
  if (!typed.startsWith(plain) || !/^([/?#\\:]|$)/.test(typed.slice(plain.length))) link.append(make('span', 'leads', ` (${url.host})`));
  link.href = url.href;
  link.title = url.href;
  link.dir = 'ltr';
  /* One to a message of this address leads there in this window. */
  if (!url.href.startsWith(`${location.origin}/#`)) link.target = '_blank';
  link.rel = 'noreferrer noopener nofollow';
  return link;
}

/** Text with its web addresses as links. */
function linked(text) {
  const fragment = document.createDocumentFragment();
  let done = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutPunctuation(match[0]);
    const link = linkTo(address);
    if (!link) continue;
    fragment.append(text.slice(done, match.index), link);
    done = match.index + address.length;
  }
  fragment.append(text.slice(done));
  return fragment;
}

/** "3 guests", "1 guest". Each language has a rule of its own here (web/build/languages.rs). */
const counted = (n, ...forms) => `${n} ${forms[+(n != 1)]}`;
/** The parts of a sentence, in the order that the page's language has them in. */
const phrase = (words, ...nodes) => words.map((text, place) => [text, nodes[place] ?? '']).flat(2);
