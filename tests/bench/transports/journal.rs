//! What a reader has seen, and when.

use std::collections::HashMap;

use tokio::time::Instant;

const BEFORE: &str = "say";
const AFTER: &str = "yas";
const DIGITS: usize = 6;
const MARK: usize = BEFORE.len() + DIGITS + AFTER.len();

/// A message's text: its number, and words enough for an ordinary message. Nothing in it looks different in JSON
/// or in HTML.
pub(crate) fn text(number: u32) -> String {
    format!("{BEFORE}{number:0DIGITS$}{AFTER} and a few more words, as people would have said them")
}

/// Looks for messages in whatever a transport brings, and keeps when each was first there.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    seen: HashMap<u32, Instant>,
    again: usize,
    tail: Vec<u8>,
}

impl Journal {
    /// Takes the next bytes of a body; a mark may be divided between two pieces.
    pub(crate) fn look(&mut self, piece: &[u8]) {
        let now = Instant::now();
        let mut bytes = std::mem::take(&mut self.tail);
        bytes.extend_from_slice(piece);
        let mut at = 0;
        while at + MARK <= bytes.len() {
            match number(&bytes[at..at + MARK]) {
                Some(number) => {
                    if self.seen.insert(number, now).is_some() {
                        self.again += 1;
                    }
                    at += MARK;
                }
                None => at += 1,
            }
        }
        self.tail = bytes.split_off(at);
    }

    /// How many messages were seen.
    pub(crate) fn count(&self) -> usize {
        self.seen.len()
    }

    /// How often a message was seen that had been seen before.
    pub(crate) fn again(&self) -> usize {
        self.again
    }

    /// When this message was seen.
    pub(crate) fn when(&self, number: u32) -> Option<Instant> {
        self.seen.get(&number).copied()
    }
}

fn number(mark: &[u8]) -> Option<u32> {
    let digits = mark.strip_prefix(BEFORE.as_bytes())?.strip_suffix(AFTER.as_bytes())?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
