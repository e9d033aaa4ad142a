//! Which notes that a guest is writing are told: few, because each is a cell on each circuit.

use std::time::Duration;

use tokio::time::Instant;

use crate::protocol::GuestId;
use crate::rate_limit::{KeyedBuckets, RateLimit};

/// The notes that are told: one of a guest in three seconds, and four in the room in one.
#[derive(Debug)]
pub(super) struct TypingLimits(KeyedBuckets<GuestId>);

impl Default for TypingLimits {
    fn default() -> Self {
        let each = RateLimit::new(1, Duration::from_secs(3), 1);
        Self(KeyedBuckets::new(each, RateLimit::per_second(4, 1)))
    }
}

impl TypingLimits {
    /// Whether the others are told now that a guest is writing.
    pub(super) fn admit(&mut self, guest: GuestId, now: Instant) -> bool {
        self.0.try_take(Some(guest), now).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_told_of_once_in_three_seconds_and_the_room_four_times_in_one() {
        let (mut limits, start) = (TypingLimits::default(), Instant::now());
        let mut told = |guest, millis| limits.admit(GuestId(guest), start + Duration::from_millis(millis));
        assert!(told(1, 0));
        assert!(!told(2, 249), "another one has just been told of");
        assert!(told(2, 250));
        assert!(!told(1, 2999));
        assert!(told(1, 3000));
        assert!(limits.0.is_full(start + Duration::from_secs(7)));
    }

    #[test]
    fn three_hundred_who_write_at_once_are_told_of_four_times_in_a_second() {
        let (mut limits, start) = (TypingLimits::default(), Instant::now());
        let notes = (0..10_000u64).filter(|millis| {
            let now = start + Duration::from_millis(*millis);
            (0..300).any(|guest| limits.admit(GuestId(guest), now))
        });
        assert_eq!(notes.count(), 40);
    }
}
