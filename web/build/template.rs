//! The template of the files for translators, a gettext file without translations.

use std::collections::BTreeMap;

use super::texts::Text;

/// What is said of one text: its form for several, the files that have it, and what its parts are.
#[derive(Default)]
struct Entry {
    plural: Option<String>,
    files: Vec<String>,
    notes: Vec<String>,
}

/// The template: each text once, in the order of the page.
///
/// Panics at a text that is there both with a form for several and without.
pub(crate) fn of(texts: &[Text]) -> String {
    let mut order = Vec::new();
    let mut entries: BTreeMap<&str, Entry> = BTreeMap::new();
    for Text { key, plural, file, parts } in texts {
        let known = entries.contains_key(key.as_str());
        let entry = entries.entry(key).or_default();
        if !known {
            order.push(key);
            entry.plural = plural.clone();
        }
        assert_eq!(entry.plural, *plural, "a text has a form for several or has none: {key}");
        if !entry.files.contains(file) {
            entry.files.push(file.clone());
        }
        for (place, part) in parts.iter().enumerate() {
            let note = format!("{{{place}}} is {}", part.split_whitespace().collect::<Vec<_>>().join(" "));
            if !entry.notes.contains(&note) {
                entry.notes.push(note);
            }
        }
    }
    let mut template = String::new();
    for key in order {
        let Entry { plural, files, notes } = &entries[key.as_str()];
        template.push('\n');
        template.extend(notes.iter().map(|note| format!("#. {note}\n")));
        template.extend(files.iter().map(|file| format!("#: web/{file}\n")));
        template += &format!("msgid {}\n", quoted(key));
        template += &match plural {
            Some(plural) => format!("msgid_plural {}\nmsgstr[0] \"\"\nmsgstr[1] \"\"\n", quoted(plural)),
            None => "msgstr \"\"\n".to_owned(),
        };
    }
    template
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
