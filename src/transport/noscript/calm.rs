//! What of a text is shown, and how much of the window it takes. `web/text.js` and `web/log.js` have the same rules.

use std::borrow::Cow;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// More marks on a letter than any script has are not shown.
const MARKS: usize = 8;

/// More empty lines in a row are not shown.
const EMPTY_LINES: usize = 2;

/// A text of more lines than this is long.
const LINES: usize = 24;

/// So many characters are in a line, about.
const COLUMNS: usize = 70;

/// A text as it is shown: what is meant to lie over other lines, or to push them out of view, is left out.
pub fn calm(text: &str) -> Cow<'_, str> {
    let empty_lines = text.lines().filter(|line| line.trim().is_empty()).count();
    if text.is_ascii() && empty_lines <= EMPTY_LINES {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let (mut marks, mut empty) = (0, 0);
    for line in text.split('\n') {
        empty = if line.trim().is_empty() { empty + 1 } else { 0 };
        if empty > EMPTY_LINES {
            continue;
        }
        for character in line.chars() {
            marks = if is_mark(character) { marks + 1 } else { 0 };
            if marks <= MARKS {
                shown.push(character);
            }
        }
        shown.push('\n');
        marks = 0;
    }
    shown.pop();
    Cow::Owned(shown)
}

fn is_mark(character: char) -> bool {
    !character.is_ascii() && character.general_category_group() == GeneralCategoryGroup::Mark
}

/// How many lines a text takes, about.
pub(super) fn lines_of(text: &str) -> usize {
    text.lines().map(|line| 1 + line.chars().count() / COLUMNS).sum()
}

/// Whether a text has a part of the window to itself, in which it is scrolled, so that one message does not fill many screens.
pub(super) fn is_long(lines: usize) -> bool {
    lines > LINES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_empty_lines_are_few_and_what_languages_have_stays() {
        let shown = |text: &str| calm(text).into_owned();
        assert_eq!(shown(&format!("e{} x", "\u{301}".repeat(1500))), format!("e{} x", "\u{301}".repeat(8)));
        assert_eq!(shown(&format!("top{}bottom", "\n".repeat(4000))), "top\n\n\nbottom");
        assert_eq!(shown("a\n \n\t\n  \n\nb"), "a\n \n\t\nb");
        for stays in ["", "a", "a\n\n\nb\n\n\nc", "  indented\n\ttoo", "ཧཱུྃ เก่ שָׁלוֹם é\u{323}", "line\n"]
        {
            assert_eq!(shown(stays), stays);
        }
    }

    #[test]
    fn lines_are_counted_as_they_are_broken() {
        assert_eq!(lines_of("one\ntwo"), 2);
        assert_eq!(lines_of(&"x".repeat(700)), 11);
        assert!(is_long(lines_of(&"x\n".repeat(25))) && !is_long(lines_of(&"x\n".repeat(24))));
    }
}
