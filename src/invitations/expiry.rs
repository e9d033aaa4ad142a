//! Until when an invitation is good.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

/// Until when an invitation is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Until it is removed.
    Never,
    /// Until this moment.
    At(SystemTime),
    /// What is written is no time: then it is not good any more.
    Unreadable,
}

impl Expiry {
    /// Whether it is over at `now`.
    pub fn is_over(self, now: SystemTime) -> bool {
        match self {
            Expiry::Never => false,
            Expiry::At(end) => now >= end,
            Expiry::Unreadable => true,
        }
    }

    /// Whether it has been over for `time`.
    pub(super) fn is_over_since(self, time: Duration, now: SystemTime) -> bool {
        matches!(self, Expiry::At(end) if now.duration_since(end).is_ok_and(|since| since >= time))
    }

    /// Reads what [`Expiry`]'s `Display` writes.
    pub(super) fn read(text: &str) -> Self {
        humantime::parse_rfc3339(text.trim()).map_or(Expiry::Unreadable, Expiry::At)
    }
}

/// The time in UTC, to the second (RFC 3339); `never` for none.
impl fmt::Display for Expiry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expiry::Never => formatter.write_str("never"),
            Expiry::At(end) => humantime::format_rfc3339_seconds(*end).fmt(formatter),
            Expiry::Unreadable => formatter.write_str("unreadable"),
        }
    }
}

/// The time for expiry: the system's clock, but never less than the time since the start has brought it to. So a clock
/// that is set back prolongs nothing while the room is open, and one that is set forward and back again does no harm.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    started: SystemTime,
    since: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub(super) fn start() -> Self {
        Self { started: SystemTime::now(), since: Instant::now() }
    }

    /// The time now.
    pub(super) fn now(self) -> SystemTime {
        self.at(SystemTime::now(), self.since.elapsed())
    }

    fn at(self, clock: SystemTime, elapsed: Duration) -> SystemTime {
        clock.max(self.started + elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_it_was_written_and_anything_else_is_over() {
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        assert_eq!(Expiry::At(end).to_string(), "2027-01-15T08:00:00Z");
        assert_eq!(Expiry::read("2027-01-15T08:00:00Z\n"), Expiry::At(end));
        assert!(!Expiry::At(end).is_over(end - Duration::from_secs(1)) && Expiry::At(end).is_over(end));
        assert!(!Expiry::Never.is_over(end));
        for damaged in ["", "never", "2027", "soon"] {
            assert!(Expiry::read(damaged).is_over(SystemTime::UNIX_EPOCH), "{damaged}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_prolongs_nothing() {
        let clock = Clock::start();
        let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(86_400));
        assert_eq!(clock.at(clock.started - day, hour), clock.started + hour);
        assert_eq!(clock.at(clock.started + day, hour), clock.started + day);
        assert_eq!(clock.at(clock.started + hour, hour), clock.started + hour);
    }
}
