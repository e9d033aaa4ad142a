//! The words of any text, each read as a name would be.
//!
//! A message is longer than a name, and looked at on the room's own task. So each character is read once and then remembered: what
//! names unite, they unite character by character, but for pairs of letters that are read as one.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;
use unicode_segmentation::UnicodeSegmentation;

use super::key::{reduce, without_punctuation};
use super::lookalikes;
use crate::protocol::visible::is_invisible;

/// How many characters are remembered; beyond that it begins anew.
const KNOWN_MAX: usize = 4096;

/// Reads words, and remembers how characters are read.
#[derive(Debug, Default)]
pub struct WordReader {
    known: HashMap<char, Reading>,
    ascii: Vec<Option<Reading>>,
}

/// How a character is read: regardless of case, and its shape as it is typed.
#[derive(Debug, Clone)]
struct Reading {
    folded: Box<str>,
    shape: Box<str>,
}

impl Reading {
    fn of(character: char) -> Self {
        let text = character.to_string();
        let shape: String = skeleton(&text).collect();
        Self { folded: reduce(text).into(), shape: shape.into() }
    }
}

impl WordReader {
    /// The words of a text with a space between two of them, in the two readings of
    /// [`ConfusableKey`](super::ConfusableKey): two words would be taken for each other if one of these is the same.
    pub fn read(&mut self, text: &str) -> [String; 2] {
        let visible: String = text.chars().filter(|character| !is_invisible(*character)).collect();
        let plain = words(&visible);
        // Within a word these are read as the stroke of an l; the other reading has them as punctuation.
        let stroked = visible.contains(['!', '|']).then(|| words(&visible.replace(['!', '|'], "l")));
        let shapes = self.each(stroked.as_ref().unwrap_or(&plain), |reading| &reading.shape);
        let typed = self.each(&lookalikes::replace_pairs(&shapes), |reading| &reading.folded);
        [ordered(self.each(&plain, |reading| &reading.folded)), ordered(typed)]
    }

    fn each(&mut self, text: &str, part: impl Fn(&Reading) -> &str) -> String {
        let mut read = String::with_capacity(text.len() + text.len() / 4);
        for character in text.chars() {
            match character {
                ' ' => read.push(' '),
                _ => read.push_str(part(self.reading(character))),
            }
        }
        read
    }

    fn reading(&mut self, character: char) -> &Reading {
        if character.is_ascii() {
            self.ascii.resize(128, None);
            return self.ascii[character as usize].get_or_insert_with(|| Reading::of(character));
        }
        if self.known.len() >= KNOWN_MAX && !self.known.contains_key(&character) {
            self.known.clear();
        }
        self.known.entry(character).or_insert_with(|| Reading::of(character))
    }
}

/// The text with the marks on each letter in their canonical order.
fn ordered(text: String) -> String {
    if text.is_ascii() { text } else { text.nfd().collect() }
}

/// The words of a text, without punctuation in them.
fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for word in text.unicode_words().map(without_punctuation).filter(|word| !word.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(&word);
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ConfusableKey;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        /// What names unite, words unite.
        #[test]
        fn a_word_is_read_as_a_name_is(word in "([\\p{Latin}&&\\p{L}]|[\\p{Cyrillic}&&\\p{L}]|[\\p{Greek}&&\\p{L}]|[0-9]){1,8}") {
            let [folded, typed] = WordReader::default().read(&word);
            prop_assert_eq!(ConfusableKey::of(&word).parts(), [format!("folded {folded}"), format!("typed {typed}")]);
        }

        #[test]
        fn what_is_remembered_is_read_the_same(text in any::<String>(), again in any::<String>()) {
            let mut reader = WordReader::default();
            let first = reader.read(&text);
            reader.read(&again);
            prop_assert_eq!(reader.read(&text), first);
        }
    }

    #[test]
    fn a_flood_of_characters_is_forgotten() {
        let mut reader = WordReader::default();
        let all: String = ('\u{4e00}'..'\u{9000}').collect();
        reader.read(&all);
        assert!(reader.known.len() <= KNOWN_MAX);
    }
}
