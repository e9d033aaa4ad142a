//! What must be true of a room.

use std::collections::BTreeSet;

use super::{NAMES, SEATS};
use crate::hub::presence::OccupancyBounds;
use crate::protocol::Code;

/// What must be true.
pub(super) struct Model {
    /// The author and the id of every message; the number is the place, counted from 1.
    pub(super) said: Vec<(usize, u64)>,
    /// The kept messages and their authors, oldest first.
    pub(super) kept: Vec<(u64, usize)>,
    /// How many are kept.
    pub(super) keep: usize,
    /// In the order of arrival.
    pub(super) seats: Vec<Occupant>,
    /// Counts those who went away.
    pub(super) aways: u64,
    pub(super) bounds: OccupancyBounds,
    /// Whether guests are told how many are here in place of who.
    pub(super) occupancy_only: bool,
}

pub(super) struct Occupant {
    pub(super) who: usize,
    pub(super) name: String,
    /// Since when, in the order of `aways`.
    pub(super) away: Option<u64>,
    /// Whether they have said something since they joined.
    pub(super) spoken: bool,
}

impl Model {
    pub(super) fn head(&self) -> u64 {
        self.said.len() as u64
    }

    /// Says a message. The author who keeps most loses their oldest; among equals, the one whose oldest is the oldest.
    pub(super) fn say(&mut self, who: usize, id: u64) {
        self.said.push((who, id));
        self.kept.push((self.head(), who));
        let count = |kept: &[(u64, usize)], who| kept.iter().filter(|(_, author)| *author == who).count();
        while self.kept.len() > self.keep {
            let most = (0..NAMES.len()).map(|who| count(&self.kept, who)).max().unwrap();
            let first = self.kept.iter().position(|(_, author)| count(&self.kept, *author) == most).unwrap();
            self.kept.remove(first);
        }
    }

    /// Whether this message is no longer kept. Such a message never is again.
    pub(super) fn is_gone(&self, seq: u64) -> bool {
        self.kept.binary_search_by_key(&seq, |(seq, _)| *seq).is_err()
    }

    /// The oldest kept message, or the next one to be said.
    pub(super) fn first(&self) -> u64 {
        self.kept.first().map_or(self.head() + 1, |(seq, _)| *seq)
    }

    /// The messages that are no longer kept.
    pub(super) fn gone(&self) -> BTreeSet<u64> {
        (1..=self.head()).filter(|seq| self.is_gone(*seq)).collect()
    }

    /// The number of guests changed.
    pub(super) fn recount(&mut self) {
        let OccupancyBounds { above, until, .. } = self.bounds;
        self.occupancy_only = self.seats.len() > if self.occupancy_only { until } else { above };
    }

    pub(super) fn taken(&self, name: &str, who: usize) -> bool {
        self.seats.iter().any(|occupant| occupant.name == name && occupant.who != who)
    }

    pub(super) fn occupant(&mut self, who: usize) -> Option<&mut Occupant> {
        self.seats.iter_mut().find(|occupant| occupant.who == who)
    }

    /// Whether the seat was still held; or why there is none.
    pub(super) fn join(&mut self, who: usize, name: Option<&str>) -> Result<bool, Code> {
        if name.is_some_and(|name| self.taken(name, who)) {
            return Err(Code::NameTaken);
        }
        if let Some(occupant) = self.occupant(who) {
            occupant.away = None;
            occupant.name = name.map_or_else(|| occupant.name.clone(), str::to_owned);
            return Ok(true);
        }
        if self.seats.len() == SEATS {
            // Each is alone on a circuit: only a seat that is not in use is given up, the newest first.
            let idle = |one: &Occupant| one.away.is_some() && !one.spoken;
            let place = self.seats.iter().rposition(idle).ok_or(Code::RoomFull)?;
            self.seats.remove(place);
        }
        self.seats.push(Occupant {
            who,
            name: name.unwrap_or_default().to_owned(),
            away: None,
            spoken: false,
        });
        self.recount();
        Ok(false)
    }
}
