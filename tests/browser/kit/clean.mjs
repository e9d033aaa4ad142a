/* Nothing is wrong with what a guest has before them, in each size and theme. */

import assert from 'node:assert/strict';
import { faults } from './axe.mjs';

/** The two themes that a page can be asked to have. */
export const THEMES = ['light', 'dark'];

/** axe finds nothing and nothing is too wide, in these sizes, and in these themes if any are named. Each is kept as a picture, whose name
    begins with `pictures`. */
export async function clean(guest, what, { pictures, sizes, themes = [undefined] }) {
  await guest.page.bringToFront();
  for (const size of sizes) {
    await guest.page.setViewport(size);
    for (const theme of themes) {
      if (theme) await guest.ask((wanted) => (document.documentElement.dataset.theme = wanted), theme);
      assert.deepEqual(await faults(guest.page), [], [what, `${size.width} px`, theme].filter(Boolean).join(', '));
      assert.ok(await guest.ask(() => document.documentElement.scrollWidth <= innerWidth), `${what}: nothing is wider than ${size.width} px`);
      await guest.screenshot([pictures, what.replaceAll(' ', '-'), size.width, theme].filter(Boolean).join('-'));
    }
  }
  await guest.page.setViewport(guest.size);
}
