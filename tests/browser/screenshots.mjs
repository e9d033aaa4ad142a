/* Makes a picture of every state of the page, in both themes and in high contrast, on a small phone and at a desk, with scripts and
   without, and a page to look at them all. What the states are is in pictures/states.mjs.

     npm run screenshots                        all of them, into target/screenshots/states
     npm run screenshots -- --only 'menu|host'  those whose names match
     npm run screenshots -- --readme            the three of the README, into docs/images
     npm run screenshots -- --into DIRECTORY    somewhere else

   The program and the room with doors of the tests are used: `cargo test --locked --no-run` builds them. */

import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { TARGET } from './kit/room.mjs';
import { DESKTOP } from './kit/guest.mjs';
import { enter, Stage, withLink } from './pictures/stage.mjs';
import { README, SMALL, STATES } from './pictures/states.mjs';

const SIZES = [SMALL, DESKTOP];
/** As the page's own switch has them. */
const THEMES = ['light', 'dark', 'light contrast', 'dark contrast'];
/** Without scripts the page follows the browser. */
const PLAIN_THEMES = ['light', 'dark'];
const IMAGES = path.resolve(import.meta.dirname, '../../docs/images');

/** How each play begins: the room, and who is there. */
const PLAYS = {
  async hall(stage) {
    await stage.openHall();
    await stage.browse('Sofia');
    await stage.browse('Hana');
  },
  async door(stage) {
    await stage.openHall();
    const hana = await stage.browse('Hana');
    await withLink(hana, `host=${await stage.act({ act: 'link', role: 'host' })}`);
    await hana.line('You are a host of this room now.');
    await hana.rename('Hana');
    await stage.browse('Sofia');
  },
  async house(stage) {
    await stage.openHouse();
    await stage.browse('Sofia');
  },
  async crowd(stage) {
    await stage.openHall();
    await stage.browse('Sofia');
  },
  async plain(stage) {
    await stage.openHall();
    await stage.browsePlain('Nora');
  },
};

const { values: options } = parseArgs({ options: { only: { type: 'string' }, readme: { type: 'boolean' }, into: { type: 'string' } } });
const into = path.resolve(options.into ?? (options.readme ? IMAGES : path.join(TARGET, 'screenshots/states')));
const only = new RegExp(options.only ?? '');
fs.mkdirSync(into, { recursive: true });

/** What came of it: pictures by state, and what went wrong. */
const made = new Map(), skipped = [], failed = [], wide = [];

/** The pictures of a state in the run of a play with this theme, as file, size and theme. */
function wanted({ name, play }, theme) {
  if (options.readme) return README.filter((one) => one.name === name && (play !== 'plain' || one.theme === theme));
  if (!only.test(name)) return [];
  const themes = play === 'plain' ? [theme] : THEMES;
  return SIZES.flatMap((size) => themes.map((each) => ({ file: `${name}-${size.width}-${each.replace(' ', '-')}.png`, size, theme: each })));
}

/** How long colours and scroll bars may take to follow; nothing tells when they have. */
const SETTLES = 60;

/** The page looks so. Without scripts it follows the browser. */
const dress = ({ play }, guest, theme) => play !== 'plain' && guest.ask((words) => (document.documentElement.dataset.theme = words), theme);

async function picture(guest, state, { file, theme }) {
  await dress(state, guest, theme);
  await new Promise((resolve) => setTimeout(resolve, SETTLES));
  await guest.page.screenshot({ path: path.join(into, file), ...(file.endsWith('.webp') && { type: 'webp', quality: 80 }) });
  made.set(state, [...(made.get(state) ?? []), file]);
  const { scrollWidth, innerWidth } = await guest.ask(() => ({ scrollWidth: document.documentElement.scrollWidth, innerWidth }));
  if (scrollWidth > innerWidth) wide.push(`${file}: ${scrollWidth} px of ${innerWidth}`);
}

/** One row of the table, in its room. */
async function play(stage, state) {
  const reason = await state.unless?.(stage);
  if (reason) return skipped.push(`${state.name}: ${reason}`);
  await state.before?.(stage);
  const guest = stage.guests[state.who ?? (state.play === 'plain' ? 'Nora' : 'Sofia')];
  const pictures = wanted(state, stage.theme);
  const together = new Map();
  for (const one of pictures) {
    const key = `${one.size.width} ${state.perTheme && one.theme}`;
    together.set(key, [...(together.get(key) ?? []), one]);
  }
  for (const group of together.values()) {
    await guest.page.bringToFront();
    await guest.page.setViewport(group[0].size);
    await dress(state, guest, group[0].theme);
    await state.show?.(stage);
    for (const one of group) await picture(guest, state, one);
    await state.hide?.(stage);
  }
  await guest.page.setViewport(DESKTOP);
  await state.after?.(stage);
}

async function run(name, theme) {
  const rows = STATES.filter((state) => state.play === name);
  const last = rows.findLastIndex((state) => wanted(state, theme).length);
  if (last < 0) return;
  const stage = new Stage(theme);
  try {
    await PLAYS[name](stage);
    for (const state of rows.slice(0, last + 1)) {
      /* A state that does not come about is told at the end; the others have their pictures. */
      await play(stage, state).catch(async (error) => {
        failed.push(`${state.name} (${theme ?? 'scripts'}): ${error.message}`);
        console.error(`\n${failed.at(-1)}`);
        for (const ending of [state.hide, state.after]) {
          try {
            await ending?.(stage);
          } catch {
            /* There may be nothing to end. */
          }
        }
      });
      process.stdout.write(`${state.name} `);
    }
  } finally {
    await stage.close();
  }
}

/** A page with all pictures, a row for each state. */
function index() {
  const rows = [...made].map(([{ name, what }, files]) => `<h2 id="${name}">${what} <small>${name}</small></h2>\n<p>${files.map((file) => `<a href="${file}"><img loading="lazy" src="${file}" alt="${file}"></a>`).join('\n')}</p>`);
  const notes = [...skipped.map((one) => `not there: ${one}`), ...failed.map((one) => `failed: ${one}`), ...wide.map((one) => `too wide: ${one}`)];
  return `<!doctype html>\n<meta charset="utf-8">\n<title>Every state of the page</title>\n<style>body { margin: 1rem; font: 1rem/1.4 system-ui; background: #888 } p { display: flex; flex-wrap: wrap; gap: .5rem; align-items: start } img { height: 30rem; width: auto; border: 1px solid #555 } small { font-weight: 400 }</style>
<h1>Every state of the page</h1>\n<ul>${notes.map((note) => `<li>${note.replaceAll('<', '&lt;')}`).join('\n')}</ul>\n${rows.join('\n')}\n`;
}

for (const name of Object.keys(PLAYS)) {
  if (name !== 'plain') await run(name);
  else for (const theme of PLAIN_THEMES) await run(name, theme);
}
if (!options.readme) fs.writeFileSync(path.join(into, 'index.html'), index());
console.log(`\n${[...made.values()].flat().length} pictures in ${into}`);
for (const [what, list] of Object.entries({ 'not there': skipped, 'too wide': wide, failed })) for (const one of list) console.log(`${what}: ${one}`);
process.exitCode = failed.length ? 1 : 0;
