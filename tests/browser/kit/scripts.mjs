/* The page's scripts without a browser, for what needs none. */

import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';

const WEB = path.resolve(import.meta.dirname, '../../../web');

export const read = (file) => fs.readFileSync(path.join(WEB, file), 'utf8');

/** Runs scripts of the page and gives what this expression says, with elements that only hold what is put into them. */
export function scripts(...files) {
  const created = (tag) => ({
    tag,
    children: [],
    append(...more) {
      this.children.push(...more);
    },
    get text() {
      return this.children.map((child) => child.text ?? child).join('');
    },
  });
  const document = { documentElement: { lang: 'en' }, createElement: created, createDocumentFragment: () => created() };
  /* `tr` marks texts for the build, which takes it away. */
  const page = vm.createContext({ URL, TextEncoder, document, location: new URL('http://room.onion/'), navigator: { language: 'en' }, tr: (text) => text });
  for (const file of files) vm.runInContext(read(file), page);
  return (expression) => vm.runInContext(expression, page);
}
