/* What is made of texts and times, without a browser. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scripts } from './kit/scripts.mjs';

const ONION = 'a2'.repeat(28);
const page = scripts('text.js', 'wires.js', 'time.js', 'composer.js');

/** The links in a text: what is shown and where each leads. */
const links = (text) => page(`linked(${JSON.stringify(text)})`).children.filter(({ href }) => href).map((link) => [link.text, link.href]);

test('a link whose host is not what it looks like says where it leads', () => {
  for (const [text, shown, href] of [
    ['https://аррӏе.com', 'https://аррӏе.com (xn--80ak6aa92e.com)', 'https://xn--80ak6aa92e.com/'],
    ['see https://münchen.de/a, please', 'https://münchen.de/a (xn--mnchen-3ya.de)', 'https://xn--mnchen-3ya.de/a'],
    ['https://pаypal.com/x', 'https://pаypal.com/x (xn--pypal-4ve.com)', 'https://xn--pypal-4ve.com/x'],
    ['https://אבג.com/', 'https://אבג.com/ (xn--4dbcd.com)', 'https://xn--4dbcd.com/'],
    ['https://bank。com', 'https://bank。com (bank.com)', 'https://bank.com/'],
    ['https://%62ank.com/', 'https://%62ank.com/ (bank.com)', 'https://bank.com/'],
    ['http://0x7f.1/', 'http://0x7f.1/ (127.0.0.1)', 'http://127.0.0.1/'],
    ['http://2130706433:81/', 'http://2130706433:81/ (127.0.0.1:81)', 'http://127.0.0.1:81/'],
  ]) {
    assert.deepEqual(links(text), [[shown, href]]);
  }
});

test('a plain link is shown as it was typed', () => {
  for (const [text, shown, href = shown] of [
    ['(https://example.org/a_(b)).', 'https://example.org/a_(b)'],
    ['HTTPS://Example.Org/Foo', 'HTTPS://Example.Org/Foo', 'https://example.org/Foo'],
    ['https://example.org:443/x', 'https://example.org:443/x', 'https://example.org/x'],
    ['https://example.org:8443/x!', 'https://example.org:8443/x'],
    ['https://example.org/שלום/b', 'https://example.org/שלום/b', 'https://example.org/%D7%A9%D7%9C%D7%95%D7%9D/b'],
    ['https://example.org\\@evil.example', 'https://example.org\\@evil.example', 'https://example.org/@evil.example'],
  ]) {
    assert.deepEqual(links(text), [[shown, href]]);
  }
});

test('a bare onion address is a link', () => {
  for (const [text, shown, href] of [
    [`${ONION}.onion`, `${ONION}.onion`, `http://${ONION}.onion/`],
    [`At ${ONION}.onion.`, `${ONION}.onion`, `http://${ONION}.onion/`],
    [`(${ONION}.onion/a?b=1), or`, `${ONION}.onion/a?b=1`, `http://${ONION}.onion/a?b=1`],
    [`${ONION.toUpperCase()}.ONION:8080/a`, `${ONION.toUpperCase()}.ONION:8080/a`, `http://${ONION}.onion:8080/a`],
    [`www.${ONION}.onion, they say`, `www.${ONION}.onion`, `http://www.${ONION}.onion/`],
    [`“${ONION}.onion”`, `${ONION}.onion`, `http://${ONION}.onion/`],
  ]) {
    assert.deepEqual(links(text), [[shown, href]]);
  }
});

test('what is no plain web address is no link', () => {
  for (const text of [
    'https://bank.example@evil.example/', 'https://bank.example:x@evil.example', 'javascript:alert(1)', 'https://example.org:80443', 'example.org',
    `ann@${ONION}.onion`, `${ONION}.onion.example.org`, `x${ONION}.onion`, `${ONION.slice(1)}.onion`, `${ONION}.onions`,
  ]) {
    assert.deepEqual(links(text), [], text);
  }
});

test('what is recent has an age; what is older has a time that says of which zone', () => {
  const now = Date.UTC(2026, 10, 25, 22, 26, 30);
  const age = (seconds) => page(`ageWords(${now - seconds * 1000}, ${now})`);
  assert.deepEqual([-2, 0, 59, 60, 3599, 3600, 86_399].map(age), ['now', 'now', 'now', '1 min ago', '59 min ago', '1 h ago', '23 h ago']);
  assert.match(age(86_400), /22:26|10:26/);
  assert.ok(age(86_400).includes(page('zoneName')));
  assert.ok(page('zoneName').length >= 2);
});

test('many marks and empty lines are shown as few, and those that languages have are left alone', () => {
  const calm = (text) => page(`calm(${JSON.stringify(text)})`);
  assert.equal(calm(`e${'\u0301'.repeat(1500)}x`), `e${'\u0301'.repeat(8)}x`);
  assert.equal(calm(`a${'\n'.repeat(4000)}b`), 'a\n\n\nb');
  assert.equal(calm('a\n \n\t\n \n \nb'), 'a\n\n\nb');
  for (const text of ['a\nb\n\nc\n\n\nd', 'tiếng Việt', 'שָׁלוֹם', 'བོད་ཡིག', 'ที่นี่', '👩🏽‍🚀']) assert.equal(calm(text), text);
});

test('characters that are too many are counted as people count them', () => {
  const beyond = (text, bytes) => page(`charactersBeyond(${JSON.stringify(text)}, ${bytes})`);
  assert.equal(beyond('abcdef', 4), 2);
  assert.equal(beyond('привет', 4), 4);
  assert.equal(beyond('a👩🏽‍🚀b', 3), 2);
  assert.equal(beyond('abc', 3), 0);
});
