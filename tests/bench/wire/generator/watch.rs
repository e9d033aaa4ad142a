//! When messages were to be sent, and how long it took until somebody had them.

use super::histogram::Histogram;

/// For how many messages it is remembered when they were to be sent.
const REMEMBERED: usize = 1 << 20;

/// Times those messages that count.
pub(super) struct Watch {
    meant: Vec<u64>,
    /// The first number that counts, and the first that does not any more.
    pub(super) from: u32,
    pub(super) until: u32,
    pub(super) delays: Histogram,
    /// Whether all guests are timed, or only some.
    pub(super) everybody: bool,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self { meant: vec![0; REMEMBERED], from: 0, until: 0, delays: Histogram::new(), everybody: false }
    }

    /// Starts anew: messages from this number on count, until [`Watch::until`] is set.
    pub(super) fn begin(&mut self, from: u32) {
        (self.from, self.until) = (from, u32::MAX);
        self.delays = Histogram::new();
    }

    /// Remembers when a message was to be sent.
    #[inline]
    pub(super) fn means(&mut self, number: u32, when: u64) {
        self.meant[number as usize % REMEMBERED] = when;
    }

    /// Somebody has a message.
    #[inline]
    pub(super) fn time(&mut self, number: Option<u32>, now: u64) {
        if let Some(number) = number.filter(|number| (self.from..self.until).contains(number)) {
            self.delays.add(now.saturating_sub(self.meant[number as usize % REMEMBERED]));
        }
    }
}
