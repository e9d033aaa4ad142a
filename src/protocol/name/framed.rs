//! Letters and digits in circles, squares and brackets that count as no part of a word: `⒜`, `🇦`, `①`, `❶`, `¹`.
//!
//! What Unicode decomposes is read as its decomposition, without what is not read: so the tables of `unicode-normalization` say it.
//! The others have names alone, such as DINGBAT NEGATIVE CIRCLED DIGIT ONE; they stand in the order of the alphabet or of the
//! numbers, and their ranges are those of UnicodeData.txt (blocks Enclosed Alphanumerics, Dingbats, Enclosed Alphanumeric
//! Supplement). Letters in circles and squares that are part of a word are among the lookalikes.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Ranges of signs without a decomposition: the first, the last, and what the first one is read as.
const RANGES: [(char, char, char); 6] =
    [('🇦', '🇿', 'a'), ('⓵', '⓽', '1'), ('❶', '❾', '1'), ('➀', '➈', '1'), ('➊', '➒', '1'), ('🄋', '🄌', '0')];

/// The text with each of these letters and digits without its frame; `None` if it has none.
pub fn unframed(text: &str) -> Option<String> {
    if text.is_ascii() || !text.contains(is_framed) {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        let range = RANGES.iter().find(|(first, last, _)| (*first..=*last).contains(&character));
        match range {
            // Both of these are zeros.
            Some((_, _, '0')) => plain.push('0'),
            Some((first, _, read)) => {
                plain.extend(char::from_u32(u32::from(*read) + u32::from(character) - u32::from(*first)));
            }
            None if is_framed(character) => {
                plain.extend(std::iter::once(character).nfkd().filter(|part| part.is_ascii_alphanumeric()));
            }
            None => plain.push(character),
        }
    }
    Some(plain)
}

fn is_framed(character: char) -> bool {
    let is_sign = matches!(character, '\u{249c}'..='\u{24b5}' | '\u{1f110}'..='\u{1f129}' | '🇦'..='🇿');
    is_sign || (!character.is_ascii() && character.general_category() == GeneralCategory::OtherNumber)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_away() {
        for (framed, read) in [
            ("🇦🇿", "az"),
            ("⒜⒵🄐🄩", "azAZ"),
            ("①⑨⑴⒈⓪", "19110"),
            ("❶❾➀➈➊➒⓵⓽🄋🄌", "1919191900"),
            ("k¹ll", "k1ll"),
        ] {
            assert_eq!(unframed(framed).as_deref(), Some(read), "{framed}");
        }
        for text in ["", "a1", "é一👍→™ⓐ🅐"] {
            assert_eq!(unframed(text), None, "{text}");
        }
    }
}
