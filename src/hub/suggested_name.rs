//! Names for guests who ask for none.

use super::suggested_words::{COUNT, Words};
use crate::language::Language;
use crate::protocol::Name;

/// How many names are tried at most; far more than a full room can have taken.
const TRIES: u32 = 4096;

/// How many plain pairs are tried before a number is added.
const PLAIN_TRIES: u32 = 32;

/// With more guests than this no plain pair is tried: half of the pairs may be taken, and each newcomer would try
/// them in vain.
const PLAIN_GUESTS: usize = COUNT * COUNT / 2;

/// A name in this language that `available` accepts, for one more guest beside `guests` others: two words, and a number where the plain
/// pairs are mostly taken.
pub(super) fn suggest(language: Language, guests: usize, available: impl Fn(&Name) -> bool) -> Option<Name> {
    let &Words { first, second, between } = Words::of(language);
    let plain_tries = if guests > PLAIN_GUESTS { 0 } else { PLAIN_TRIES };
    (0..TRIES).find_map(|attempt| {
        // Without randomness all guests are offered the same names in the same order, which is no harm.
        let random = getrandom::u64().unwrap_or_else(|_| u64::from(attempt) * 7919);
        let pick =
            |words: &'static str, from: u64| words.split(' ').nth(from as usize % COUNT).unwrap_or_default();
        let (first, second) = (pick(first, random), pick(second, random >> 16));
        let text = match attempt < plain_tries {
            true => format!("{first}{between}{second}"),
            false => format!("{first}{between}{second} {}", 2 + (random >> 32) % 998),
        };
        Name::parse(&text).ok().filter(&available)
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_suggestion_is_available() {
        for language in Language::ALL {
            let taken = RefCell::new(HashSet::new());
            for guests in 0..if language == Language::English { 2000 } else { 50 } {
                let name = suggest(language, guests, |name| !taken.borrow().contains(name.as_str())).unwrap();
                taken.borrow_mut().insert(name.as_str().to_owned());
            }
        }
    }

    /// A suggestion that the rules for names refused, or took for another one, would never be made.
    #[test]
    fn every_pair_of_words_is_a_name_and_none_is_confusable_with_another() {
        for language in Language::ALL {
            let mut keys = HashSet::new();
            let Words { first, second, between } = Words::of(language);
            assert!([first, second].iter().all(|words| words.split(' ').count() == COUNT));
            for (first, second) in
                first.split(' ').flat_map(|first| second.split(' ').map(move |second| (first, second)))
            {
                let text = format!("{first}{between}{second}");
                let name = Name::parse(&text).unwrap_or_else(|refusal| panic!("{text}: {}", refusal.message));
                assert_eq!(name.as_str(), text);
                assert!(Name::parse(&format!("{text} 205")).is_ok(), "{text}");
                assert!(name.confusable_key().parts().into_iter().all(|part| keys.insert(part)), "{text}");
            }
        }
    }
}
