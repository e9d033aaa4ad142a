//! Which notes that a guest is writing are told: few, because each is a cell on each circuit.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::protocol::GuestId;

/// The shortest time between two notes about a guest.
const GUEST_EVERY: Duration = Duration::from_secs(3);

/// The shortest time between two notes in the room.
const ROOM_EVERY: Duration = Duration::from_millis(250);

/// When guests were told of lately.
#[derive(Debug, Default)]
pub(super) struct TypingLimits {
    told: HashMap<GuestId, Instant>,
    newest: Option<Instant>,
}

impl TypingLimits {
    /// Whether the others are told now that a guest is writing.
    pub(super) fn admit(&mut self, guest: GuestId, now: Instant) -> bool {
        let due = |last: Option<&Instant>, every| last.is_none_or(|last| now >= *last + every);
        let admitted = due(self.told.get(&guest), GUEST_EVERY) && due(self.newest.as_ref(), ROOM_EVERY);
        if admitted {
            self.newest = Some(now);
            self.told.insert(guest, now);
        }
        admitted
    }

    /// Forgets what does not count any more. To be called about once a second.
    pub(super) fn prune(&mut self, now: Instant) {
        self.told.retain(|_, last| now < *last + GUEST_EVERY);
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
        limits.prune(start + Duration::from_secs(7));
        assert!(limits.told.is_empty());
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
