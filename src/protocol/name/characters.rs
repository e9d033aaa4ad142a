//! Which characters a name may have, and their canonical form.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

use super::emoji;

/// Punctuation and symbols that people write in names, beside letters, digits, spaces and emoji. The identifier profile
/// has a few more for single scripts: the Hebrew geresh, the middle dot of Katakana.
pub(super) const PUNCTUATION: [char; 13] =
    ['\'', '’', '-', '.', ',', '_', '·', '・', '&', '+', '!', '(', ')'];

/// ZERO WIDTH NON-JOINER, which Persian writes between the parts of a word.
pub(super) const NON_JOINER: char = '\u{200c}';

/// The most combining marks on one letter.
pub(super) const MARKS_MAX: usize = 4;

/// Why a name cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A character that names may not have.
    Forbidden(char),
    /// Combining marks where there is no letter, or too many on one.
    Marks,
    /// Letters of scripts that are not written together.
    Scripts,
    /// Digits of several systems.
    Digits,
    /// No letter, digit or emoji.
    Empty,
}

/// The canonical form of a text: one kind of space, hyphen and apostrophe, no tatweel and no variation selectors, and
/// Unicode's form NFKC, so that a letter in another width or font is that letter.
pub(super) fn normalise(text: &str) -> String {
    // Twice: some compatibility decompositions have a tatweel or a space in them.
    let once: String = text.trim().chars().filter_map(canonical).nfkc().collect();
    let twice: String = once.chars().filter_map(canonical).nfkc().collect();
    // All spaces are U+0020 by now; line breaks and tabs are refused.
    twice.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The character that stands for this one in names; `None` if it changes nothing about a name.
fn canonical(character: char) -> Option<char> {
    match character {
        // Tatweel stretches a word; the selectors choose between the two pictures of an emoji.
        '\u{640}' | '\u{fe0e}' | '\u{fe0f}' => None,
        // Hyphens, dashes and the minus sign.
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => Some('-'),
        // Quotation marks, primes and accents that are typed for an apostrophe.
        '\u{60}' | '\u{b4}' | '\u{2018}' | '\u{201b}' | '\u{2032}' | '\u{2035}' | '\u{ff07}' | '\u{ff40}' => {
            Some('\'')
        }
        other => Some(other),
    }
}

/// Checks a text in its canonical form, and puts the selectors into its emoji.
pub(super) fn check(text: &str) -> Result<String, Fault> {
    let characters: Vec<char> = text.chars().collect();
    let mut checked = String::with_capacity(text.len());
    let (mut letters, mut digits) = (String::new(), Vec::new());
    let (mut visible, mut marks_fit) = (false, true);
    // How many marks the last letter has; `None` after what is no letter.
    let mut marks = None;
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        if let Some((taken, emoji)) = emoji::sequence(&characters[at..]) {
            checked.push_str(&emoji);
            (visible, marks) = (true, None);
            at += taken;
            continue;
        }
        match kind(character).ok_or(Fault::Forbidden(character))? {
            Kind::Letter => {
                letters.push(character);
                // A letter may have marks in it already.
                let within = std::iter::once(character).nfd().count() - 1;
                (visible, marks) = (true, Some(within));
            }
            Kind::Mark => {
                letters.push(character);
                marks = marks.map(|marks| marks + 1);
                marks_fit &= marks.is_some();
            }
            Kind::Digit => {
                digits.push(character);
                (visible, marks) = (true, None);
            }
            Kind::Punctuation => marks = None,
            Kind::NonJoiner if joins(&characters, at) => marks = None,
            Kind::NonJoiner => return Err(Fault::Forbidden(character)),
        }
        marks_fit &= marks.is_none_or(|marks| marks <= MARKS_MAX);
        checked.push(character);
        at += 1;
    }
    if !visible {
        return Err(Fault::Empty);
    }
    if !marks_fit {
        return Err(Fault::Marks);
    }
    if !letters.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive) {
        return Err(Fault::Scripts);
    }
    let mut zeros = digits.iter().filter_map(|digit| zero(*digit));
    let first = zeros.next();
    if zeros.any(|zero| Some(zero) != first) {
        return Err(Fault::Digits);
    }
    Ok(checked)
}

/// What a character is in a name.
enum Kind {
    Letter,
    Mark,
    Digit,
    Punctuation,
    NonJoiner,
}

/// `None` for a character that names may not have: one that is neither of [`PUNCTUATION`] nor allowed in identifiers
/// ([UTS 39, section 3.1](https://www.unicode.org/reports/tr39/#General_Security_Profile)).
fn kind(character: char) -> Option<Kind> {
    match character {
        ' ' => return Some(Kind::Punctuation),
        NON_JOINER => return Some(Kind::NonJoiner),
        // In the profile for compounds of words in programs, not for names.
        ':' => return None,
        _ if PUNCTUATION.contains(&character) => return Some(Kind::Punctuation),
        _ if !character.identifier_allowed() => return None,
        _ => {}
    }
    match character.general_category_group() {
        _ if is_apostrophe(character) => Some(Kind::Punctuation),
        GeneralCategoryGroup::Letter => Some(Kind::Letter),
        GeneralCategoryGroup::Mark => Some(Kind::Mark),
        GeneralCategoryGroup::Number => Some(Kind::Digit),
        GeneralCategoryGroup::Punctuation => Some(Kind::Punctuation),
        _ => None,
    }
}

/// Whether a character is an apostrophe by look and a letter by category: the Hawaiian and the Ukrainian one.
pub(super) fn is_apostrophe(character: char) -> bool {
    matches!(character, '\u{2b9}'..='\u{2c1}' | '\u{2ec}')
}

/// Whether the non-joiner here stands between two letters that join otherwise
/// ([UAX 31, section 2.3.1](https://www.unicode.org/reports/tr31/#Layout_and_Format_Control_Characters), A1, for Arabic
/// letters of any joining type: a superfluous one shows nothing and does not count in the confusable key).
fn joins(characters: &[char], at: usize) -> bool {
    let is_arabic = |character: Option<&char>| {
        character.is_some_and(|character| {
            matches!(character, '\u{620}'..='\u{64a}' | '\u{66e}'..='\u{6d3}' | '\u{750}'..='\u{77f}')
        })
    };
    is_arabic(at.checked_sub(1).and_then(|before| characters.get(before)))
        && is_arabic(characters.get(at + 1))
}

/// The zero of the digit's system: digits of a system follow each other from zero (The Unicode Standard, section 4.6).
fn zero(digit: char) -> Option<u32> {
    value(digit).map(|value| u32::from(digit) - value)
}

/// The value of a decimal digit of any system.
pub(super) fn value(digit: char) -> Option<u32> {
    if digit.general_category() != GeneralCategory::DecimalNumber {
        return None;
    }
    // Where systems stand next to each other each begins at a multiple of ten from the first.
    let is_digit = |code: u32| {
        char::from_u32(code).is_some_and(|other| other.general_category() == GeneralCategory::DecimalNumber)
    };
    let code = u32::from(digit);
    let first = (0..=code).rev().take_while(|code| is_digit(*code)).last()?;
    Some((code - first) % 10)
}
