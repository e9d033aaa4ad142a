/* A host without scripts makes an invitation: its QR code is drawn in the page, and nothing is loaded for it. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { DESKTOP } from './kit/guest.mjs';
import { NoscriptPage } from './kit/noscript.mjs';
import { openLab, PROGRAM } from './kit/room.mjs';
import { until } from './kit/until.mjs';

let room, hanna;

before(async () => {
  /* At a local address no code is drawn: it would lead nowhere from a phone. */
  room = await openLab();
  hanna = await NoscriptPage.arrive(room, { name: 'hanna', size: DESKTOP });
  await hanna.open({ name: 'Hanna' });
}, { timeout: 300_000 });

after(async () => {
  await hanna?.leave();
  await room?.close();
});

/** Asks the page Host, which is in the frame of the room. */
const shown = (question, ...values) => hanna.page.evaluate(`(() => {
  const host = document.querySelector('noscript iframe').contentDocument;
  return (${question})(host, ...${JSON.stringify(values)});
})()`);

/** Writes into the field of the form with this button, and presses it. */
const press = (button, field, text) => shown((host, value, name, written) => {
  const pressed = host.querySelector(`button[value=${value}]`);
  pressed.form.elements[name].value = written;
  pressed.click();
}, button, field, text);

const has = (button) => until(`the button ${button}`, () => shown((host, value) => Boolean(host?.querySelector(`button[value=${value}]`)), button), { deadline: 60_000 });

test('an invitation is shown with a code to scan, in the page itself', async () => {
  const data = path.join(path.dirname(room.network), 'room');
  const { secret } = JSON.parse(execFileSync(PROGRAM, ['host', 'link', '--json', '--data-dir', data], { encoding: 'utf8' }));
  await hanna.inside(({ room }) => {
    const link = room.querySelector('a[target=host]');
    link.target = '_self';
    link.click();
  });
  await has('claim');
  await press('claim', 'text', secret);
  await has('invite');
  const asked = hanna.paths().length;
  await press('invite', 'name', 'Zoe');
  await until('the code', () => shown((host) => Boolean(host?.querySelector('svg.qr path'))), { deadline: 60_000 });
  const code = await shown((host) => {
    const drawn = host.querySelector('svg.qr');
    const line = drawn.querySelector('path');
    const style = (element) => host.defaultView.getComputedStyle(element);
    const { width, height } = drawn.getBoundingClientRect();
    return {
      width, height,
      box: drawn.getAttribute('viewBox').split(' ').map(Number),
      path: line.getAttribute('d'),
      colours: [style(line).stroke, style(line).fill, style(drawn).backgroundColor],
      link: host.querySelector('code').textContent,
      others: host.querySelectorAll('img, object, embed').length,
    };
  });
  assert.match(code.link, /^\/#invite=[\w-]{43}$/);
  /* Version 6 with the least error correction has room for the 121 bytes of the link; four light modules are around it. */
  const size = 41 + 8;
  assert.deepEqual(code.box, [0, -0.5, size, size]);
  assert.ok(code.path.startsWith('M4 4h7M'), 'the upper edge of the first finder');
  assert.ok(Math.abs(code.width - code.height) < 1 && code.width / size >= 4, `${code.width} by ${code.height} px`);
  assert.deepEqual(code.colours, ['rgb(0, 0, 0)', 'none', 'rgb(255, 255, 255)']);
  assert.equal(code.others, 0);
  assert.deepEqual(hanna.paths().slice(asked), ['POST /rooms/main/page/host'], 'nothing was loaded for it');
  await hanna.screenshot('noscript-code');
});
