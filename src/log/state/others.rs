//! How many entries are no messages, so that it is known without looking how many are.

use serde::{Deserialize, Serialize};

/// The entries that are no messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64)", into = "(u64, u64)")]
pub(super) struct Others {
    count: u64,
    /// The newest that was counted: none is counted twice, although a log may give one again.
    newest: u64,
}

impl Others {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Counts the entry with this number.
    pub(super) fn note(&mut self, seq: u64) {
        if seq > self.newest {
            (self.count, self.newest) = (self.count + 1, seq);
        }
    }

    /// How many of the entries up to this number are messages.
    pub(super) fn messages(&self, head: u64) -> u64 {
        head.saturating_sub(self.count)
    }

    /// Forgets the numbers from `first` on. How many were counted among them is not known, so the count stays.
    pub(super) fn set_back(&mut self, first: u64) {
        self.newest = self.newest.min(first.saturating_sub(1));
    }
}

impl From<(u64, u64)> for Others {
    fn from((count, newest): (u64, u64)) -> Self {
        Self { count, newest }
    }
}

impl From<Others> for (u64, u64) {
    fn from(Others { count, newest }: Others) -> Self {
        (count, newest)
    }
}
