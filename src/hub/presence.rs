//! Who is here, as far as it is told: everybody by name while they are few, their number in a crowd.
//!
//! To tell everyone of everyone costs the square of how many they are. So above [`CROWD_ABOVE`] guests nobody is
//! told of single guests any more; how many there are is told at most once in a while. Single guests are told of
//! again when there are no more than [`CROWD_UNTIL`], a good deal fewer, so that a room at the border does not
//! change back and forth.

use std::sync::Arc;
use std::time::Duration;

use super::roster::{News, Roster};
use crate::protocol::event::Event;
use crate::protocol::{CROWD_ABOVE, CROWD_UNTIL, Guest};

/// When a room is a crowd, and how often its number is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// More guests than this are a crowd.
    pub(super) above: usize,
    /// So many are none any more; fewer than `above`.
    pub(super) until: usize,
    /// The number is told no more often than this.
    pub(super) every: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { above: CROWD_ABOVE, until: CROWD_UNTIL, every: Duration::from_secs(1) }
    }
}

/// What guests know of each other.
#[derive(Debug)]
pub(super) struct Presence {
    bounds: Bounds,
    /// How many the crowd was with the last news; `None` while the room is no crowd.
    crowd: Option<usize>,
    /// Whether that changed since it was told. That it is again what was told last does not make it undone: those
    /// who came in meanwhile know the other number.
    due: bool,
    /// Everybody, until there is news: most requests find the room as the one before left it.
    listed: Option<Arc<[Guest]>>,
}

/// Who is here, as it is told in one event.
#[derive(Debug)]
pub(super) enum Here {
    /// Everybody, in the order of arrival.
    Listed(Arc<[Guest]>),
    /// A crowd, and its number.
    Crowd(usize),
}

/// What everyone is to be told after something changed.
#[derive(Debug)]
pub(super) enum Told {
    /// The news, one by one.
    News,
    /// Who is here as a whole, in place of the news: the room became a crowd, or is none any more.
    Here(Here),
    /// Nothing now: the number is told with the next tick.
    Later,
}

impl Presence {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, crowd: None, due: false, listed: None }
    }

    /// Takes note of news, which the roster has already.
    pub(super) fn note(&mut self, news: &[News], roster: &Roster) -> Told {
        if news.is_empty() {
            return Told::Later;
        }
        self.listed = None;
        let count = roster.count();
        let before = self.crowd;
        let most = if before.is_some() { self.bounds.until } else { self.bounds.above };
        self.crowd = (count > most).then_some(count);
        match (before, self.crowd) {
            (None, None) => Told::News,
            (Some(before), Some(now)) => {
                self.due |= before != now;
                Told::Later
            }
            (None, Some(_)) | (Some(_), None) => Told::Here(self.tell(roster)),
        }
    }

    /// Whether the room is a crowd whose number is to be told again.
    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    /// Who is here, to be told to everyone now.
    pub(super) fn tell(&mut self, roster: &Roster) -> Here {
        self.due = false;
        self.here(roster)
    }

    /// Who is here, for somebody who missed what was told.
    pub(super) fn here(&mut self, roster: &Roster) -> Here {
        match self.crowd {
            None => Here::Listed(self.everybody(roster)),
            Some(count) => Here::Crowd(count),
        }
    }

    /// Who is here, for the welcome of `guest`: in a crowd they alone.
    pub(super) fn around(&mut self, guest: &Guest, roster: &Roster) -> Arc<[Guest]> {
        match self.crowd {
            None => self.everybody(roster),
            Some(_) => Arc::from([guest.clone()]),
        }
    }

    /// Everybody, also in a crowd: for whoever asks.
    pub(super) fn everybody(&mut self, roster: &Roster) -> Arc<[Guest]> {
        Arc::clone(self.listed.get_or_insert_with(|| roster.guests().into()))
    }
}

impl Here {
    pub(super) fn event(&self) -> Event<'_> {
        match self {
            Self::Listed(guests) => Event::Roster { guests },
            Self::Crowd(count) => Event::Crowd { count: *count },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::pace::Pace;
    use crate::protocol::GuestId;

    #[test]
    fn a_room_at_the_border_does_not_change_back_and_forth() {
        let (mut presence, mut roster) =
            (Presence::new(Bounds::default()), Roster::new(1000, Duration::ZERO, Pace::new(0)));
        let mut told = Vec::new();
        let mut note = |count: usize, news: &[News], roster: &Roster| {
            let now = match presence.note(news, roster) {
                Told::News => "each",
                Told::Here(Here::Listed(guests)) if guests.len() == count => "all",
                Told::Here(Here::Crowd(number)) if number == count => "number",
                Told::Later => "later",
                wrong => panic!("{wrong:?}"),
            };
            if told.last().is_none_or(|(_, last)| *last != now) {
                told.push((count, now));
            }
        };
        for id in 1..=120 {
            let (arrival, _) = roster.enter(GuestId(id), None).unwrap();
            note(id as usize, &arrival.news, &roster);
        }
        for id in 1..=60 {
            let news = roster.leave(GuestId(id), None);
            note(120 - id as usize, news.as_slice(), &roster);
        }
        let expected = [(1, "each"), (101, "number"), (102, "later"), (80, "all"), (79, "each")];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_number_is_due_once() {
        let bounds = Bounds { above: 1, until: 1, ..Bounds::default() };
        let (mut presence, mut roster) =
            (Presence::new(bounds), Roster::new(9, Duration::ZERO, Pace::new(0)));
        for (id, due) in [(1, false), (2, false), (3, true)] {
            let (arrival, _) = roster.enter(GuestId(id), None).unwrap();
            presence.note(&arrival.news, &roster);
            assert_eq!(presence.is_due(), due, "{id}");
        }
        assert!(matches!(presence.tell(&roster), Here::Crowd(3)));
        assert!(!presence.is_due());
        let (arrival, _) = roster.enter(GuestId(4), None).unwrap();
        presence.note(&arrival.news, &roster);
        presence.note(roster.leave(GuestId(4), None).as_slice(), &roster);
        assert!(presence.is_due(), "whoever came in between knows of four");
    }
}
