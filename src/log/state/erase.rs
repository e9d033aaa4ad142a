//! What acts erase: messages, and the copies of their texts.
//!
//! Only messages are erased by their numbers or their author: an act stays whatever number is named. The other entries
//! that have the text of a message are the act that pins it and the one that edits it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::protocol::GuestId;

/// How many erasures are remembered at most, and how many numbers in them.
const ERASURES_MAX: usize = 100;
const NUMBERS_MAX: usize = 1000;

/// Entries that an act erases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erase {
    /// The number of the act: only messages before it are erased.
    pub before: u64,
    /// The messages with these numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<u64>,
    /// The messages of this author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<GuestId>,
    /// The acts with these numbers, which pinned or edited a message and have its text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<u64>,
    /// The reactions with these numbers, which do not count any more. They have no text, and are not remembered.
    #[serde(skip)]
    pub replaced: Vec<u64>,
}

impl Erase {
    /// Whether it erases the message with this number and author.
    pub fn has_message(&self, seq: u64, author: GuestId) -> bool {
        seq < self.before && (self.by == Some(author) || self.messages.contains(&seq))
    }

    /// The numbers of all acts that it erases.
    pub fn acts(&self) -> impl Iterator<Item = &u64> {
        self.pins.iter().chain(&self.replaced)
    }

    /// Whether something with a text goes.
    pub fn has_texts(&self) -> bool {
        self.by.is_some() || self.numbers() > 0
    }

    fn numbers(&self) -> usize {
        self.messages.len() + self.pins.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.has_texts() && self.replaced.is_empty()
    }
}

/// The newest erasures, oldest first. A node that begins with a stored state may still read what they erase.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Erasures(VecDeque<Erase>);

impl Erasures {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Erase> {
        self.0.iter()
    }

    /// Whether one of them erases the message with this number and author.
    pub fn has_message(&self, seq: u64, author: GuestId) -> bool {
        self.iter().any(|erase| erase.has_message(seq, author))
    }

    /// Whether one of them erases the message with this number, as far as numbers tell.
    pub(super) fn has_number(&self, seq: u64) -> bool {
        self.iter().any(|erase| erase.messages.contains(&seq))
    }

    /// Forgets the numbers from `first` on.
    pub(super) fn set_back(&mut self, first: u64) {
        for erase in &mut self.0 {
            erase.before = erase.before.min(first);
            erase.messages.retain(|seq| *seq < first);
            erase.pins.retain(|seq| *seq < first);
        }
        self.0.retain(|erase| erase.before > 1 && !erase.is_empty());
    }

    /// Notes what is erased, and forgets the oldest beyond the limits; `None` if it is nothing.
    pub(super) fn note(&mut self, erase: Erase) -> Option<Erase> {
        if erase.is_empty() {
            return None;
        }
        if !erase.has_texts() {
            return Some(erase);
        }
        self.0.push_back(Erase { replaced: Vec::new(), ..erase.clone() });
        while self.0.len() > ERASURES_MAX || self.iter().map(Erase::numbers).sum::<usize>() > NUMBERS_MAX {
            self.0.pop_front();
        }
        Some(erase)
    }
}
