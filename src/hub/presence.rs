//! What guests are told of each other: each change while they are few, only the occupancy when they are many.
//!
//! To tell every guest of every change costs the square of their number. So with more than [`OCCUPANCY_ABOVE`] guests
//! only the occupancy, the number of guests, is announced, at most once a second. Changes are announced again when
//! there are no more than [`OCCUPANCY_UNTIL`] guests: fewer, so that a room at the threshold does not switch back and
//! forth.
//!
//! Few guests can join and leave often, too. Beyond a rate changes are not announced one by one, but with a snapshot of
//! the roster, at most once a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::roster::Roster;
use super::roster::change::PresenceChange;
use crate::protocol::event::Event;
use crate::protocol::{Guest, OCCUPANCY_ABOVE, OCCUPANCY_UNTIL};
use crate::rate_limit::{RateLimit, TokenBucket};

/// When only the occupancy is announced, and how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct OccupancyBounds {
    /// With more guests than this only the occupancy is announced.
    pub(super) above: usize,
    /// With no more guests than this changes are announced again; at most `above`.
    pub(super) until: usize,
    /// The shortest time between two announcements of the occupancy.
    pub(super) every: Duration,
    /// How many changes are announced one by one.
    pub(super) changes: RateLimit,
}

impl Default for OccupancyBounds {
    fn default() -> Self {
        Self {
            above: OCCUPANCY_ABOVE,
            until: OCCUPANCY_UNTIL,
            every: Duration::from_secs(1),
            changes: RateLimit::per_second(10, 60),
        }
    }
}

/// What the guests of a room have been told of each other.
#[derive(Debug)]
pub(super) struct Presence {
    bounds: OccupancyBounds,
    /// The number of guests; `None` while changes are announced one by one.
    occupancy: Option<usize>,
    /// Whether a snapshot is due. It stays due when the occupancy changes back: guests who joined meanwhile were told
    /// the other number in their welcome.
    due: bool,
    changes: TokenBucket,
    /// All guests, cached until the next change.
    listed: Option<Arc<[Guest]>>,
}

/// The presence of all guests in one event.
#[derive(Debug)]
pub(super) enum RosterSnapshot {
    /// All guests, in the order of arrival.
    Listed(Arc<[Guest]>),
    /// Only their number.
    Occupancy(usize),
}

/// What all guests are to be told after changes.
#[derive(Debug)]
pub(super) enum Announcement {
    /// The changes, one by one.
    Changes,
    /// A snapshot in place of the changes: a threshold was crossed.
    Snapshot(RosterSnapshot),
    /// Nothing now: a snapshot is announced with the next tick.
    Deferred,
}

impl Presence {
    pub(super) fn new(bounds: OccupancyBounds) -> Self {
        Self { bounds, occupancy: None, due: false, changes: TokenBucket::default(), listed: None }
    }

    /// Notes changes that the roster has applied, and decides how to announce them.
    pub(super) fn update(
        &mut self,
        changes: &[PresenceChange],
        roster: &Roster,
        now: Instant,
    ) -> Announcement {
        if changes.is_empty() {
            return Announcement::Deferred;
        }
        self.listed = None;
        let count = roster.count();
        let before = self.occupancy;
        let most = if before.is_some() { self.bounds.until } else { self.bounds.above };
        self.occupancy = (count > most).then_some(count);
        match (before, self.occupancy) {
            // After a change that was not announced none is, until the snapshot: a guest could be unknown.
            (None, None) => {
                let count = u32::try_from(changes.len()).unwrap_or(u32::MAX);
                self.due |= self.changes.try_take(count, self.bounds.changes, now).is_err();
                if self.due { Announcement::Deferred } else { Announcement::Changes }
            }
            (Some(before), Some(now)) => {
                self.due |= before != now;
                Announcement::Deferred
            }
            (None, Some(_)) | (Some(_), None) => Announcement::Snapshot(self.announce(roster)),
        }
    }

    /// Whether only the number of guests is told.
    pub(super) fn is_crowd(&self) -> bool {
        self.occupancy.is_some()
    }

    /// Whether a snapshot is to be announced with the next tick.
    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    /// A snapshot to announce to all guests now.
    pub(super) fn announce(&mut self, roster: &Roster) -> RosterSnapshot {
        self.due = false;
        self.snapshot(roster)
    }

    /// A snapshot for a reader that missed changes.
    pub(super) fn snapshot(&mut self, roster: &Roster) -> RosterSnapshot {
        match self.occupancy {
            None => RosterSnapshot::Listed(self.all(roster)),
            Some(count) => RosterSnapshot::Occupancy(count),
        }
    }

    /// The guests in the welcome of `guest`: all, or `guest` alone where only the occupancy is announced.
    pub(super) fn visible_to(&mut self, guest: &Guest, roster: &Roster) -> Arc<[Guest]> {
        match self.occupancy {
            None => self.all(roster),
            Some(_) => Arc::from([guest.clone()]),
        }
    }

    /// Forgets the list of guests: something about them has changed that is not announced by itself.
    pub(super) fn forget_list(&mut self) {
        self.listed = None;
    }

    /// All guests, however many.
    pub(super) fn all(&mut self, roster: &Roster) -> Arc<[Guest]> {
        Arc::clone(self.listed.get_or_insert_with(|| roster.guests().into()))
    }
}

impl RosterSnapshot {
    pub(super) fn event(&self) -> Event<'_> {
        match self {
            Self::Listed(guests) => Event::Roster { guests },
            Self::Occupancy(count) => Event::Occupancy { count: *count },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{CircuitId, GuestId};

    #[test]
    fn a_room_at_the_threshold_does_not_switch_back_and_forth() {
        let quiet = OccupancyBounds { changes: RateLimit::NONE, ..OccupancyBounds::default() };
        let (mut presence, mut roster) = (Presence::new(quiet), Roster::new(1000, Duration::ZERO));
        let mut told = Vec::new();
        let now = Instant::now();
        let mut note = |count: usize, changes: &[PresenceChange], roster: &Roster| {
            let word = match presence.update(changes, roster, now) {
                Announcement::Changes => "each",
                Announcement::Snapshot(RosterSnapshot::Listed(guests)) if guests.len() == count => "all",
                Announcement::Snapshot(RosterSnapshot::Occupancy(number)) if number == count => "number",
                Announcement::Deferred => "later",
                wrong => panic!("{wrong:?}"),
            };
            if told.last().is_none_or(|(_, last)| *last != word) {
                told.push((count, word));
            }
        };
        for id in 1..=120 {
            let (arrival, _) = roster.join(GuestId(id), None, CircuitId::LOOPBACK).unwrap();
            note(id as usize, &arrival.changes, &roster);
        }
        for id in 1..=60 {
            let change = roster.leave(GuestId(id), None);
            note(120 - id as usize, change.as_slice(), &roster);
        }
        let expected = [(1, "each"), (101, "number"), (102, "later"), (80, "all"), (79, "each")];
        assert_eq!(told, expected);
    }

    #[test]
    fn the_occupancy_is_due_once() {
        let now = Instant::now();
        let bounds = OccupancyBounds { above: 1, until: 1, ..OccupancyBounds::default() };
        let (mut presence, mut roster) = (Presence::new(bounds), Roster::new(9, Duration::ZERO));
        for (id, due) in [(1, false), (2, false), (3, true)] {
            let (arrival, _) = roster.join(GuestId(id), None, CircuitId::LOOPBACK).unwrap();
            presence.update(&arrival.changes, &roster, now);
            assert_eq!(presence.is_due(), due, "{id}");
        }
        assert!(matches!(presence.announce(&roster), RosterSnapshot::Occupancy(3)));
        assert!(!presence.is_due());
        let (arrival, _) = roster.join(GuestId(4), None, CircuitId::LOOPBACK).unwrap();
        presence.update(&arrival.changes, &roster, now);
        presence.update(roster.leave(GuestId(4), None).as_slice(), &roster, now);
        assert!(presence.is_due(), "a guest who joined in between was told four");
    }

    #[test]
    fn many_changes_are_one_snapshot() {
        let bounds = OccupancyBounds { changes: RateLimit::per_second(1, 3), ..OccupancyBounds::default() };
        let (mut presence, mut roster) = (Presence::new(bounds), Roster::new(9, Duration::ZERO));
        let mut now = Instant::now();
        let join = |presence: &mut Presence, roster: &mut Roster, id, now| {
            let (arrival, _) = roster.join(GuestId(id), None, CircuitId::LOOPBACK).unwrap();
            presence.update(&arrival.changes, roster, now)
        };
        for id in 1..=3 {
            assert!(matches!(join(&mut presence, &mut roster, id, now), Announcement::Changes));
        }
        assert!(matches!(join(&mut presence, &mut roster, 4, now), Announcement::Deferred));
        now += Duration::from_secs(2);
        assert!(matches!(join(&mut presence, &mut roster, 5, now), Announcement::Deferred), "in their order");
        assert!(presence.is_due());
        assert!(matches!(presence.announce(&roster), RosterSnapshot::Listed(guests) if guests.len() == 5));
        assert!(matches!(join(&mut presence, &mut roster, 6, now), Announcement::Changes));
    }
}
