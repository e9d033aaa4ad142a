//! What of a text can be seen.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_security::GeneralSecurityProfile;
use unicode_security::general_security_profile::IdentifierType;

/// Whether a character shows nothing and takes no place: by its category (Cf), or because programs are to ignore it where they
/// cannot draw it (`Default_Ignorable_Code_Point`, The Unicode Standard, section 5.21).
pub(crate) fn is_invisible(character: char) -> bool {
    !character.is_ascii()
        && (character.general_category() == GeneralCategory::Format
            || character.identifier_type() == Some(IdentifierType::Default_Ignorable)
            // The table knows them by their other types: the combining grapheme joiner, fillers of Hangul, variation selectors.
            || matches!(
                character,
                '\u{34f}'
                    | '\u{115f}'..='\u{1160}'
                    | '\u{3164}'
                    | '\u{ffa0}'
                    | '\u{180b}'..='\u{180f}'
                    | '\u{fe00}'..='\u{fe0f}'
                    | '\u{e0100}'..='\u{e01ef}'
            ))
}

/// Whether nothing of a text can be seen: it is empty, or has only spaces, characters that show nothing, and the Braille pattern
/// without dots.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|character| character.is_whitespace() || character == '\u{2800}' || is_invisible(character))
}

/// How many characters of a text take a place: all but those that show nothing.
pub(crate) fn shown(text: &str) -> usize {
    text.chars().filter(|character| !is_invisible(*character)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_is_known() {
        for character in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{180b}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{202e}',
            '\u{2060}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{e0061}',
            '\u{e0100}',
        ] {
            assert!(is_invisible(character), "U+{:04X}", u32::from(character));
            assert!(is_blank(&format!(" {character}\u{2800}\u{3000}")));
        }
        for character in ['a', ' ', 'é', '\u{301}', '一', '👍', '\u{2800}', '\u{a0}'] {
            assert!(!is_invisible(character), "U+{:04X}", u32::from(character));
        }
        assert!(is_blank("") && !is_blank(" \u{200b}x") && !is_blank("👍"));
        assert_eq!(shown("a\u{200b} b"), 3);
    }
}
