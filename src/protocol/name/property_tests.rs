//! What holds for every text.

use proptest::prelude::*;

use super::*;

/// Text of characters that the rules are about, which random text hardly has.
fn tricky() -> impl Strategy<Value = String> {
    let characters: Vec<char> = "aIl1O0mwvrcd5éßİıАвκΩ١۲ー力か゛ㅤﷺﹷـ´¨‘’‑ ·・❤👩🦰🏽🏴🇩🇪1\u{20e3}\u{fe0f}\u{200d}\u{200c}\u{301}\u{323}\u{345}\u{e0067}\u{e007f}㊗™½ﬁ𝓐"
        .chars()
        .collect();
    prop::collection::vec(prop_oneof![prop::sample::select(characters), any::<char>()], 0..24)
        .prop_map(String::from_iter)
}

/// A word in other forms: each letter in either case, in full width or in mathematical bold, with marks and punctuation.
fn variant(word: &str, choices: &[u8]) -> String {
    let bold = |letter: char| char::from_u32(0x1d41a + u32::from(letter) - u32::from('a'));
    let wide = |letter: char| char::from_u32(u32::from(letter) + 0xfee0);
    let mut varied = String::new();
    for (letter, choice) in word.chars().zip(choices.iter().cycle()) {
        let lower = letter.to_ascii_lowercase();
        varied.push(match choice % 4 {
            0 => lower,
            1 => letter.to_ascii_uppercase(),
            2 => wide(letter).unwrap_or(lower),
            _ => bold(lower).unwrap_or(lower),
        });
        varied.push_str(["", "", "", ".", "\u{323}", "'", "\u{640}"][usize::from(choice / 4) % 7]);
    }
    varied
}

proptest! {
    #[test]
    fn checking_never_panics_and_a_clean_name_stays(text in prop_oneof![any::<String>(), tricky()]) {
        if let Ok(name) = Name::parse(&text) {
            prop_assert_eq!(Name::parse(name.as_str()).map(|name| name.0), Ok(name.0.clone()));
            prop_assert!(name.confusable_key().is_confusable_with(&name.confusable_key()));
            prop_assert!(name.confusable_key().parts().iter().all(|part| !part.ends_with(' ')));
            prop_assert_eq!(Name::from_stored(name.0.clone()), Some(name));
        }
        let _ = Name::from_stored(text);
    }

    #[test]
    fn a_reserved_word_in_another_form_stays_refused(
        word in prop::sample::select(vec!["you", "admin", "host", "moderator", "onionroom", "system", "everyone"]),
        choices in prop::collection::vec(any::<u8>(), 1..12),
    ) {
        let text = variant(word, &choices);
        let code = Name::parse(&text).err().map(|refusal| refusal.code);
        prop_assert_eq!(code, Some(Code::NameForbidden), "{}", text);
    }

    #[test]
    fn a_name_in_another_form_stays_confusable(choices in prop::collection::vec(any::<u8>(), 1..12)) {
        let text = variant("alice", &choices);
        let key = |text| Name::parse(text).unwrap().confusable_key();
        prop_assert!(key(&text).is_confusable_with(&key("Alice")), "{}", text);
    }

    #[test]
    fn case_tells_no_names_apart(text in "[a-zA-Zäöüéèßñ]{1,12}") {
        if let (Ok(one), Ok(other)) = (Name::parse(&text), Name::parse(&text.to_uppercase())) {
            prop_assert!(one.confusable_key().is_confusable_with(&other.confusable_key()));
        }
    }
}
