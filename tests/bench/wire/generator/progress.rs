//! How far the messages of one room are.

/// One room's messages. That none is lost is counted for each guest; this is how many are under way.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// How many messages were said.
    pub(super) said: u64,
    guests: u64,
    /// How many messages guests have, or will not get because they came later, all added up.
    had: u64,
}

impl Progress {
    /// A guest came, for whom everything that was said so far counts as had: so much.
    pub(super) fn enter(&mut self) -> u64 {
        self.guests += 1;
        self.had += self.said;
        self.said
    }

    /// A guest is gone who had so many.
    pub(super) fn leave(&mut self, had: u64) {
        self.guests -= 1;
        self.had -= had;
    }

    /// A guest got so many more.
    #[inline]
    pub(super) fn advance(&mut self, fresh: u64) {
        self.had += fresh;
    }

    /// How many messages have arrived: as many as there were deliveries for all guests.
    #[inline]
    pub(super) fn arrived(&self) -> u64 {
        self.had / self.guests.max(1)
    }

    /// Whether everybody has everything.
    pub(super) fn is_over(&self) -> bool {
        self.had >= self.said * self.guests
    }
}
