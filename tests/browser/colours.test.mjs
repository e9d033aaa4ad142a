/* The colours of guests: those of guests who are here differ, all can be read, in the light and in the dark. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { read, scripts } from './kit/scripts.mjs';

const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const rgb = (hex) => [1, 3, 5].map((from) => linear(parseInt(hex.slice(from, from + 2), 16) / 255));

/** Relative luminance and contrast, as WCAG 2.2 defines them. */
const luminance = (hex) => rgb(hex).reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
const contrast = (one, other) => {
  const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
};

/** A colour in OKLab. */
function oklab(hex) {
  const [r, g, b] = rgb(hex);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}
const hue = (hex) => ((Math.atan2(oklab(hex)[2], oklab(hex)[1]) * 180) / Math.PI + 360) % 360;

const palette = [...read('colours.css').matchAll(/\.h(\d+) \{ --tone: light-dark\((#\w{6}), (#\w{6})\); \}/g)].map(([, , light, dark]) => [light, dark]);
/** Paper and card of each theme, as web/chat.css has them. */
const grounds = [['#fbfafc', '#ffffff'], ['#15121a', '#211c29']];

test('each colour is readable, and none is within 20° of hue of another', () => {
  assert.equal(palette.length, 12);
  for (const [theme, papers] of grounds.entries()) {
    for (const [one, colours] of palette.entries()) {
      for (const paper of papers) assert.ok(contrast(colours[theme], paper) >= 4.5, `${colours[theme]} on ${paper}`);
      for (const other of palette.slice(0, one)) {
        const apart = Math.abs(hue(colours[theme]) - hue(other[theme]));
        assert.ok(Math.min(apart, 360 - apart) > 20, `${colours[theme]} and ${other[theme]}`);
      }
    }
  }
});

test('in a thousand rooms, guests who are here have colours of their own as long as there are some, and keep them', () => {
  for (let room = 0; room < 1000; room++) {
    const page = scripts('people.js');
    const guests = Array.from({ length: 12 }, (_, index) => ((room * 12 + index) * 7_919_123_457) % 2 ** 48);
    const colours = guests.map((guest) => page(`colourOf(${guest})`));
    assert.equal(new Set(colours).size, 12, `guests ${guests}`);
    assert.deepEqual(guests.map((guest) => page(`colourOf(${guest})`)), colours);
    assert.equal(colours[0], `h${page(`Math.floor(hueOf(${guests[0]}) / 30)`)}`, 'the first has the colour of their badge');
  }
});

test('of many who came and went, those who are here keep theirs', () => {
  const page = scripts('people.js');
  const colours = Array.from({ length: 200 }, (_, guest) => page(`colourOf(${guest})`));
  page('forgetColours(new Map([[3, {}], [150, {}]]))');
  assert.equal(page('colours.size'), 2);
  assert.deepEqual([page('colourOf(3)'), page('colourOf(150)')], [colours[3], colours[150]]);
});
