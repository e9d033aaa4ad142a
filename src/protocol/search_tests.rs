use caseless::Caseless;
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;

fn found(query: &str, text: &str) -> bool {
    Query::parse(query, false).unwrap().is_in(text, &mut Folder::default())
}

fn code(query: &str) -> Code {
    Query::parse(query, false).unwrap_err().code
}

#[test]
fn case_accents_and_compatible_forms_do_not_count() {
    for (query, text) in [
        ("cafe", "Le CAFÉ est froid"),
        ("CAFÉ", "cafe\u{301}"),
        ("strasse", "Straße"),
        ("STRAẞE", "strasse"),
        ("елка", "Ёлка"),
        ("Ἀθῆναι", "αθηναι"),
        ("ﬁsh", "FISH and chips"),
        ("１２", "12"),
        ("①", "1"),
        // Vowel points, the stretching of letters, their forms at the end of words.
        ("سلام", "سَلَامٌ"),
        ("سلام", "ســلام"),
        ("ﺳﻼﻡ", "سلام"),
        ("שלום", "שָׁלוֹם"),
        ("می خواهم", "می خواهم"),
        ("میخواهم", "می\u{200c}خواهم"),
        // What is not seen.
        ("paypal", "pay\u{200b}\u{200e}pal\u{ad}"),
        ("❤", "❤\u{fe0f}"),
        ("カキ", "ｶｷ"),
        ("ガ", "ｶﾞ"),
        ("が", "か\u{3099}"),
        ("x", &format!("x{}", "\u{301}".repeat(1000))),
        ("ı", "ı"),
        ("i", "İ"),
    ] {
        assert!(found(query, text), "{query} in {text}");
    }
    for (query, text) in [
        ("かき", "かぎ"),
        ("कि", "का"),
        ("क्या", "कया"),
        ("o", "0"),
        // No lookalikes: another script is another word.
        ("paypal", "раураl"),
        ("ı", "i"),
    ] {
        assert!(!found(query, text), "{query} in {text}");
    }
}

#[test]
fn all_words_and_phrases_must_be_there() {
    let text = "Bring the green tea,\n\tthe good one";
    for query in [
        "tea",
        "TEA green",
        "ood",
        "\"green tea\"",
        "“the good” ring",
        "\" green   tea \"",
        "tea, \"the",
        "\"tea, the",
    ] {
        assert!(found(query, text), "{query}");
    }
    for query in ["tea coffee", "\"tea green\"", "\"greentea\"", "\"tea the\""] {
        assert!(!found(query, text), "{query}");
    }
    assert!(found("a\"b c\"d", "b c d a") && !found("a\"b c\"d", "b  d c a"));
}

#[test]
fn what_cannot_be_searched_for_is_refused() {
    for query in ["", " ", "\n\t\u{3000}", "\"\"", "\" \"", "\u{301}\u{200b}", "“ ”"] {
        assert_eq!(code(query), Code::TextEmpty, "{query:?}");
        assert_eq!(Query::parse(query, true).unwrap(), Query(vec![]), "{query:?}");
    }
    assert_eq!(code(&"x".repeat(SEARCH_BYTES_MAX + 1)), Code::TextTooLong);
    let words = |count: usize| (0..count).map(|word| format!("w{word} ")).collect::<String>();
    assert_eq!(code(&words(SEARCH_TERMS_MAX + 1)), Code::TextTooLong);
    assert_eq!(Query::parse(&words(SEARCH_TERMS_MAX), false).unwrap().0.len(), SEARCH_TERMS_MAX);
    assert_eq!(Query::parse(&"same ".repeat(100), false).unwrap(), Query(vec!["same".into()]));
}

#[test]
fn what_is_remembered_of_characters_is_bounded() {
    let mut folder = Folder::default();
    for character in char::MIN..=char::MAX {
        let mut text = [0; 4];
        let known = folder.fold(character.encode_utf8(&mut text)).to_owned();
        assert_eq!(known, *fold_one(character), "{character:?}");
    }
    assert_eq!(folder.used, BLOCKS_MAX);
    assert_eq!(folder.blocks.iter().flatten().count(), BLOCKS_MAX);
}

#[test]
fn the_members_of_a_request() {
    let read = |body: &str| SearchRequest::from_body(body);
    let request = read(r#"{"text":"Tea","before":9,"limit":3,"from":7}"#).unwrap();
    let (query, from) = (Query(vec!["tea".into()]), Some(GuestId(7)));
    assert_eq!(request, SearchRequest { query, from, before: Some(9), limit: 3 });
    let all = read(r#"{"from":7}"#).unwrap();
    assert_eq!((all.query, all.before, all.limit), (Query(vec![]), None, SEARCH_DEFAULT as usize));
    for (body, code) in [
        ("{}", Code::MissingField),
        (r#"{"text":" "}"#, Code::TextEmpty),
        (r#"{"text":7}"#, Code::WrongKind),
        (r#"{"text":"x","from":"Ann"}"#, Code::WrongKind),
        (r#"{"text":"x","limit":0}"#, Code::WrongKind),
        (r#"{"text":"x","limit":201}"#, Code::WrongKind),
        (r#"{"text":"x","before":0}"#, Code::WrongKind),
    ] {
        assert_eq!(read(body).unwrap_err().code, code, "{body}");
    }
}

/// What is compared, on the whole text at once.
fn naive(text: &str) -> String {
    let text = text.nfd().default_case_fold().nfkd().default_case_fold().nfkd();
    let mut out = String::new();
    for character in text.filter(|character| !is_overlooked(*character)) {
        let voiced = out.chars().next_back().and_then(|last| compose(last, character));
        match (character.is_whitespace(), voiced) {
            (true, _) if out.ends_with(' ') => {}
            (true, _) => out.push(' '),
            (_, Some(voiced)) if ('\u{3099}'..='\u{309a}').contains(&character) => {
                out.pop();
                out.push(voiced);
            }
            _ => out.push(character),
        }
    }
    out
}

/// Texts of several scripts, with marks in any order; without the two that stand in an order of their own.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[aAeÉßẞſıİΣςσǅﬁ½①Ⅷ \u{300}-\u{345}\u{200b}-\u{200f}\"]{0,20}",
        "[\u{5d0}-\u{5ea}\u{5b0}-\u{5bd}\u{620}-\u{652}ﺀ-ﻼﷺ \u{200c}]{0,20}",
        "[かがｶﾞﾊﾟ가각ᄀ-ᅵ漢\u{3000}]{0,12}",
        "[क-हा-ौ\u{93c} ]{0,12}",
        "[^\u{3099}\u{309a}]{0,12}",
    ]
    .prop_filter("no virama", |text| text.chars().all(|mark| canonical_combining_class(mark) != 9))
}

proptest! {
    #[test]
    fn a_text_is_folded_as_the_standard_says(texts in prop::collection::vec(texts(), 1..4)) {
        let mut folder = Folder::default();
        for text in &texts {
            prop_assert_eq!(folder.fold(text), naive(text));
        }
    }

    /// What is typed as it was said is found, and so is each of its words.
    #[test]
    fn what_was_said_is_found(before in texts(), said in texts(), after in texts()) {
        let said = said.replace(QUOTES, "");
        let text = format!("{before} {said} {after}");
        if let Ok(query) = Query::parse(&said, false) {
            prop_assert!(query.is_in(&text, &mut Folder::default()));
        }
        if let Ok(query) = Query::parse(&format!("\"{said}\""), false) {
            prop_assert!(query.is_in(&text, &mut Folder::default()));
        }
    }

    #[test]
    fn no_query_panics(query in any::<String>(), text in any::<String>()) {
        if let Ok(query) = Query::parse(&query, true) {
            let _ = query.is_in(&text, &mut Folder::default());
        }
    }
}
