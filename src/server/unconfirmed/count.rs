//! Counts the time since a host has confirmed the room.
//!
//! While the process runs that took the confirmation, the clock that cannot be set says how long ago that was, and if the other
//! one is set meanwhile, the time of the confirmation moves with it. Over a restart only the time of day tells, and it may be
//! wrong in either process: so where it says that too much time has passed, the room has to have been open for an hour with it
//! saying so, and where it says that less has passed than the room was open, the latter counts.
//!
//! The hour does not begin anew with each start, or a room that is started again and again would never be wiped: what was counted of
//! it is kept, and each start counts for ten seconds at least. It is over when the clock does not say so any more.

use std::time::Duration;

use super::clocks::Clocks;

/// For how long, in seconds, the room has to have been open after the time is past.
const GRACE: u64 = 60 * 60;

/// The seconds that are counted before they have passed: those until the next look.
const AHEAD: u64 = 10;

/// At most so many seconds of the hour are counted at once: a process that was stopped was not open.
const LOOK_MAX: u64 = 20;

/// By how many seconds the clocks may differ before one of them was set.
const DIFFERENCE: u64 = 60;

/// What is kept of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// When the room was confirmed, by the time of day, in seconds since 1970.
    pub(super) at: u64,
    /// For how many seconds it was open since.
    pub(super) open: u64,
    /// How many seconds of the hour are counted.
    pub(super) overdue: u64,
}

/// Counts.
pub(super) struct Count<C> {
    days: u64,
    kept: Kept,
    clocks: C,
    /// Whether `at` is by the clock of this process.
    confirmed_here: bool,
    /// Both clocks at the last look.
    last: (u64, Duration),
    /// Whether this process has begun to count the hour.
    counting: bool,
}

impl<C: Clocks> Count<C> {
    /// Goes on with what is kept, or begins now.
    pub(super) fn new(days: u64, kept: Option<Kept>, clocks: C) -> Self {
        let last = (clocks.wall(), clocks.passed());
        let confirmed_here = kept.is_none();
        let kept = kept.unwrap_or(Kept { at: last.0, ..Kept::default() });
        Self { days, kept, clocks, confirmed_here, last, counting: false }
    }

    /// A host confirms the room now.
    pub(super) fn confirm(&mut self) {
        self.last = (self.clocks.wall(), self.clocks.passed());
        self.kept = Kept { at: self.last.0, ..Kept::default() };
        (self.confirmed_here, self.counting) = (true, false);
    }

    /// Takes account of the time since the last look. Whether the hour had begun, and is called off.
    pub(super) fn look(&mut self) -> bool {
        let (wall, passed) = (self.clocks.wall(), self.clocks.passed());
        let (last_wall, last_passed) = std::mem::replace(&mut self.last, (wall, passed));
        let seconds = passed.as_secs().saturating_sub(last_passed.as_secs());
        if self.confirmed_here {
            let set_to = last_wall.saturating_add(seconds);
            if wall.abs_diff(set_to) > DIFFERENCE {
                self.kept.at = (self.kept.at + wall).saturating_sub(set_to);
            }
        }
        self.kept.open = self.kept.open.saturating_add(seconds);
        if !self.is_past() {
            self.counting = false;
            return std::mem::take(&mut self.kept.overdue) > 0;
        }
        let more = if std::mem::replace(&mut self.counting, true) { seconds.min(LOOK_MAX) } else { AHEAD };
        self.kept.overdue = self.kept.overdue.saturating_add(more);
        false
    }

    fn limit(&self) -> u64 {
        self.days * 24 * 60 * 60
    }

    fn since(&self) -> u64 {
        self.last.0.saturating_sub(self.kept.at).max(self.kept.open)
    }

    fn is_past(&self) -> bool {
        self.since() >= self.limit()
    }

    /// Whether the time is past.
    pub(super) fn is_overdue(&self) -> bool {
        self.kept.overdue > 0
    }

    /// Whether less than a quarter of the time is left.
    pub(super) fn is_soon(&self) -> bool {
        self.is_overdue() || self.limit().saturating_sub(self.since()) < self.limit() / 4
    }

    /// Whether the hour is over, too.
    pub(super) fn is_due(&self) -> bool {
        self.kept.overdue >= GRACE + AHEAD
    }

    /// How many seconds are left of the time, or of the hour once the time is past.
    pub(super) fn seconds_left(&self) -> u64 {
        match self.is_overdue() {
            true => (GRACE + AHEAD).saturating_sub(self.kept.overdue),
            false => self.limit().saturating_sub(self.since()),
        }
    }

    /// After how many days the time is past.
    pub(super) fn days(&self) -> u64 {
        self.days
    }

    /// What is to be kept.
    pub(super) fn kept(&self) -> Kept {
        self.kept
    }
}

#[cfg(test)]
#[path = "count_tests.rs"]
mod tests;
