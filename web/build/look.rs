//! What looks like a text for people.

/// Whether a text looks like one for people: it begins with a capital letter, or has at least two words of letters alone, of which
/// a part `{0}` counts as one. A word may have the punctuation of a sentence around it.
pub(crate) fn looks_like_text(text: &str) -> bool {
    let words: Vec<_> = text
        .split_whitespace()
        .map(|word| word.trim_start_matches(['(', '“', '"']))
        .map(|word| word.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '…', '”', '"']))
        .collect();
    let plain: Vec<_> = words.iter().filter(|word| is_plain(word)).collect();
    let parts = words.iter().filter(|word| word.starts_with('{')).count();
    let capital = plain.first().is_some_and(|word| {
        let mut letters = word.chars();
        letters.next().is_some_and(|c| c.is_ascii_uppercase())
            && letters.next().is_some_and(|c| c.is_ascii_lowercase())
    });
    capital || (!plain.is_empty() && plain.len() + parts > 1)
}

/// Whether a word has letters, and nothing else but a hyphen or an apostrophe.
fn is_plain(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphabetic() || c == '-' || c == '\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_or_a_word_with_a_capital_is_a_text() {
        for text in [
            "Copy",
            "Not here.",
            "waiting to be sent",
            "{0} new ↓",
            "{0}, go to the newest",
            "Ban {0}?",
            "↑ First unread",
            "(Come in)",
        ] {
            assert!(looks_like_text(text), "{text}");
        }
        for other in [
            "",
            "room",
            "POST",
            "max-age=0; path=/",
            "2-digit",
            "{0}",
            "({0}) {1}",
            "rooms/{0}/{1}",
            "M{0} {1}h1",
            "a.b(c)",
            ":popover-open, [open]",
        ] {
            assert!(!looks_like_text(other), "{other}");
        }
    }
}
