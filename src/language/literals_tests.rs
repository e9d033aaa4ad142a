//! The texts in the sources, and what the gettext files have of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// The calls whose literals are texts, with the places of these among the arguments.
const CALLS: [(&str, &[usize]); 9] = [
    (".say(", &[0]),
    (".fill(", &[0]),
    (".mark(", &[0]),
    ("english(", &[0]),
    (".plural(", &[1, 2]),
    (".counted(", &[1, 2]),
    (".fill_plural(", &[1, 2]),
    (".mark_plural(", &[1, 2]),
    ("plurals(", &[0, 1]),
];

/// The file that has the texts of the page with scripts as well names them so.
const OF_THE_PAGE: &str = "#: web/";

/// All texts: those with one form, and those with two.
fn texts() -> BTreeMap<String, Option<String>> {
    let mut texts = BTreeMap::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in sources(&root) {
        let source = fs::read_to_string(&file).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap();
        let code: String = source
            .lines()
            .map(|line| if line.trim_start().starts_with("//") { "\n".into() } else { format!("{line}\n") })
            .collect();
        for (call, places) in CALLS {
            for (at, _) in code.match_indices(call) {
                let named = code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
                if !call.starts_with('.') && named {
                    continue;
                }
                let arguments = arguments(&code[at + call.len()..]);
                let literals = places.iter().map(|place| literal(arguments.get(*place)?));
                let Some(literals) = literals.collect::<Option<Vec<_>>>() else { continue };
                let plural = literals.get(1).cloned();
                let before = texts.insert(literals[0].clone(), plural.clone());
                assert!(before.is_none_or(|before| before == plural), "one form and two: {}", literals[0]);
            }
        }
    }
    texts
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(sources(&path)),
            false if !path.to_string_lossy().ends_with("tests.rs") => files.push(path),
            false => {}
        }
    }
    files.sort();
    files
}

/// The arguments of a call, from after its bracket.
fn arguments(code: &str) -> Vec<String> {
    let (mut all, mut one, mut depth) = (Vec::new(), String::new(), 0);
    let mut characters = code.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                one.push('"');
                while let Some(inside) = characters.next() {
                    one.push(inside);
                    match inside {
                        '\\' => one.extend(characters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
                continue;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                all.push(std::mem::take(&mut one));
                continue;
            }
            _ => {}
        }
        one.push(character);
    }
    all.push(one);
    all
}

/// The text of a literal, if this is nothing else.
fn literal(argument: &str) -> Option<String> {
    let inside = argument.trim().strip_prefix('"')?.strip_suffix('"')?;
    let (mut text, mut rest) = (String::new(), inside);
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        rest = match after.chars().next()? {
            '\n' => after.trim_start(),
            'u' => {
                let (code, after) = after.strip_prefix("u{")?.split_once('}')?;
                text.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
                after
            }
            escaped => {
                text.push(if escaped == 'n' { '\n' } else { escaped });
                &after[escaped.len_utf8()..]
            }
        };
    }
    Some(text + rest)
}

/// The numbers of the parts of a text.
fn parts(text: &str) -> BTreeSet<usize> {
    pieces(text).filter_map(Result::err).collect()
}

fn file(language: Language) -> String {
    let name = format!("web/languages/{}.po", language.code());
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn there_are_texts() {
    let texts = texts();
    assert!(texts.len() > 400, "{}", texts.len());
    assert_eq!(texts["Take it back"], None);
    assert_eq!(texts["{0} minute ago"].as_deref(), Some("{0} minutes ago"));
    assert!(texts.contains_key("There is nothing here; the room is at \"/\"."));
}

#[test]
fn every_text_is_in_every_language() {
    for language in Language::ALL.into_iter().skip(1) {
        let missing = |english: &String| {
            !language.forms(english).is_some_and(|forms| forms.iter().all(|form| !form.trim().is_empty()))
        };
        let missing: Vec<_> = texts().into_keys().filter(missing).collect();
        assert!(missing.is_empty(), "{} has none of {missing:?}", language.code());
    }
}

/// Each part that stands in the English text stands in each of the forms. Only a number by which the form is chosen may be in the words.
#[test]
fn no_part_of_a_text_is_lost() {
    for (english, many) in texts() {
        for language in Language::ALL {
            let Some(forms) = language.forms(&english) else { continue };
            let expected = if many.is_some() { plural::forms(language) } else { 1 };
            assert_eq!(forms.len(), expected, "{english} in {}", language.code());
            let wanted = parts(many.as_deref().unwrap_or(&english));
            for form in forms {
                let lost: Vec<_> = wanted.difference(&parts(form)).copied().collect();
                assert!(lost.is_empty() || (many.is_some() && lost.len() == 1), "{english}: {form}");
                let new: BTreeSet<_> = parts(form).difference(&wanted).copied().collect();
                let counted = many.is_some() && wanted.is_empty();
                assert!(new.is_empty() || (counted && new == BTreeSet::from([0])), "{english}: {form}");
            }
        }
    }
}

/// What is said nowhere any more is taken out of the files.
#[test]
fn no_text_is_unused() {
    let texts = texts();
    for language in Language::ALL.into_iter().skip(1) {
        for entry in file(language).split("\n\n").filter(|entry| !entry.contains(OF_THE_PAGE)) {
            let Some((_, rest)) = entry.split_once("\nmsgid ") else { continue };
            let end = rest.find("\nmsg").unwrap_or(rest.len());
            let english: String = rest[..end].lines().filter_map(literal).collect();
            assert!(texts.contains_key(&english), "{} has {english:?}", language.code());
        }
    }
}
