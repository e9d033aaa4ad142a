//! The page's texts in every language: web/build has found them, and put those of web/languages in their place.

use std::collections::BTreeSet;

use super::{Language, PAGES, Page};

/// The page's texts, as `web/build/template.rs` writes them.
const TEMPLATE: &str = include_str!(concat!(env!("OUT_DIR"), "/messages.pot"));

/// A text of the page, and its form for several.
type Key = (String, Option<String>);

/// The page's texts.
fn keys() -> Vec<Key> {
    let quoted = |line: &str| {
        let text = line.trim_matches('"').replace("\\\"", "\"");
        assert!(!text.contains('\\'), "nothing else is escaped: {text}");
        text
    };
    let mut keys: Vec<Key> = Vec::new();
    for line in TEMPLATE.lines() {
        if let Some(text) = line.strip_prefix("msgid ") {
            keys.push((quoted(text), None));
        } else if let Some(text) = line.strip_prefix("msgid_plural ") {
            keys.last_mut().expect("a form for several follows that for one").1 = Some(quoted(text));
        }
    }
    keys
}

/// What is to be translated: each text of the page, with its forms in each language.
fn entries() -> impl Iterator<Item = (Language, Key, Option<&'static [&'static str]>)> {
    Language::ALL[1..].iter().flat_map(|language| {
        keys().into_iter().map(|key| {
            let forms = language.forms(&key.0);
            (*language, key, forms)
        })
    })
}

/// The parts `{0}`, `{1}` and so on of a text.
fn parts(text: &str) -> BTreeSet<&str> {
    let inside = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    inside.map(|(number, _)| number).filter(|number| number.parse::<u8>().is_ok()).collect()
}

#[test]
fn every_text_of_the_page_is_in_every_language() {
    assert!(keys().len() > 250);
    let missing: Vec<_> = entries()
        .filter(|(_, _, forms)| forms.is_none_or(<[_]>::is_empty))
        .map(|(language, (key, _), _)| format!("web/languages/{}.po: {key}", language.code()))
        .collect();
    assert!(
        missing.is_empty(),
        "the template is {}/messages.pot; without a translation are\n{}",
        env!("OUT_DIR"),
        missing.join("\n")
    );
}

#[test]
fn a_translation_has_the_parts_of_its_text() {
    for (language, (key, plural), forms) in entries() {
        for form in forms.unwrap_or_default() {
            let place = format!("{}: {key:?}, {form:?}", language.code());
            match plural {
                // Where the number stands, if not before all else.
                Some(_) => assert!(parts(form).iter().all(|part| *part == "0"), "{place}"),
                None => {
                    assert_eq!(parts(form), parts(&key), "{place}");
                    assert_eq!(form.matches('{').count(), key.matches('{').count(), "{place}");
                    assert_eq!(form.matches('|').count(), key.matches('|').count(), "{place}");
                }
            }
            // Nothing that is not seen, but what keeps a word of another direction together.
            let odd = |c: char| {
                c.is_control()
                    || matches!(
                        c,
                        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2067}' | '\u{feff}'
                    )
            };
            assert!(!form.contains(odd) && form.trim() == *form, "{place}");
            let [begins, ends] = [['\u{2066}', '\u{2068}'].as_slice(), &['\u{2069}']];
            assert_eq!(form.matches(begins).count(), form.matches(ends).count(), "{place}");
            // In styles and scripts these would be another thing; in markup they are escaped.
            assert!(!form.contains(['<', '`', '\\']) && !form.contains("${"), "{place}");
        }
    }
}

/// What begins a setting is said again when it was set.
#[test]
fn settings_have_their_comma_in_every_language() {
    for (language, (key, _), forms) in entries().filter(|(_, (key, _), _)| key.starts_with("Slow mode, ")) {
        assert!(
            forms.unwrap_or_default().iter().all(|form| form.contains([',', '،', '，'])),
            "{}: {key}",
            language.code()
        );
    }
}

/// No sentence of English is left in a page of another language.
#[test]
fn no_sentence_of_english_is_left() {
    let sentences: Vec<_> = keys()
        .into_iter()
        .map(|(key, _)| key)
        .filter(|key| key.split_whitespace().count() > 3 && !key.contains('{'))
        .collect();
    assert!(sentences.len() > 50);
    let whole = |page: &Page| {
        let texts = page.later.iter().map(|script| &script.text).chain([&page.document]);
        texts.map(|text| String::from_utf8_lossy(text.plain).into_owned()).collect::<String>()
    };
    let english = whole(&PAGES[0]);
    for (language, page) in Language::ALL.iter().zip(&PAGES).skip(1) {
        let other = whole(page);
        for sentence in &sentences {
            assert!(english.contains(sentence.as_str()), "{sentence}");
            assert!(!other.contains(sentence.as_str()), "{}: {sentence}", language.code());
        }
    }
}
