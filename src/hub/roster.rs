//! The roster: the seats of a room, the guests on them, and their names.
//!
//! Here are the seats at this node, each an `occupant`. `others` has the guests at other nodes, and `remote` brings both
//! together. `change` is what the guests and the other nodes are told.

pub(in crate::hub) mod change;
mod departing;
mod occupant;
mod others;
mod private;
mod remote;
mod reserved;
mod shared;
mod vacancy;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use self::change::{Arrival, ClaimedName, NewConnection, Outgoing, PresenceChange, Wanted};
use self::occupant::{Occupant, SeatHold};
use self::others::Others;
use super::name_index::NameIndex;
use super::private::PrivateMessages;
use super::seat_loss::SeatLoss;
use super::seat_rank::{SeatRank, victim};
use super::seats::RoomSeats;
use crate::log::Reservations;
use crate::protocol::{CircuitId, Code, Guest, GuestId, Refusal};

/// How long a stateless join holds a seat where a broken connection holds none: a guest without a connection would
/// otherwise leave after every request.
const STATELESS_GRACE_MIN: Duration = Duration::from_secs(10);

/// How long the first stateless join of a guest holds the seat: until it was held by a connection or asked for again, a seat
/// costs its circuit one request and is worth little.
const ASKED_GRACE: Duration = Duration::from_secs(30);

/// How long a stateless join holds a seat, where a broken connection holds it for `grace`.
pub(super) fn stateless_grace(grace: Duration) -> Duration {
    if grace.is_zero() { STATELESS_GRACE_MIN } else { grace }
}

/// The seats of a room.
#[derive(Debug)]
pub(super) struct Roster {
    /// By the order of arrival.
    seats: BTreeMap<u64, Occupant>,
    arrivals: HashMap<GuestId, u64>,
    names: NameIndex,
    /// The names that identities have reserved, whether their guests are here or not.
    reserved: Reservations,
    /// How many seats there are.
    seats_max: usize,
    /// How many of them hosts allow to be taken.
    limit: usize,
    /// How long a seat is held after its connection broke.
    grace: Duration,
    next: u64,
    /// The room's other doors: where a guest for whom there is no seat can go.
    doors: Arc<[String]>,
    others: Others,
    /// What the other nodes have to be told; `None` where there are none.
    outbox: Option<Vec<Outgoing>>,
    /// The guests at other nodes who had to make way for a name.
    displaced: Vec<PresenceChange>,
    /// The seats of all rooms of the address; `None` in tests of the roster alone.
    house: Option<RoomSeats>,
    /// What guests say to each other privately goes with their seats.
    private: PrivateMessages,
    /// Whether the guest who comes in now gives up a seat in another room.
    moving: bool,
}

impl Roster {
    pub(super) fn new(limit: usize, grace: Duration) -> Self {
        let (seats, arrivals, names) = (BTreeMap::new(), HashMap::new(), NameIndex::default());
        Self {
            seats,
            arrivals,
            names,
            reserved: Reservations::default(),
            seats_max: limit,
            limit,
            grace,
            next: 0,
            doors: Arc::default(),
            others: Others::default(),
            outbox: None,
            displaced: Vec::new(),
            house: None,
            private: PrivateMessages::default(),
            moving: false,
        }
    }

    /// The room's other doors, the least busy first.
    pub(super) fn set_doors(&mut self, doors: Arc<[String]>) {
        self.doors = doors;
    }

    /// Allows so many seats to be taken; 0 for all. Who has one beyond that keeps it.
    pub(super) fn set_cap(&mut self, cap: u64) {
        let cap = usize::try_from(cap).ok().filter(|cap| *cap > 0);
        self.limit = cap.map_or(self.seats_max, |cap| cap.min(self.seats_max));
    }

    /// The number of guests.
    pub(super) fn count(&self) -> usize {
        self.seats.len() + self.others.count()
    }

    /// All guests, in the order of arrival.
    pub(super) fn guests(&self) -> Vec<Guest> {
        let local = self.seats.iter().map(|(arrival, occupant)| (*arrival, &occupant.guest));
        if self.others.count() == 0 {
            return local.map(|(_, guest)| guest.clone()).collect();
        }
        let others = self.others.shown().map(|(arrival, remote)| (arrival, &remote.seated.guest));
        let mut guests: Vec<_> = local.chain(others).collect();
        // Two runs that are in order, which takes time in proportion to their length.
        guests.sort_by_key(|(arrival, _)| *arrival);
        guests.into_iter().map(|(_, guest)| guest.clone()).collect()
    }

    /// Gives the guest a seat, or the one they have, for a connection that takes over from any other.
    pub(super) fn join(
        &mut self,
        id: GuestId,
        wanted: impl Into<Wanted>,
        circuit: CircuitId,
    ) -> Result<(Arrival, NewConnection), Refusal> {
        self.next += 1;
        let loss = SeatLoss::default();
        let connection = NewConnection { number: self.next, loss: loss.clone() };
        let arrival = self.arrive(id, wanted.into(), circuit, SeatHold::Connection(self.next, loss))?;
        Ok((arrival, connection))
    }

    /// The same for a single request, which leaves a connection alone.
    pub(super) fn join_stateless(
        &mut self,
        id: GuestId,
        wanted: impl Into<Wanted>,
        circuit: CircuitId,
        now: Instant,
    ) -> Result<Arrival, Refusal> {
        let grace = stateless_grace(self.grace);
        let grace = match self.occupant(id) {
            Some(occupant) => {
                // Held for as long by further requests is as good as by a connection.
                occupant.rank.held |= occupant.asked_until.is_some_and(|until| now >= until);
                grace
            }
            None => grace.min(ASKED_GRACE),
        };
        self.arrive(id, wanted.into(), circuit, SeatHold::Stateless(now + grace))
    }

    fn arrive(
        &mut self,
        id: GuestId,
        wanted: Wanted,
        circuit: CircuitId,
        hold: SeatHold,
    ) -> Result<Arrival, Refusal> {
        if !self.has(id) {
            return self.allocate(id, wanted, circuit, hold);
        }
        let wanted = wanted.name;
        if let Some(ClaimedName { name, claim }) = &wanted
            && !self.make_way(id, name, claim.unwrap_or(0))
        {
            return Err(taken());
        }
        let mut changes = Vec::new();
        let Some(occupant) = self.occupant(id) else { return Err(self.full()) };
        let before = std::mem::replace(&mut occupant.circuit, circuit);
        occupant.rank.held |= matches!(hold, SeatHold::Connection(..));
        let away = occupant.guest.away;
        self.move_in_house(before, circuit);
        let Some(occupant) = self.occupant(id) else { return Err(self.full()) };
        if away {
            occupant.guest.away = false;
            changes.push(PresenceChange::Back(occupant.guest.clone()));
            self.tell_presence(id);
        }
        let Some(occupant) = self.occupant(id) else { return Err(self.full()) };
        match (&mut occupant.hold, hold) {
            (SeatHold::Connection(..), SeatHold::Stateless(_)) => {}
            (held, hold) => {
                if let SeatHold::Connection(_, loss) = std::mem::replace(held, hold) {
                    loss.take_over();
                }
            }
        }
        // After `Back`: the last change about a guest must be the present state.
        changes.extend(wanted.map(|name| self.rename(id, name)).transpose()?.flatten());
        let Some(occupant) = self.occupant(id) else { return Err(self.full()) };
        Ok(Arrival { guest: occupant.guest.clone(), changes })
    }

    /// Gives a guest without a seat one; a wanted name is available.
    fn allocate(
        &mut self,
        id: GuestId,
        wanted: Wanted,
        circuit: CircuitId,
        hold: SeatHold,
    ) -> Result<Arrival, Refusal> {
        let Wanted { name: wanted, language } = wanted;
        let number = wanted.as_ref().and_then(|wanted| wanted.claim).unwrap_or(0);
        if self.is_superseded(id, number) {
            return Err(moved());
        }
        if wanted.as_ref().is_some_and(|wanted| !self.make_way(id, &wanted.name, number)) {
            return Err(taken());
        }
        let mut changes = Vec::new();
        if !self.has_room_for(circuit) {
            changes.push(PresenceChange::Left(self.evict_for(circuit).ok_or_else(|| self.full())?));
        } else {
            changes.extend(self.take_in_house(circuit)?);
        }
        let wanted =
            wanted.or_else(|| Some(ClaimedName { name: self.suggest(id, true, language)?, claim: None }));
        let ClaimedName { name, claim } = wanted.ok_or_else(|| self.full())?;
        let known = self.take_over(id);
        self.names.insert(&name, id);
        let kept = self.reserved.keeps(id, &name);
        let guest = Guest { id, name, away: false, kept };
        let arrival = known.as_ref().map_or_else(|| self.next_arrival(), |(arrival, _)| *arrival);
        self.arrivals.insert(id, arrival);
        let rank = SeatRank { held: matches!(hold, SeatHold::Connection(..)), spoken: false };
        let (asked_until, claim) = (hold.until(), claim.into());
        let mailbox = self.private.open(id);
        let occupant = Occupant { guest: guest.clone(), hold, circuit, rank, asked_until, claim, mailbox };
        self.seats.insert(arrival, occupant);
        if let Some(house) = &self.house {
            house.take(circuit);
        }
        match known {
            Some((_, was)) => changes.extend(PresenceChange::between(&was, &guest)),
            None => changes.push(PresenceChange::Joined(guest.clone())),
        }
        self.tell_presence(id);
        Ok(Arrival { guest, changes })
    }

    /// Whether a seat is free for a newcomer on this circuit. One beyond the limit is reserved for the host, whom
    /// strangers must not keep out.
    fn has_room_for(&self, circuit: CircuitId) -> bool {
        let host = circuit == CircuitId::LOOPBACK && self.held_by(circuit) == 0;
        self.seats.len() < self.limit + usize::from(host)
    }

    fn held_by(&self, circuit: CircuitId) -> usize {
        self.guests_on(circuit).len()
    }

    /// Frees a seat for a newcomer on this circuit, if another circuit holds more than its share.
    fn evict_for(&mut self, circuit: CircuitId) -> Option<Guest> {
        let seats = self.seats.values().map(|occupant| {
            let present = !matches!(occupant.hold, SeatHold::Grace(_));
            (occupant.guest.id, occupant.circuit, occupant.rank, present)
        });
        let victim = victim(seats, circuit)?;
        let doors = Arc::clone(&self.doors);
        if let Some(Occupant { hold: SeatHold::Connection(_, loss), .. }) = self.occupant(victim) {
            loss.evict(&doors);
        }
        self.remove(victim)
    }

    /// Notes that the guest has published a message.
    pub(super) fn note_spoken(&mut self, id: GuestId) {
        if let Some(occupant) = self.occupant(id) {
            occupant.rank.spoken = true;
        }
    }

    /// Changes a name; `None` if nothing changed.
    pub(super) fn rename(
        &mut self,
        id: GuestId,
        ClaimedName { name, claim }: ClaimedName,
    ) -> Result<Option<PresenceChange>, Refusal> {
        if !self.make_way(id, &name, claim.unwrap_or(0)) {
            return Err(taken());
        }
        let kept = self.reserved.keeps(id, &name);
        let Some(occupant) = self.occupant(id) else { return Ok(None) };
        if occupant.guest.name == name {
            return Ok(None);
        }
        occupant.guest.kept = kept;
        let was = std::mem::replace(&mut occupant.guest.name, name.clone());
        let had = std::mem::replace(&mut occupant.claim, claim.into());
        let guest = occupant.guest.clone();
        self.names.remove(&was);
        self.names.insert(&name, id);
        self.tell_presence(id);
        if had.held {
            self.tell(Outgoing::Release(id, was.clone(), had.number));
        }
        Ok(Some(PresenceChange::Renamed { guest, was }))
    }

    /// The guest and the circuit they are on, if this connection holds the seat, or for a request without a connection
    /// if there is a seat.
    pub(super) fn guest(&self, id: GuestId, connection: Option<u64>) -> Option<(&Guest, CircuitId)> {
        let occupant = self.seats.get(self.arrivals.get(&id)?)?;
        occupant.hold.is_by(connection).then_some((&occupant.guest, occupant.circuit))
    }

    /// Whether the guest has a seat.
    pub(super) fn has(&self, id: GuestId) -> bool {
        self.arrivals.contains_key(&id)
    }

    fn is_held(&self, id: GuestId, connection: Option<u64>) -> bool {
        self.guest(id, connection).is_some()
    }

    /// The refusal where no seat is free, or no name.
    pub(super) fn full(&self) -> Refusal {
        let sentence = "Every seat in this room is taken. Come back a little later.";
        Refusal { doors: Arc::clone(&self.doors), ..Refusal::new(Code::RoomFull, sentence) }
    }

    fn remove(&mut self, id: GuestId) -> Option<Guest> {
        let mut occupant = self.seats.remove(&self.arrivals.remove(&id)?)?;
        self.free_in_house(occupant.circuit);
        self.names.remove(&occupant.guest.name);
        occupant.guest.away = false;
        if let SeatHold::Connection(_, loss) = occupant.hold {
            loss.take_over();
        }
        self.tell_left(&occupant.guest, occupant.claim);
        Some(occupant.guest)
    }

    fn occupant(&mut self, id: GuestId) -> Option<&mut Occupant> {
        self.seats.get_mut(self.arrivals.get(&id)?)
    }
}

fn moved() -> Refusal {
    Refusal::new(Code::TakenOver, "This guest came in by another door meanwhile.")
}

/// The refusal for a name that another guest has.
pub(super) fn taken() -> Refusal {
    Refusal::new(
        Code::NameTaken,
        "Somebody here is called that, or something that looks the same. Choose another name.",
    )
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
