//! A secret that a person has chosen and types.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::refusal::{Code, Refusal};
use super::visible::{is_blank, shown};

/// The longest passphrase, in bytes of UTF-8.
pub const PASSPHRASE_BYTES_MAX: usize = 256;

/// A passphrase or a password, in the form in which it is compared: that of RFC 8265, section 4.2 (`OpaqueString`), as far as
/// keyboards differ. It is overwritten in memory when it is dropped, and no output shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Reads what was typed into the member or field `member`; it has at least `characters_min` characters, without those that
    /// show nothing, and is not blank.
    ///
    /// # Errors
    /// `bad_passphrase`, with what is wrong; the sentence never has the text.
    pub fn parse(member: &str, text: &str, characters_min: usize) -> Result<Self, Refusal> {
        let wrong = |sentence: String| Err(Refusal::new(Code::BadPassphrase, sentence));
        if text.len() > PASSPHRASE_BYTES_MAX {
            return wrong(format!("The {member} may have at most {PASSPHRASE_BYTES_MAX} bytes."));
        }
        if text.chars().any(char::is_control) {
            return wrong(format!("The {member} is one line, without tabs and other control characters."));
        }
        let spaced = |character: char| if character.is_whitespace() { ' ' } else { character };
        // No text grows by more than this (Unicode Standard Annex 15, section 14), so that no copy is left behind.
        let mut normal = Zeroizing::new(String::with_capacity(3 * text.len()));
        normal.extend(text.chars().map(spaced).nfc());
        let plural = if characters_min == 1 { "" } else { "s" };
        if is_blank(&normal) && !normal.is_empty() {
            return wrong(format!(
                "The {member} has only spaces or characters that show nothing, so a person cannot read or type it. Take at \
                 least {characters_min} character{plural} that can be seen, such as a few words."
            ));
        }
        if shown(&normal) < characters_min {
            return wrong(format!(
                "The {member} needs at least {characters_min} character{plural}; those that show nothing do not count."
            ));
        }
        Ok(Self(normal))
    }

    /// Its bytes, for the hash alone.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Passphrase(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Passphrase, Refusal> {
        Passphrase::parse("passphrase", text, 8)
    }

    #[test]
    fn keyboards_that_differ_type_the_same() {
        let typed = parse("caf\u{e9} au lait").unwrap();
        assert_eq!(typed, parse("cafe\u{301}\u{a0}au\u{3000}lait").unwrap());
        assert_ne!(typed, parse("Caf\u{e9} au lait").unwrap(), "case counts");
        assert_ne!(typed, parse("caf\u{e9} au lait ").unwrap(), "and so does each space");
        assert_eq!(format!("{typed:?}"), "Passphrase(…)");
    }

    #[test]
    fn what_is_refused_is_not_repeated() {
        for text in ["", "seven77", "line\nbreak", "tab\tulator", &"x".repeat(257)] {
            let refusal = parse(text).unwrap_err();
            assert_eq!(refusal.code, Code::BadPassphrase);
            assert!(text.is_empty() || !refusal.message.contains(text), "{}", refusal.message);
        }
        assert!(parse("ééééßßßß").is_ok(), "characters count, not bytes");
        assert!(
            parse("tea at 5").is_ok() && parse("خانه\u{200c}های\u{200c}ما").is_ok(),
            "spaces count among others"
        );
        assert!(Passphrase::parse("password", "x", 1).is_ok());
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        for text in [
            " ".repeat(8),
            "\u{200b}".repeat(12),
            "\u{3164}".repeat(8),
            "\u{2800}".repeat(8),
            "\u{a0}\u{3000}\u{ad}\u{2060}\u{feff}\u{e0061}\u{fe0f}\u{34f}\u{115f}".to_owned(),
        ] {
            let refusal = parse(&text).unwrap_err();
            assert_eq!(refusal.code, Code::BadPassphrase);
            assert!(refusal.message.contains("that can be seen"), "{}", refusal.message);
            assert!(Passphrase::parse("password", &text, 1).is_err(), "in a hello as well");
        }
        let padded = parse(&format!("x{}", "\u{200b}".repeat(20))).unwrap_err();
        assert!(padded.message.contains("show nothing do not count"), "{}", padded.message);
    }

    proptest! {
        #[test]
        fn the_form_is_reached_at_once(text in any::<String>()) {
            if let Ok(once) = Passphrase::parse("passphrase", &text, 1) {
                prop_assert!(once.0.len() <= 3 * text.len());
                let again = Passphrase::parse("passphrase", &once.0, 1);
                prop_assert!(once.0.len() > PASSPHRASE_BYTES_MAX || again.unwrap() == once);
            }
        }
    }
}
