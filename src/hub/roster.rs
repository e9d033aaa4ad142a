//! Who is here, and under which names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::pace::{Budget, Pace};
use super::suggest;
use crate::protocol::event::Event;
use crate::protocol::{Code, Guest, GuestId, Name, Refusal};

/// How long a visit keeps a seat where a broken connection keeps none: who has no connection would otherwise
/// leave after every request.
const VISIT_AT_LEAST: Duration = Duration::from_secs(10);

/// How long a visit keeps a seat, where a broken connection keeps it for `grace`.
pub(super) fn visit_grace(grace: Duration) -> Duration {
    if grace.is_zero() { VISIT_AT_LEAST } else { grace }
}

/// The seats of a room.
#[derive(Debug)]
pub(super) struct Roster {
    /// By the order of arrival, so that everyone is told the same order.
    seats: BTreeMap<u64, Sitting>,
    arrivals: HashMap<GuestId, u64>,
    /// Those who are away, in the order in which their time is over.
    away: BTreeSet<(Instant, GuestId)>,
    names: Names,
    limit: usize,
    /// How long a seat is kept without a connection.
    grace: Duration,
    pace: Pace,
    next: u64,
}

#[derive(Debug)]
struct Sitting {
    guest: Guest,
    hold: Hold,
    /// The guest's and not a connection's: coming back does not fill it.
    budget: Budget,
}

/// What keeps a seat.
#[derive(Debug)]
enum Hold {
    /// A connection, with its number; the token is told when another one takes over.
    Connection(u64, CancellationToken),
    /// Requests that come every now and then, until this time without one.
    Visits(Instant),
    /// Nothing but patience, until this time.
    Grace(Instant),
}

/// How somebody came in.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) guest: Guest,
    /// What the others have to be told.
    pub(super) news: Vec<News>,
}

/// A connection of somebody who came in.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) connection: u64,
    pub(super) replaced: CancellationToken,
}

/// What has to be told about a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    Joined(Guest),
    Left(Guest),
    Away(Guest),
    Back(Guest),
    Renamed { guest: Guest, was: Name },
}

impl News {
    /// The news as an event at this time of the room's clock.
    pub(super) fn event(&self, at: u64) -> Event<'_> {
        match self {
            News::Joined(guest) => Event::Joined { guest, at },
            News::Left(guest) => Event::Left { guest, at },
            News::Away(guest) => Event::Away { guest, at },
            News::Back(guest) => Event::Back { guest, at },
            News::Renamed { guest, was } => Event::Renamed { guest, was, at },
        }
    }
}

impl Roster {
    pub(super) fn new(limit: usize, grace: Duration, pace: Pace) -> Self {
        let (seats, arrivals) = (BTreeMap::new(), HashMap::new());
        let (away, names) = (BTreeSet::new(), Names::default());
        Self { seats, arrivals, away, names, limit, grace, pace, next: 0 }
    }

    /// How many are here.
    pub(super) fn count(&self) -> usize {
        self.seats.len()
    }

    pub(super) fn guests(&self) -> Vec<Guest> {
        self.seats.values().map(|sitting| sitting.guest.clone()).collect()
    }

    /// Gives the guest a seat, or the seat they already have, for a connection that takes over from any other.
    pub(super) fn enter(
        &mut self,
        id: GuestId,
        wanted: Option<Name>,
    ) -> Result<(Arrival, Attached), Refusal> {
        self.next += 1;
        let replaced = CancellationToken::new();
        let attached = Attached { connection: self.next, replaced: replaced.clone() };
        let arrival = self.arrive(id, wanted, Hold::Connection(self.next, replaced))?;
        Ok((arrival, attached))
    }

    /// The same for a single request, which leaves a connection alone.
    pub(super) fn visit(
        &mut self,
        id: GuestId,
        wanted: Option<Name>,
        now: Instant,
    ) -> Result<Arrival, Refusal> {
        self.arrive(id, wanted, Hold::Visits(now + visit_grace(self.grace)))
    }

    fn arrive(&mut self, id: GuestId, wanted: Option<Name>, hold: Hold) -> Result<Arrival, Refusal> {
        if !self.arrivals.contains_key(&id) {
            return self.sit_down(id, wanted, hold);
        }
        if wanted.as_ref().is_some_and(|name| !self.names.free(name, id)) {
            return Err(taken());
        }
        let mut news = Vec::new();
        let sitting = self.sitting(id).ok_or_else(full)?;
        let away_until = sitting.hold.away_until();
        if sitting.guest.away {
            sitting.guest.away = false;
            news.push(News::Back(sitting.guest.clone()));
        }
        match (&mut sitting.hold, hold) {
            (Hold::Connection(..), Hold::Visits(_)) => {}
            (held, hold) => {
                if let Hold::Connection(_, replaced) = std::mem::replace(held, hold) {
                    replaced.cancel();
                }
            }
        }
        if let Some(until) = away_until {
            self.away.remove(&(until, id));
        }
        // After they are back: what is told last about a guest is what is true.
        news.extend(wanted.map(|name| self.rename(id, name)).transpose()?.flatten());
        let guest = self.sitting(id).ok_or_else(full)?.guest.clone();
        Ok(Arrival { guest, news })
    }

    fn sit_down(&mut self, id: GuestId, wanted: Option<Name>, hold: Hold) -> Result<Arrival, Refusal> {
        if wanted.as_ref().is_some_and(|name| !self.names.free(name, id)) {
            return Err(taken());
        }
        let mut news = Vec::new();
        if self.seats.len() >= self.limit {
            news.push(News::Left(self.make_room().ok_or_else(full)?));
        }
        let name = match wanted {
            Some(name) => name,
            None => suggest::name(self.seats.len(), |name| self.names.free(name, id)).ok_or_else(full)?,
        };
        self.names.take(&name, id);
        self.next += 1;
        let guest = Guest { id, name, away: false };
        self.arrivals.insert(id, self.next);
        self.seats.insert(self.next, Sitting { guest: guest.clone(), hold, budget: Budget::default() });
        news.push(News::Joined(guest.clone()));
        Ok(Arrival { guest, news })
    }

    /// Frees the seat of whoever has been away longest.
    fn make_room(&mut self) -> Option<Guest> {
        let (_, longest) = *self.away.first()?;
        self.remove(longest)
    }

    /// Changes a name; `None` if nothing changed.
    pub(super) fn rename(&mut self, id: GuestId, name: Name) -> Result<Option<News>, Refusal> {
        if !self.names.free(&name, id) {
            return Err(taken());
        }
        let Some(sitting) = self.sitting(id) else { return Ok(None) };
        if sitting.guest.name == name {
            return Ok(None);
        }
        let was = std::mem::replace(&mut sitting.guest.name, name.clone());
        let guest = sitting.guest.clone();
        self.names.give_back(&was);
        self.names.take(&name, id);
        Ok(Some(News::Renamed { guest, was }))
    }

    /// The guest said goodbye, on this connection or in a single request.
    pub(super) fn leave(&mut self, id: GuestId, connection: Option<u64>) -> Option<News> {
        self.belongs(id, connection).then(|| self.remove(id)).flatten().map(News::Left)
    }

    /// The connection is gone without a goodbye.
    pub(super) fn drop_connection(&mut self, id: GuestId, connection: u64, now: Instant) -> Option<News> {
        if !self.belongs(id, Some(connection)) {
            return None;
        }
        if self.grace.is_zero() {
            return self.remove(id).map(News::Left);
        }
        let until = now + self.grace;
        let sitting = self.sitting(id)?;
        sitting.hold = Hold::Grace(until);
        sitting.guest.away = true;
        let news = News::Away(sitting.guest.clone());
        self.away.insert((until, id));
        Some(news)
    }

    /// Frees the seats whose time is over.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<News> {
        let over = |sitting: &&Sitting| sitting.hold.until().is_some_and(|until| until <= now);
        let over: Vec<GuestId> = self.seats.values().filter(over).map(|sitting| sitting.guest.id).collect();
        over.into_iter().filter_map(|id| self.remove(id)).map(News::Left).collect()
    }

    /// The guest, if this connection, or whoever has their token, may speak for them.
    pub(super) fn guest(&self, id: GuestId, connection: Option<u64>) -> Option<&Guest> {
        let sitting = self.seats.get(self.arrivals.get(&id)?)?;
        self.belongs(id, connection).then_some(&sitting.guest)
    }

    /// The same for saying something, which is taken out of the guest's budget; the error is how long it is until
    /// there is enough in it.
    pub(super) fn charge(
        &mut self,
        id: GuestId,
        connection: Option<u64>,
        now: Instant,
    ) -> Option<Result<&Guest, Duration>> {
        if !self.belongs(id, connection) {
            return None;
        }
        let pace = self.pace;
        let sitting = self.sitting(id)?;
        Some(sitting.budget.charge(pace, now).map(|()| &sitting.guest))
    }

    /// Takes as much for a change of name, if that is what it would be.
    pub(super) fn charge_rename(&mut self, id: GuestId, name: &Name, now: Instant) -> Result<(), Duration> {
        let (pace, free) = (self.pace, self.names.free(name, id));
        match self.sitting(id) {
            Some(sitting) if free && sitting.guest.name != *name => sitting.budget.charge(pace, now),
            _ => Ok(()),
        }
    }

    fn belongs(&self, id: GuestId, connection: Option<u64>) -> bool {
        let sitting = self.arrivals.get(&id).and_then(|arrival| self.seats.get(arrival));
        match (connection, sitting.map(|sitting| &sitting.hold)) {
            (Some(connection), Some(Hold::Connection(holder, _))) => connection == *holder,
            (None, Some(_)) => true,
            _ => false,
        }
    }

    fn remove(&mut self, id: GuestId) -> Option<Guest> {
        let mut sitting = self.seats.remove(&self.arrivals.remove(&id)?)?;
        self.names.give_back(&sitting.guest.name);
        sitting.guest.away = false;
        if let Some(until) = sitting.hold.away_until() {
            self.away.remove(&(until, id));
        }
        if let Hold::Connection(_, replaced) = sitting.hold {
            replaced.cancel();
        }
        Some(sitting.guest)
    }

    fn sitting(&mut self, id: GuestId) -> Option<&mut Sitting> {
        self.seats.get_mut(self.arrivals.get(&id)?)
    }
}

impl Hold {
    fn until(&self) -> Option<Instant> {
        match self {
            Hold::Connection(..) => None,
            Hold::Visits(until) | Hold::Grace(until) => Some(*until),
        }
    }

    fn away_until(&self) -> Option<Instant> {
        match self {
            Hold::Grace(until) => Some(*until),
            Hold::Connection(..) | Hold::Visits(_) => None,
        }
    }
}

/// Which names are taken, by both ways a name can look like another.
#[derive(Debug, Default)]
struct Names(HashMap<String, GuestId>);

impl Names {
    fn free(&self, name: &Name, id: GuestId) -> bool {
        name.looks().keys().iter().all(|key| self.0.get(key).is_none_or(|holder| *holder == id))
    }

    fn take(&mut self, name: &Name, id: GuestId) {
        self.0.extend(name.looks().keys().map(|key| (key, id)));
    }

    fn give_back(&mut self, name: &Name) {
        for key in name.looks().keys() {
            self.0.remove(&key);
        }
    }
}

fn full() -> Refusal {
    Refusal::new(Code::RoomFull, "Every seat in this room is taken. Come back a little later.")
}

fn taken() -> Refusal {
    Refusal::new(
        Code::NameTaken,
        "Somebody here is called that, or something that looks the same. Choose another name.",
    )
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
