//! Texts, their forms and their parts.

use std::fmt::{Display, Write};

use super::catalog::CATALOG;
use super::kind::Language;
use super::pieces::pieces;
use super::plural;

impl Language {
    /// A text in this language.
    pub fn say(self, english: &'static str) -> &'static str {
        self.forms(english)
            .and_then(|forms| forms.first())
            .filter(|form| !form.is_empty())
            .unwrap_or(&english)
    }

    /// A text in this language, with `{0}`, `{1}` and so on replaced by the parts.
    pub fn fill(self, english: &'static str, parts: &[&dyn Display]) -> String {
        filled(self.say(english), parts)
    }

    /// The form of a text for this number.
    pub fn plural(self, count: u64, one: &'static str, many: &'static str) -> &'static str {
        let english = if count == 1 { one } else { many };
        let Some(forms) = self.forms(one) else { return english };
        let form = forms.get(plural::index(self, count)).or(forms.last());
        form.filter(|form| !form.is_empty()).unwrap_or(&english)
    }

    /// A text in the form for this number, with `{0}`, `{1}` and so on replaced by the parts.
    pub fn fill_plural(
        self,
        count: u64,
        one: &'static str,
        many: &'static str,
        parts: &[&dyn Display],
    ) -> String {
        filled(self.plural(count, one, many), parts)
    }

    /// A number and what is counted: `counted(3, "message", "messages")` is "3 messages". A form with `{0}` has the number there; where
    /// English has one, a form without has it in words.
    pub fn counted(self, count: u64, one: &'static str, many: &'static str) -> String {
        counted(count, self.plural(count, one, many), many)
    }

    /// The forms of a text; `None` in English, and where there is no entry.
    pub(crate) fn forms(self, english: &str) -> Option<&'static [&'static str]> {
        let catalog = CATALOG.get((self as usize).checked_sub(1)?)?;
        let at = catalog.binary_search_by_key(&english, |(key, _)| key).ok()?;
        Some(catalog[at].1)
    }
}

/// The form with its number; `english` says whether one without `{0}` has it in words.
pub(super) fn counted(count: u64, form: &str, english: &str) -> String {
    match [form, english].iter().any(|text| text.contains("{0}")) {
        true => filled(form, &[&count]),
        false => format!("{count} {form}"),
    }
}

/// Marks a text that is [said](Language::say) elsewhere, so that it is found among the others.
pub const fn english(text: &'static str) -> &'static str {
    text
}

/// Marks the two forms of a text that is [counted](Language::counted) elsewhere.
pub const fn plurals(one: &'static str, many: &'static str) -> [&'static str; 2] {
    [one, many]
}

/// A text with its parts in their places.
pub(super) fn filled(text: &str, parts: &[&dyn Display]) -> String {
    let mut out = String::with_capacity(text.len() + 16 * parts.len());
    for piece in pieces(text) {
        match piece {
            Ok(text) => out.push_str(text),
            Err(number) => {
                if let Some(part) = parts.get(number) {
                    // Writing to memory does not fail.
                    let _ = write!(out, "{part}");
                }
            }
        }
    }
    out
}
