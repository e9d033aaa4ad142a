//! Names for guests who ask for none.

use crate::protocol::Name;

const FIRST: &[&str] = &[
    "Amber", "Bold", "Bright", "Calm", "Clever", "Cosy", "Curious", "Dapper", "Eager", "Early", "Fair",
    "Gentle", "Golden", "Happy", "Honest", "Humble", "Jolly", "Kind", "Late", "Light", "Lucky", "Mellow",
    "Merry", "Mild", "Misty", "Noble", "Patient", "Plain", "Proud", "Quick", "Quiet", "Rare", "Sandy",
    "Silent", "Silver", "Steady", "Sunny", "Swift", "Velvet", "Warm",
];

const SECOND: &[&str] = &[
    "Badger", "Beaver", "Crane", "Cricket", "Curlew", "Dolphin", "Dormouse", "Falcon", "Finch", "Fox",
    "Gecko", "Hare", "Heron", "Ibis", "Jackdaw", "Kestrel", "Lark", "Lemur", "Linnet", "Lynx", "Magpie",
    "Marten", "Mole", "Newt", "Otter", "Owl", "Panda", "Pika", "Plover", "Puffin", "Raven", "Robin", "Seal",
    "Sparrow", "Swan", "Tapir", "Thrush", "Vole", "Wombat", "Wren",
];

/// How many names are tried at most; far more than a full room can have taken.
const TRIES: u32 = 4096;

/// How many plain pairs are tried before a number is added.
const PLAIN_TRIES: u32 = 32;

/// With more guests than this no plain pair is tried: half of the pairs may be taken, and each newcomer would try
/// them in vain.
const PLAIN_GUESTS: usize = FIRST.len() * SECOND.len() / 2;

/// A name that `available` accepts, for one more guest beside `guests` others: two words, and a number where the plain
/// pairs are mostly taken.
pub(super) fn suggest(guests: usize, available: impl Fn(&Name) -> bool) -> Option<Name> {
    let plain_tries = if guests > PLAIN_GUESTS { 0 } else { PLAIN_TRIES };
    (0..TRIES).find_map(|attempt| {
        // Without randomness all guests are offered the same names in the same order, which is no harm.
        let random = getrandom::u64().unwrap_or_else(|_| u64::from(attempt) * 7919);
        let pick = |words: &[&'static str], from: u64| words[(from % words.len() as u64) as usize];
        let (first, second) = (pick(FIRST, random), pick(SECOND, random >> 16));
        let text = match attempt < plain_tries {
            true => format!("{first} {second}"),
            false => format!("{first} {second} {}", 2 + (random >> 32) % 998),
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
        let taken = RefCell::new(HashSet::new());
        for guests in 0..2000 {
            let name = suggest(guests, |name| !taken.borrow().contains(name.as_str())).unwrap();
            taken.borrow_mut().insert(name.as_str().to_owned());
        }
    }

    /// A suggestion that the rules for names refused, or took for another one, would never be made.
    #[test]
    fn every_pair_of_words_is_a_name_and_none_is_confusable_with_another() {
        let mut keys = HashSet::new();
        for (first, second) in FIRST.iter().flat_map(|first| SECOND.iter().map(move |second| (first, second)))
        {
            let text = format!("{first} {second}");
            let name = Name::parse(&text).unwrap();
            assert_eq!(name.as_str(), text);
            assert!(Name::parse(&format!("{text} 205")).is_ok());
            assert!(name.confusable_key().parts().into_iter().all(|part| keys.insert(part)), "{text}");
        }
    }
}
