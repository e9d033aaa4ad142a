//! Which form a number takes: the cardinal rules of CLDR for whole numbers
//! ([Language Plural Rules](https://www.unicode.org/cldr/charts/latest/supplemental/language_plural_rules.html), UTS 35 part 3,
//! section 5).

use super::kind::Language;

/// The number of the form, in the order of the file's `msgstr`, which is CLDR's: zero, one, two, few, many, other, as far as the language
/// tells them apart for whole numbers. French and Spanish have one for whole millions besides, to which no room counts.
pub(super) fn index(language: Language, count: u64) -> usize {
    let (ten, hundred) = (count % 10, count % 100);
    match language {
        // one: i = 1 and v = 0; other.
        Language::English | Language::German | Language::Spanish => usize::from(count != 1),
        // one: i = 0,1 (French), i = 0 or n = 1 (Persian); other.
        Language::French | Language::Persian => usize::from(count > 1),
        // one: i % 10 = 1 and i % 100 != 11; few: i % 10 = 2..4 and i % 100 != 12..14; many: the others.
        Language::Russian => match (ten, hundred) {
            (1, hundred) if hundred != 11 => 0,
            (2..=4, hundred) if !(12..=14).contains(&hundred) => 1,
            _ => 2,
        },
        // zero: n = 0; one: n = 1; two: n = 2; few: n % 100 = 3..10; many: n % 100 = 11..99; other.
        Language::Arabic => match (count, hundred) {
            (0..=2, _) => usize::try_from(count).unwrap_or_default(),
            (_, 3..=10) => 3,
            (_, 11..=99) => 4,
            _ => 5,
        },
        Language::Chinese => 0,
    }
}

/// How many forms the language has.
#[cfg(test)]
pub(super) const fn forms(language: Language) -> usize {
    match language {
        Language::English | Language::German | Language::Spanish | Language::French | Language::Persian => 2,
        Language::Russian => 3,
        Language::Arabic => 6,
        Language::Chinese => 1,
    }
}
