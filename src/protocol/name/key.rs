//! The key by which names that look the same are found.

use caseless::default_case_fold_str;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::skeleton;

use super::{characters, emoji, lookalikes};

/// How often a text is reduced at most; what is reduced changes no more after two or three times.
const ROUNDS: usize = 6;

/// A name's confusable key: two names with a common part would be taken for each other.
///
/// The first part disregards case; the second has the name as it is typed, because whether two shapes look alike depends
/// on case: `Clay` is not read as `Day`, but `clay` is read as `day`, and `BiIl` as `Bill`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConfusableKey {
    folded: String,
    typed: String,
}

impl ConfusableKey {
    /// The key of a text in the canonical form of names.
    pub(super) fn of(text: &str) -> Self {
        // Within a word an exclamation mark is read as the stroke of an l; the other part has it as punctuation.
        let shapes: String = skeleton(&without_punctuation(&text.replace('!', "l"))).collect();
        Self { folded: reduce(without_punctuation(text)), typed: reduce(lookalikes::replace_pairs(&shapes)) }
    }

    /// Whether a reader could take one name for the other.
    pub fn is_confusable_with(&self, other: &ConfusableKey) -> bool {
        self.folded == other.folded || self.typed == other.typed
    }

    /// Both parts, as keys of one table of names: two names are confusable if they share one.
    pub fn parts(&self) -> [String; 2] {
        [format!("folded {}", self.folded), format!("typed {}", self.typed)]
    }
}

/// The text without what shows nothing or only separates: spaces, punctuation, parts of emoji and skin tones. Before
/// anything else, because skeletons make punctuation of some letters: an apostrophe of the Hebrew yod.
pub(super) fn without_punctuation(text: &str) -> String {
    let counts = |character: &char| match *character {
        ascii if ascii.is_ascii() => ascii.is_ascii_alphanumeric(),
        characters::NON_JOINER => false,
        other if characters::is_apostrophe(other) => false,
        other if emoji::is_invisible_part(other) || emoji::is_modifier(other) => false,
        other => !matches!(
            other.general_category_group(),
            GeneralCategoryGroup::Punctuation | GeneralCategoryGroup::Separator
        ),
    };
    text.chars().filter(counts).collect()
}

/// What is left of a text when case, compatibility forms, marks that are easily overlooked and the differences between
/// lookalikes are taken away.
pub(super) fn reduce(mut text: String) -> String {
    for _ in 0..ROUNDS {
        let letters = read(&fold(&text));
        // UTS 39, section 4.
        let reduced = read(&fold(&skeleton(&letters).collect::<String>()));
        if reduced == text {
            break;
        }
        text = reduced;
    }
    text
}

/// Compatibility caseless form (The Unicode Standard, section 3.13, D146), without its last normalisation,
/// which the skeleton does.
fn fold(text: &str) -> String {
    let once: String = default_case_fold_str(&text.nfd().collect::<String>()).nfkd().collect();
    default_case_fold_str(&once).nfkd().collect()
}

/// Each character as what it is read as, digits of other systems by their value.
fn read(text: &str) -> String {
    let mut read = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !is_overlooked(*character)) {
        let digit = characters::value(character).and_then(|value| char::from_digit(value, 10));
        let character = digit.unwrap_or(character);
        match lookalikes::letter(character) {
            Some(letter) => read.push_str(letter),
            None => read.push(character),
        }
    }
    read
}

/// Whether a mark is one that an underline or small type hides: below, beside or through a letter, a single dot, a vowel
/// point; or one that only draws a frame around it. Accents above a letter are none: José and Jose are two names.
fn is_overlooked(character: char) -> bool {
    let is_mark = character.general_category_group() == GeneralCategoryGroup::Mark;
    // UAX 44, table 15: overlaid; nukta; Hebrew and Arabic points; below and attached; double below; iota subscript.
    let class =
        |mark| matches!(canonical_combining_class(mark), 1 | 7 | 10..=36 | 202 | 216 | 218..=222 | 233 | 240);
    // A dot above, and what skeletons make of hooks and commas.
    is_mark
        && (class(character)
            || character.general_category() == GeneralCategory::EnclosingMark
            || matches!(character, '\u{307}' | '\u{312}'..='\u{315}'))
}
