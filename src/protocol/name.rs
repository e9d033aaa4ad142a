//! Guests' names: put in a canonical form, checked, and compared by look.
//!
//! - `characters`: which characters a name may have, by the identifier profile of
//!   [UTS 39](https://www.unicode.org/reports/tr39/), and their canonical form;
//! - `emoji`: whole emoji sequences, which come beside that profile;
//! - `key`: the key by which names that look the same are found; `lookalikes`: what it unites beside UTS 39;
//! - `reading`: the words of any text, read in the same way; `framed`: letters and digits in frames, which names do not have;
//! - `reserved`: the words that no guest can be called.

mod characters;
mod emoji;
mod framed;
mod key;
mod lookalikes;
mod reading;
mod reserved;

use std::fmt;

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use super::refusal::{Code, Refusal};
use characters::{Fault, MARKS_MAX, PUNCTUATION};
pub use framed::unframed;
pub use key::ConfusableKey;
pub use reading::WordReader;

/// The most characters a name may have, as people count them (grapheme clusters, UAX 29).
pub const NAME_CHARACTERS_MAX: usize = 32;

/// The most bytes a name may have, so that 32 characters cannot hide kilobytes of combining marks.
pub const NAME_BYTES_MAX: usize = 128;

/// A name that may be shown to others as it is.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Puts a name in its canonical form and checks it. `docs/protocol.md`, "Names", has the rules.
    ///
    /// # Errors
    /// `name_empty`, `name_too_long` or `name_forbidden`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > 64 * NAME_BYTES_MAX {
            return Err(too_long()); // before any work proportional to it
        }
        let name = characters::check(&characters::normalise(text)).map_err(refused)?;
        if name.len() > NAME_BYTES_MAX || name.graphemes(true).count() > NAME_CHARACTERS_MAX {
            return Err(too_long());
        }
        if reserved::is_reserved(&name) {
            return Err(Refusal::new(
                Code::NameForbidden,
                "The room uses this word itself, so no guest can be called that. Choose another name, or add a word to it.",
            ));
        }
        Ok(Self(name))
    }

    /// A name as the log has it. Earlier versions of this program allowed more than [`Name::parse`] does, and what was
    /// said under such a name stays readable. `None` for what no version wrote: a name that is empty, longer than
    /// [`NAME_BYTES_MAX`] or has control or direction-changing characters.
    pub fn from_stored(text: String) -> Option<Self> {
        let is_unsafe = |character: char| {
            character.is_control()
                || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
        };
        let fits = (1..=NAME_BYTES_MAX).contains(&text.len()) && !text.contains(is_unsafe);
        fits.then_some(Self(text))
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key by which confusable names are found.
    pub fn confusable_key(&self) -> ConfusableKey {
        ConfusableKey::of(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Name(…)")
    }
}

fn refused(fault: Fault) -> Refusal {
    let sentence = match fault {
        Fault::Empty => {
            let sentence = "A name needs at least one letter, digit or emoji.";
            return Refusal::new(Code::NameEmpty, sentence);
        }
        Fault::Forbidden(character) => format!(
            "A name cannot have the character U+{:04X}. Take it out: letters and digits, spaces, emoji and {} can be used.",
            u32::from(character),
            PUNCTUATION.map(String::from).join(" ")
        ),
        Fault::Marks => format!(
            "A name can have combining marks on letters only, at most {MARKS_MAX} on each. Take out the others."
        ),
        Fault::Scripts => {
            "The letters of a name are of one script, such as Latin, Cyrillic or Arabic; Latin can be \
            beside Chinese, Japanese and Korean. Take out the letters of the others."
                .to_owned()
        }
        Fault::Digits => {
            "The digits of a name are of one kind, such as 123 or ۱۲۳. Write all of them in the same."
                .to_owned()
        }
    };
    Refusal::new(Code::NameForbidden, sentence)
}

fn too_long() -> Refusal {
    Refusal::new(
        Code::NameTooLong,
        format!(
            "A name may have at most {NAME_CHARACTERS_MAX} characters and {NAME_BYTES_MAX} bytes. Make it shorter."
        ),
    )
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
