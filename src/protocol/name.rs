//! Guests' names: normalised, checked, and compared by a confusable key (UTS 39).

use std::fmt;

use caseless::default_case_fold_str;
use serde::Serialize;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::skeleton;
use unicode_segmentation::UnicodeSegmentation;

use super::refusal::{Code, Refusal};

/// The most characters a name may have, as people count them (grapheme clusters, UAX 29).
pub const NAME_CHARACTERS_MAX: usize = 32;

/// The most bytes a name may have, so that 32 characters cannot hide kilobytes of combining marks.
pub const NAME_BYTES_MAX: usize = 128;

/// The most combining marks in a row.
const MARKS_MAX: usize = 4;

/// A name that may be shown to others as it is.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Cleans and checks a name: white space at the ends is cut, runs inside become one space, emoji
    /// variation selectors are dropped, the rest is put in Unicode's form NFC.
    ///
    /// # Errors
    /// `name_empty`, `name_too_long` or `name_forbidden`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > 64 * NAME_BYTES_MAX {
            return Err(too_long()); // before any work proportional to it
        }
        let text: String =
            text.trim().chars().filter(|character| !is_emoji_selector(*character)).nfc().collect();
        if let Some(character) = text.chars().find(|character| is_forbidden(*character)) {
            return Err(Refusal::new(
                Code::NameForbidden,
                format!(
                    "A name may not contain the control, invisible or direction-changing character U+{:04X}.",
                    u32::from(character)
                ),
            ));
        }
        if marks_in_a_row(&text) > MARKS_MAX {
            return Err(Refusal::new(
                Code::NameForbidden,
                format!("A name may have at most {MARKS_MAX} combining marks on one letter."),
            ));
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.chars().any(is_visible_base) {
            return Err(Refusal::new(Code::NameEmpty, "A name needs at least one visible character."));
        }
        if text.len() > NAME_BYTES_MAX || text.graphemes(true).count() > NAME_CHARACTERS_MAX {
            return Err(too_long());
        }
        Ok(Self(text))
    }

    /// A name that was parsed before it was written down. The rules may have become stricter since, and what was said
    /// under it stays readable.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key by which confusable names are found.
    pub fn confusable_key(&self) -> ConfusableKey {
        ConfusableKey { folded: skeleton_of(&fold(&self.0)), plain: fold(&skeleton_of(&self.0)) }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Name(…)")
    }
}

/// A name's confusable key: two names with a common part would be taken for each other.
///
/// Case folding and the skeletons of UTS 39 do not commute: folding `I` gives `i`, while the skeleton of `I`
/// is `l`. So `Bill` is held against `BILL` by folding first, and against `BiIl` by folding last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConfusableKey {
    folded: String,
    plain: String,
}

impl ConfusableKey {
    /// Whether a reader could take one name for the other.
    pub fn is_confusable_with(&self, other: &ConfusableKey) -> bool {
        self.folded == other.folded || self.plain == other.plain
    }

    /// Both parts, as keys of one table of names: two names are confusable if they share one.
    pub fn parts(&self) -> [String; 2] {
        [format!("folded {}", self.folded), format!("plain {}", self.plain)]
    }
}

/// Compatibility caseless form (The Unicode Standard, section 3.13, D146), without its last normalisation,
/// which the skeleton does.
fn fold(text: &str) -> String {
    let once: String = default_case_fold_str(&text.nfd().collect::<String>()).nfkd().collect();
    default_case_fold_str(&once).nfkd().collect()
}

/// UTS 39, section 4.
fn skeleton_of(text: &str) -> String {
    skeleton(text).collect()
}

fn too_long() -> Refusal {
    Refusal::new(
        Code::NameTooLong,
        format!("A name may have at most {NAME_CHARACTERS_MAX} characters and {NAME_BYTES_MAX} bytes."),
    )
}

/// VS15 and VS16, which keyboards put after emoji and which change nothing about who is meant.
fn is_emoji_selector(character: char) -> bool {
    matches!(character, '\u{fe0e}' | '\u{fe0f}')
}

fn is_forbidden(character: char) -> bool {
    use GeneralCategory::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Surrogate, Unassigned,
    };
    matches!(
        character.general_category(),
        Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Surrogate | Unassigned
    ) || is_invisible(character)
}

/// Characters that show nothing and are not of category Format: the rest of `Default_Ignorable_Code_Point`
/// (DerivedCoreProperties.txt), and the blank braille pattern.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{034f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

fn is_visible_base(character: char) -> bool {
    use GeneralCategoryGroup::{Mark, Other, Separator};
    !matches!(character.general_category_group(), Mark | Other | Separator)
}

fn marks_in_a_row(text: &str) -> usize {
    let (mut most, mut now) = (0, 0);
    // Decomposed, because composing may have swallowed a mark into its letter.
    for character in text.nfd() {
        now = if character.general_category_group() == GeneralCategoryGroup::Mark { now + 1 } else { 0 };
        most = most.max(now);
    }
    most
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap_or_else(|refusal| panic!("{text:?}: {}", refusal.message))
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
            "👩🦰",
            "X Æ A-12",
            "o'Brien",
            "❤️",
        ] {
            name(text);
        }
    }

    #[test]
    fn white_space_is_tidied() {
        assert_eq!(name("  Ann \u{a0}\u{3000} Lee ").as_str(), "Ann Lee");
        assert_eq!(name("e\u{301}").as_str(), "é");
    }

    #[test]
    fn bad_names_have_their_codes() {
        for (text, code) in [
            ("", Code::NameEmpty),
            ("  \u{3000}", Code::NameEmpty),
            ("\u{301}\u{301}", Code::NameEmpty),
            ("a\u{202e}b", Code::NameForbidden),
            ("a\u{2066}b", Code::NameForbidden),
            ("a\u{200b}b", Code::NameForbidden),
            ("a\u{200d}b", Code::NameForbidden),
            ("\u{3164}", Code::NameForbidden),
            ("\u{2800}", Code::NameForbidden),
            ("a\nb", Code::NameForbidden),
            ("a\u{0}b", Code::NameForbidden),
            ("\u{e000}", Code::NameForbidden),
            ("\u{fffe}", Code::NameForbidden),
            ("\u{e0041}x", Code::NameForbidden),
            ("a\u{301}\u{302}\u{303}\u{304}\u{305}", Code::NameForbidden),
        ] {
            assert_eq!(Name::parse(text).unwrap_err().code, code, "{text:?}");
        }
        assert_eq!(Name::parse(&"a".repeat(33)).unwrap_err().code, Code::NameTooLong);
        assert_eq!(Name::parse(&"a".repeat(200_034)).unwrap_err().code, Code::NameTooLong);
        name(&"a".repeat(32));
        name(&"é".repeat(32));
    }

    #[test]
    fn confusable_names_share_a_key() {
        for (one, other) in [
            ("bob", "Bob"),
            ("bob", "bоb"), // Cyrillic о
            ("PAYPAL", "раураl"),
            ("Bill", "BILL"),
            ("Bill", "BiIl"),
            ("modern", "rnodern"),
            ("Straße", "STRASSE"),
            ("Ａnn", "Ann"),
            ("ﬁona", "fiona"),
        ] {
            assert!(confusable(one, other), "{one} {other}");
        }
        assert!(!confusable("Ann", "Anna"));
        assert!(!confusable("Bob", "Rob"));
    }

    proptest! {
        #[test]
        fn checking_never_panics_and_a_clean_name_stays(text in any::<String>()) {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(name.as_str()).unwrap(), name.clone());
                prop_assert!(name.confusable_key().is_confusable_with(&name.confusable_key()));
            }
        }
    }
}
