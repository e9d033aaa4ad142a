use super::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap_or_else(|refusal| panic!("{text:?}: {}", refusal.message))
}

fn code(text: &str) -> Option<Code> {
    Name::parse(text).err().map(|refusal| refusal.code)
}

fn confusable(one: &str, other: &str) -> bool {
    name(one).confusable_key().is_confusable_with(&name(other).confusable_key())
}

#[test]
fn names_of_the_world_are_welcome() {
    for text in [
        "Ann",
        "Łukasz",
        "Ольга",
        "あおい",
        "محمد",
        "नेहा",
        "José María",
        "X Æ A-12",
        "o'Brien",
        "O’Brien",
        "Jean-Luc",
        "Dr. Who",
        "a_b",
        "Ann & Bob",
        "Ann (work)",
        "Ann +1",
        "Gal·la",
        "Нестор",
        "Ελένη",
        "דוד",
        "สมชาย",
        "김민준",
        "王小明",
        "Hanさん",
        "ジョン・スミス",
        "Hawaiʻi",
        "Бабʼяк",
        "علی‌رضا",
        "Nguyễn Thị Ánh",
        "თამარ",
        "Արամ",
        "አበበ",
        "தமிழ்",
        "ਗੁਰਪ੍ਰੀਤ",
        "Ann 2",
        "سارا ۱۲",
    ] {
        assert_eq!(name(text).as_str(), text);
    }
}

#[test]
fn emoji_are_whole_sequences() {
    for (typed, shown) in [
        ("❤️", "❤\u{fe0f}"),
        ("❤", "❤\u{fe0f}"),
        ("👩\u{200d}🦰", "👩\u{200d}🦰"),
        ("👩🦰", "👩🦰"),
        ("🏳\u{200d}🌈 Ann", "🏳\u{fe0f}\u{200d}🌈 Ann"),
        ("👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧"),
        ("👍🏽", "👍🏽"),
        ("☝🏿", "☝🏿"),
        ("🇩🇪🇫🇷", "🇩🇪🇫🇷"),
        (
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
        ),
        ("Ann 1\u{fe0f}\u{20e3}", "Ann 1\u{fe0f}\u{20e3}"),
        ("⭐Ann⭐", "⭐Ann⭐"),
    ] {
        assert_eq!(name(typed).as_str(), shown, "{typed:?}");
    }
    for part in [
        "👩\u{200d}",           // a joiner at the end
        "\u{200d}👩",           // at the beginning
        "👩\u{200d}a",          // before a letter
        "a\u{200d}👩",          // after a letter
        "👩\u{200d}\u{200d}👩", // twice
        "🏽",                   // a skin tone by itself
        "a🏽",                  // on a letter
        "🐟🏽",                 // on what has none
        "🇩",                    // half a flag
        "🇱🇮🇨🇪",                 // one that is no flag would be two letters: I C
        "🏴\u{e0067}\u{e007f}", // tags of no flag
        "🏴\u{e0067}",          // and unfinished ones
        "\u{20e3}",
        "a\u{20e3}",
        "🅰lice", // letters in frames
        "🆗",
        "©",
    ] {
        assert_eq!(code(part), Some(Code::NameForbidden), "{part:?}");
    }
}

#[test]
fn names_have_a_canonical_form() {
    for (typed, shown) in [
        ("  Ann \u{a0}\u{3000} Lee ", "Ann Lee"),
        ("e\u{301}", "é"),
        ("Ａｎｎ", "Ann"),
        ("𝓐𝓷𝓷", "Ann"),
        ("ﬁona", "fiona"),
        ("ｱｵｲ", "アオイ"),
        ("Jean\u{2011}Luc", "Jean-Luc"),
        ("Jean\u{2013}Luc", "Jean-Luc"),
        ("O\u{b4}Brien", "O'Brien"),
        ("O‘Brien", "O'Brien"),
        ("مح\u{640}\u{640}مد", "محمد"),
        ("Alice\u{640}", "Alice"),
    ] {
        assert_eq!(name(typed).as_str(), shown, "{typed:?}");
    }
}

#[test]
fn bad_names_have_their_codes() {
    for (text, expected) in [
        ("", Code::NameEmpty),
        ("  \u{3000}", Code::NameEmpty),
        ("\u{301}\u{301}", Code::NameEmpty),
        ("\u{640}", Code::NameEmpty),
        ("...", Code::NameEmpty),
        ("ʻ", Code::NameEmpty),
        ("a\u{202e}b", Code::NameForbidden),
        ("a\u{2066}b", Code::NameForbidden),
        ("a\u{200b}b", Code::NameForbidden),
        ("a\u{200c}b", Code::NameForbidden),
        ("a\u{200d}b", Code::NameForbidden),
        ("a\u{ad}b", Code::NameForbidden),
        ("\u{3164}", Code::NameForbidden),
        ("\u{2800}", Code::NameForbidden),
        ("a\nb", Code::NameForbidden),
        ("a\u{0}b", Code::NameForbidden),
        ("\u{e000}", Code::NameForbidden),
        ("\u{fffe}", Code::NameForbidden),
        ("\u{e0041}x", Code::NameForbidden),
        ("a|b", Code::NameForbidden),
        ("a:b", Code::NameForbidden),
        ("a \u{301}b", Code::NameForbidden),
        ("a\u{301}\u{302}\u{303}\u{304}\u{308}", Code::NameForbidden),
        ("Ann Ольга", Code::NameForbidden),
        ("bоb", Code::NameForbidden), // Cyrillic о
        ("Aλice", Code::NameForbidden),
        ("Ann1٢", Code::NameForbidden),
    ] {
        assert_eq!(code(text), Some(expected), "{text:?}");
    }
    assert_eq!(code(&"a".repeat(33)), Some(Code::NameTooLong));
    assert_eq!(code(&"a".repeat(200_034)), Some(Code::NameTooLong));
    name(&"a".repeat(32));
    name(&"é".repeat(32));
}

/// Each of these was accepted beside "Alice".
#[test]
fn no_invisible_or_foreign_character_makes_another_alice() {
    for insert in [
        "\u{1d159}",
        "\u{fffc}",
        "\u{16fe4}",
        "\u{1107f}",
        "\u{640}",
        "\u{2011}",
        "\u{a0}",
        "\u{202f}",
        "\u{2060}",
        "\u{feff}",
        "\u{ad}",
        "\u{34f}",
        "\u{1160}",
        "\u{3164}",
        "\u{ffa0}",
        "\u{180e}",
        "\u{17b4}",
        "\u{2800}",
        "\u{fe0f}",
        "\u{e0100}",
        "\u{200c}",
        "\u{200d}",
        "\u{323}",
        "\u{307}",
        "\u{335}",
        "'",
        ".",
        "-",
        "_",
        "·",
    ] {
        for text in [format!("{insert}Alice"), format!("Ali{insert}ce"), format!("Alice{insert}")] {
            assert!(code(&text).is_some() || confusable(&text, "Alice"), "{text:?}");
        }
        let alone = code(insert);
        assert!(matches!(alone, Some(Code::NameForbidden | Code::NameEmpty)), "{insert:?} alone: {alone:?}");
    }
    for text in [
        "ᴀʟɪᴄᴇ",
        "ᴀlice",
        "Αlice",
        "Аlice",
        "🅰lice",
        "Ⓐlice",
        "Alicɇ",
        "Ａｌｉｃｅ",
        "𝐀lice",
        "Aⅼice",
        "A|ice",
        "A!ice",
    ] {
        assert!(code(text).is_some() || confusable(text, "Alice"), "{text:?}");
    }
}

#[test]
fn confusable_names_share_a_key() {
    for (one, other) in [
        ("bob", "Bob"),
        ("PAYPAL", "paypal"),
        ("Bill", "BILL"),
        ("Bill", "BiIl"),
        ("Alice", "A1ice"),
        ("Alice", "AL1CE"),
        ("modern", "rnodern"),
        ("Straße", "STRASSE"),
        ("wendy", "vvendy"),
        ("Wendy", "VVendy"),
        ("WENDY", "Vvendy"),
        ("max", "rnax"),
        ("day", "clay"),
        ("day", "cIay"),
        ("Lucia", "LucIa"),
        ("Otto", "0tto"),
        ("Leo", "LE0"),
        ("Susan", "5usan"),
        ("Zoe", "2oe"),
        ("Bob", "8ob"),
        ("bob", "вов"),
        ("BOB", "вов"),
        ("koh", "кон"),
        ("kate", "кате"),
        ("Rap", "Гар"),
        ("Anna", "ΑΝΝΑ"),
        ("kakia", "κακια"),
        ("Sofia", "Ṣofia"),
        ("Alice", "Alıce"),
        ("Alice", "Aliçe"),
        ("Lukasz", "Łukasz"),
        ("Soren", "Søren"),
        ("Ann", ".Ann."),
        ("Ann", "Ann!"),
        ("Alice", "A!ice"),
        ("Bill", "Bil!"),
        ("Ann Lee", "Ann  Lee"),
        ("Ann Lee", "Ann...Lee"),
        ("Ann Lee", "Ann_Lee"),
        ("Ann Lee", "AnnLee"),
        ("Ann-Lee", "Ann–Lee"),
        ("O'Brien", "O’Brien"),
        ("Hawaii", "Hawaiʻi"),
        ("علیرضا", "علی‌رضا"),
        ("علي", "علی"),
        ("كريم", "کریم"),
        ("محمد", "مُحمّد"),
        ("سارا ۱۲", "سارا ١٢"),
        ("Ann 12", "Ann ١٢"),
        ("エロ", "工口"),
        ("👍🏻", "👍🏿"),
        ("👩👧", "👩\u{200d}👧"),
        ("❤Ann", "❤️Ann"),
        ("Bob", "B⭕b"),
        ("вова", "Вова"),
        ("нота", "hota"),
        ("кит", "kut"),
        ("Є", "e"),
        ("Ann 1", "Ann 1️⃣"),
    ] {
        assert!(confusable(one, other), "{one} {other}");
    }
}

#[test]
fn names_that_differ_to_the_eye_do_not_collide() {
    for (one, other) in [
        ("Ann", "Anna"),
        ("Bob", "Rob"),
        ("day", "May"),
        ("Day", "Clay"),
        ("Dara", "Clara"),
        ("José", "Jose"),
        ("Müller", "Muller"),
        ("Ann 2", "Ann 3"),
        ("Ann 12", "Ann 21"),
        ("Mia", "Mio"),
        ("Иван", "Ивана"),
        ("Олег", "Ольга"),
        ("محمد", "احمد"),
        ("さくら", "さくや"),
        ("王明", "王朋"),
        ("👩", "👨"),
        ("🇩🇪", "🇫🇷"),
        ("❤️", "💙"),
        ("Vera", "Wera"),
        ("דן", "דין"), // skeletons make an apostrophe of yod
        ("Ֆ", "Բ"),    // and a dollar sign of this one
        ("Ursula", "Urszula"),
    ] {
        assert!(!confusable(one, other), "{one} {other}");
    }
}

#[test]
fn reserved_words_are_refused_in_every_language() {
    for (language, words) in reserved::WORDS {
        for word in words {
            for text in [
                word.to_string(),
                word.to_uppercase(),
                format!("-{word}-"),
                format!("{word} 7"),
                format!("⭐{word}⭐"),
            ] {
                assert_eq!(code(&text), Some(Code::NameForbidden), "{language}: {text}");
            }
        }
    }
    for text in [
        "Y0u",
        "Adm1n",
        "АДМИН",
        "ｙｏｕ",
        "rnod",
        "rnoderator",
        "ho5t",
        "H O S T",
        "You.",
        "y.o.u",
        "сервер",
        "1you",
        "y\u{323}ou",
    ] {
        assert_eq!(code(text), Some(Code::NameForbidden), "{text}");
    }
    let refusal = Name::parse("admin").unwrap_err();
    assert!(refusal.message.contains("Choose another name"), "{}", refusal.message);
    for text in [
        "Young", "Yousef", "Hosta", "Adam", "Guest", "Ali", "Systema", "Ann Host", "مالك", "هنا", "Roo",
        "Tui",
    ] {
        name(text);
    }
}

/// A log of an earlier version has names that are refused now; what was said under them must stay readable.
#[test]
fn stored_names_of_earlier_versions_load() {
    for text in ["Alice\u{1d159}", "\u{fffc}", "ᴀlice", "Ann Ольга", "admin", "👩🦰", "★", "a|b", "You", "🏽"]
    {
        assert_eq!(Name::from_stored(text.to_owned()).unwrap().as_str(), text);
    }
    for text in ["", "a\nb", "a\u{202e}b", &"a".repeat(129)] {
        assert_eq!(Name::from_stored(text.to_owned()), None, "{text:?}");
    }
}

/// Most of these a name cannot have; names of earlier versions may.
#[test]
fn small_capitals_and_frames_are_read_as_their_letters() {
    for (drawn, name) in [
        ("ᴀɴɴ", "Ann"),
        ("ʙɪʟʟ", "Bill"),
        ("ꜱᴜꜱᴀɴ", "susan"),
        ("🅐🅝🅝", "Ann"),
        ("🅰🅽🅽", "Ann"),
        ("ⒶⓃⓃ", "Ann"),
        ("a\u{20dd}n\u{20de}n\u{20e0}", "Ann"),
        ("\u{430}\u{488}nn", "Ann"),
    ] {
        assert!(ConfusableKey::of(drawn).is_confusable_with(&ConfusableKey::of(name)), "{drawn}");
    }
}
