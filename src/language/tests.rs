use std::fmt::Display;

use super::texts::filled;
use super::*;

fn asked(header: &str) -> &'static str {
    Language::negotiate(None, Some(header)).code()
}

#[test]
fn the_language_of_the_highest_weight_counts() {
    for (header, code) in [
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-US,en;q=0.5", "en"),
        ("pt-BR,pt;q=0.9,es;q=0.8,en;q=0.7", "es"),
        ("fr;q=0.2, ru;q=0.3", "ru"),
        ("fr, ru", "fr"),
        ("FA-ir", "fa"),
        ("ar-EG ; q=1.000", "ar"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-Hant-TW;q=0.001", "zh-Hans"),
        ("*", "en"),
        ("*, de;q=0.5", "en"),
        ("en;q=0, *", "de"),
        ("en;q=0, de;q=0", "en"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("tlh", "en"),
        ("", "en"),
        ("de;q=0.0005", "en"),
        ("de;q=2, fr;q=0.1", "fr"),
        ("de;q=1.001, fr;q=0.1", "fr"),
        ("de;q=-1", "en"),
        ("de;q=.5", "en"),
        ("de;level=1", "en"),
        ("de;q=1;q=1", "en"),
        (",,;q=1, ,fr", "fr"),
        ("german, deu, d", "en"),
    ] {
        assert_eq!(asked(header), code, "{header}");
    }
}

#[test]
fn the_cookie_counts_before_the_header_if_it_names_a_language() {
    for (cookie, code) in
        [("ru", "ru"), ("zh-Hans", "zh-Hans"), ("en", "en"), ("RU", "de"), ("zh", "de"), ("", "de")]
    {
        assert_eq!(Language::negotiate(Some(cookie), Some("de")).code(), code, "{cookie}");
    }
    assert_eq!(Language::negotiate(None, None), Language::English);
}

/// Random headers of what such headers are made of: nothing is looked at for long, and what comes out was asked for.
#[test]
fn no_header_is_a_trouble() {
    let parts = [
        "de", "fr", "zh-Hant", "en", "*", "-", ",", ";", "q=", "0", ".", "5", "1", " ", "\t", "=", "ü",
        "\u{202e}",
    ];
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        let mut header = String::new();
        for _ in 0..seed % 24 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            header.push_str(parts[(seed >> 33) as usize % parts.len()]);
        }
        seed = seed.wrapping_add(0x1234_5677);
        let code = asked(&header);
        let named = header.to_ascii_lowercase().contains(code.split('-').next().unwrap());
        assert!(code == "en" || named || header.contains('*'), "{header:?}: {code}");
    }
    assert_eq!(asked(&"x,".repeat(1_000_000)), "en");
    assert_eq!(asked(&format!("{}de", "x,".repeat(64))), "en", "only so many are looked at");
    assert_eq!(asked(&"de-".repeat(1_000_000)), "de");
}

#[test]
fn numbers_take_the_forms_of_cldr() {
    let forms = |language, counts: &[u64]| {
        counts.iter().map(|count| plural::index(language, *count)).collect::<Vec<_>>()
    };
    assert_eq!(forms(Language::German, &[0, 1, 2, 11]), [1, 0, 1, 1]);
    assert_eq!(forms(Language::French, &[0, 1, 2]), [0, 0, 1]);
    assert_eq!(forms(Language::Spanish, &[0, 1, 2]), [1, 0, 1]);
    assert_eq!(forms(Language::Persian, &[0, 1, 2]), [0, 0, 1]);
    assert_eq!(
        forms(Language::Russian, &[0, 1, 2, 4, 5, 11, 12, 14, 21, 22, 25, 101, 111, 112]),
        [2, 0, 1, 1, 2, 2, 2, 2, 0, 1, 2, 0, 2, 2]
    );
    assert_eq!(
        forms(Language::Arabic, &[0, 1, 2, 3, 10, 11, 99, 100, 102, 103, 111]),
        [0, 1, 2, 3, 3, 4, 4, 5, 5, 3, 4]
    );
    assert_eq!(forms(Language::Chinese, &[0, 1, 2, 100]), [0; 4]);
    for language in Language::ALL {
        assert!((0..2000).all(|count| plural::index(language, count) < plural::forms(language)));
        assert!((0..2000).any(|count| plural::index(language, count) == plural::forms(language) - 1));
    }
}

#[test]
fn parts_stand_where_the_text_says() {
    let parts: [&dyn Display; 2] = [&"{1}", &2];
    assert_eq!(filled("{1} before {0}, {2}{x}{", &parts), "2 before {1}, {x}{");
    assert_eq!(Language::English.counted(1, "message", "messages"), "1 message");
    assert_eq!(Language::English.counted(0, "message", "messages"), "0 messages");
    assert_eq!(Language::English.counted(3, "one of {0}", "all of {0}"), "all of 3");
    assert_eq!(texts::counted(2, "رسالتان", "{0} messages"), "رسالتان", "the number is in the word");
    assert_eq!(texts::counted(2, "رسالة", "messages"), "2 رسالة");
}

#[test]
fn a_text_without_an_entry_stays_english() {
    for language in Language::ALL {
        assert_eq!(language.say("No file has this text."), "No file has this text.");
        assert_eq!(language.plural(2, "no such one", "no such ones"), "no such ones");
        assert_eq!(Language::from_code(language.code()), Some(language));
    }
}
