//! Words that a host keeps out: found in what guests say, also where they are written with lookalikes.
//!
//! A text is read as [names](super::name) are compared: case, digits for letters and letters of other scripts that look the same
//! make no difference. A word counts only as a whole, by the word boundaries of
//! [UAX 29](https://www.unicode.org/reports/tr29/#Word_Boundaries), and several words only one after the other. So `class` is
//! not found in `classic`, and what is spelt with spaces or stars between its letters is not found either.

use std::collections::{BTreeSet, HashSet};

use super::name::{WordReader, unframed};

/// What joins two words to one by UAX 29, as in `scam.com`: there a text is read a second time, in parts.
const JOINERS: [char; 10] = ['.', ':', '_', '\'', '’', '‘', '·', '‧', '．', '：'];

/// The words of a list, ready to be looked for. Looking takes steps in proportion to the length of the text, however many
/// words there are.
#[derive(Debug, Default)]
pub struct WordList {
    /// The two readings of each entry: regardless of case, and as it is typed.
    readings: [HashSet<String>; 2],
    /// Of how many words the entries are made.
    lengths: BTreeSet<usize>,
    reader: WordReader,
}

impl WordList {
    /// The list of these words.
    pub fn new(words: &[String]) -> Self {
        let mut list = Self::default();
        for word in words {
            for (readings, reading) in list.readings.iter_mut().zip(list.reader.read(word)) {
                if !reading.is_empty() {
                    list.lengths.insert(reading.split(' ').count());
                    readings.insert(reading);
                }
            }
        }
        list
    }

    /// Whether there is no word in it.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Whether a text has one of the words.
    pub fn is_in(&mut self, text: &str) -> bool {
        if self.is_empty() {
            return false;
        }
        self.is_in_parts(text) || unframed(text).is_some_and(|plain| self.is_in_parts(&plain))
    }

    fn is_in_parts(&mut self, text: &str) -> bool {
        self.is_read_in(text) || (text.contains(JOINERS) && self.is_read_in(&text.replace(JOINERS, " ")))
    }

    fn is_read_in(&mut self, text: &str) -> bool {
        let read = self.reader.read(text);
        read.iter().zip(&self.readings).any(|(text, words)| self.has(text, words))
    }

    fn has(&self, text: &str, words: &HashSet<String>) -> bool {
        let ends: Vec<usize> = text.match_indices(' ').map(|(place, _)| place).chain([text.len()]).collect();
        let begins = std::iter::once(0).chain(ends.iter().map(|end| end + 1)).take(ends.len());
        begins.enumerate().any(|(first, begin)| {
            let mut ends = self.lengths.iter().map_while(|length| ends.get(first + length - 1));
            ends.any(|end| words.contains(&text[begin..*end]))
        })
    }
}

/// Whether anything of a word is left to be looked for.
pub fn can_match(word: &str, reader: &mut WordReader) -> bool {
    reader.read(word).iter().all(|reading| !reading.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(words: &[&str]) -> WordList {
        WordList::new(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_word_is_found_however_it_looks() {
        let mut list = list(&["scam", "free money", "Straße", "诈骗", "kill"]);
        for text in [
            "scam",
            "This is a SCAM!",
            "(scam)",
            "scam, again",
            "it is a ѕсаm", // Cyrillic letters
            "5cam",
            "ｓｃａｍ",           // full width
            "s\u{200b}c\u{ad}am", // characters that show nothing
            "𝐬𝐜𝐚𝐦",
            "sc\u{34f}am",
            "sca\u{323}m",
            "FREE\nmoney here",
            "free, money",
            "strasse",
            "这是诈骗吗",
            "k!ll",
            "ki1l",
            "kiІІ", // Ukrainian capital letters
            "scam.com",
            "a.scam",
            "scam:scam",
            "scam's",
            "l’scam",
            "free_money",
            "s.c.a.m",
            "ꜱᴄᴀᴍ", // small capitals
            "ᴋɪʟʟ",
            "s\u{20dd}c\u{20dd}a\u{20de}m\u{20e0}", // enclosing marks
            "s\u{488}cam",
            "ⓢⓒⓐⓜ",
            "🅂🄲🄰🄼",
            "🅢🅒🅐🅜",
            "🆂🅲🅰🅼",
            "🅢cam™",
            "⒮⒞⒜⒨",
            "🄢🄒🄐🄜",
            "🇸🇨🇦🇲",
            "k①ll k❶ll",
            "k¹ll",
            "scam¹",
            "scam①",
            "scam🇩🇪",
            "s\u{3164}cam",
        ] {
            assert!(list.is_in(text), "{text}");
        }
        for text in [
            "",
            " ",
            "scampi",
            "a scammer",
            "free the money",
            "money free",
            "s c a m",
            "class",
            "诈 和 骗x",
            "can",
        ] {
            assert!(!list.is_in(text), "{text}");
        }
    }

    #[test]
    fn nothing_is_found_without_words() {
        assert!(list(&[]).is_empty() && !list(&[]).is_in("scam"));
        let can_match = |word| can_match(word, &mut WordReader::default());
        assert!(!can_match("…!") && !can_match("") && !can_match("\u{200b}"));
        assert!(can_match("a") && can_match("2 for 1") && can_match("诈骗"));
    }

    proptest! {
        #[test]
        fn a_word_is_found_in_every_text_that_has_it(
            word in "[\\p{L}\\p{N}]{1,12}", before in "[a-z ,.\\p{Han}]{0,30}", after in "[a-z ,.]{0,30}",
        ) {
            prop_assume!(can_match(&word, &mut WordReader::default()));
            let mut list = WordList::new(std::slice::from_ref(&word));
            prop_assert!(list.is_in(&word));
            let text = format!("{before} {word} {after}");
            prop_assert!(list.is_in(&text), "{text}");
        }

        #[test]
        fn looking_never_panics(text in any::<String>(), word in any::<String>()) {
            let _ = WordList::new(&[word]).is_in(&text);
        }
    }
}
