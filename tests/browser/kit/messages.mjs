/* The texts of a language, from its gettext file. */

import fs from 'node:fs';
import path from 'node:path';

const FILES = path.resolve(import.meta.dirname, '../../../web/languages');

/** Each with what a browser prefers that gets it. */
export const LANGUAGES = { de: 'de-AT', fr: 'fr-CA', es: 'es-MX', fa: 'fa-IR', ru: 'ru', ar: 'ar-EG', 'zh-Hans': 'zh-TW' };

/** The entries of a file, `{ id, forms }`, and the expression for the form of a number. */
export function messages(code) {
  const whole = fs.readFileSync(path.join(FILES, `${code}.po`), 'utf8');
  const entries = whole.split(/\n\n+/).map((block) => {
    const lines = block.split('\n').filter((line) => !line.startsWith('#'));
    const texts = new Map();
    let name;
    for (const line of lines) {
      const [, keyword, quoted] = /^(?:(\w+(?:\[\d\])?) )?(".*")$/.exec(line) ?? [];
      if (!quoted) continue;
      name = keyword ?? name;
      texts.set(name, (texts.get(name) ?? '') + JSON.parse(quoted));
    }
    const forms = [...texts].filter(([name]) => name.startsWith('msgstr')).map(([, text]) => text);
    return { id: texts.get('msgid'), many: texts.get('msgid_plural'), forms };
  });
  const header = entries.find(({ id }) => id === '').forms[0];
  return { entries: entries.filter(({ id }) => id), plural: /plural=([^;]+);/.exec(header)[1] };
}

/** A pattern for what a text says with any parts. */
export function patternOf(text) {
  const escaped = text.split(/\{\d\}/).map((part) => part.replace(/[.+()^$*?{}|[\]\\/]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.+')}$`, 's');
}
