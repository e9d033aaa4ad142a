//! Who is here, and under which names.

use std::collections::{BTreeMap, HashMap};

use tokio_util::sync::CancellationToken;

use super::suggest;
use crate::protocol::name::Looks;
use crate::protocol::{Code, Guest, GuestId, Name, Refusal};

/// The seats of a room.
#[derive(Debug)]
pub(super) struct Roster {
    /// By the order of arrival, so that everyone is told the same order.
    seats: BTreeMap<u64, Sitting>,
    arrivals: HashMap<GuestId, u64>,
    names: Names,
    limit: usize,
    next: u64,
}

#[derive(Debug)]
struct Sitting {
    guest: Guest,
    /// Which of the guest's connections the seat belongs to.
    connection: u64,
    /// Told when another connection takes the seat over.
    replaced: CancellationToken,
}

/// How somebody came in.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) guest: Guest,
    pub(super) connection: u64,
    pub(super) replaced: CancellationToken,
    pub(super) how: How,
}

/// What the others have to be told about an arrival.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Somebody new.
    Joined,
    /// The same guest on another connection: nothing.
    Resumed,
    /// The same guest under another name; this is the old one.
    ResumedAs(Name),
}

impl Roster {
    pub(super) fn new(limit: usize) -> Self {
        Self { seats: BTreeMap::new(), arrivals: HashMap::new(), names: Names::default(), limit, next: 0 }
    }

    pub(super) fn guests(&self) -> Vec<Guest> {
        self.seats.values().map(|sitting| sitting.guest.clone()).collect()
    }

    /// Gives the guest a seat, or the seat they already have.
    pub(super) fn enter(&mut self, id: GuestId, wanted: Option<Name>) -> Result<Arrival, Refusal> {
        self.next += 1;
        let connection = self.next;
        if self.arrivals.contains_key(&id) {
            let was = wanted.map(|name| self.rename(id, name)).transpose()?.flatten();
            let sitting = self.sitting(id).ok_or_else(full)?;
            sitting.replaced.cancel();
            sitting.replaced = CancellationToken::new();
            sitting.connection = connection;
            let (guest, replaced) = (sitting.guest.clone(), sitting.replaced.clone());
            let how = was.map_or(How::Resumed, How::ResumedAs);
            return Ok(Arrival { guest, connection, replaced, how });
        }
        if self.seats.len() >= self.limit {
            return Err(full());
        }
        let name = match wanted {
            Some(name) if self.names.free(&name, id) => name,
            Some(_) => return Err(taken()),
            None => suggest::name(|name| self.names.free(name, id)).ok_or_else(full)?,
        };
        self.names.take(&name, id);
        let guest = Guest { id, name };
        let replaced = CancellationToken::new();
        self.arrivals.insert(id, connection);
        self.seats
            .insert(connection, Sitting { guest: guest.clone(), connection, replaced: replaced.clone() });
        Ok(Arrival { guest, connection, replaced, how: How::Joined })
    }

    /// Changes a name; answers with the old one, or `None` if nothing changed.
    pub(super) fn rename(&mut self, id: GuestId, name: Name) -> Result<Option<Name>, Refusal> {
        if !self.names.free(&name, id) {
            return Err(taken());
        }
        let Some(sitting) = self.sitting(id) else { return Ok(None) };
        if sitting.guest.name == name {
            return Ok(None);
        }
        let was = std::mem::replace(&mut sitting.guest.name, name.clone());
        self.names.give_back(&was);
        self.names.take(&name, id);
        Ok(Some(was))
    }

    /// Frees the seat if it still belongs to this connection.
    pub(super) fn leave(&mut self, id: GuestId, connection: u64) -> Option<Guest> {
        if self.sitting(id)?.connection != connection {
            return None;
        }
        let sitting = self.seats.remove(&self.arrivals.remove(&id)?)?;
        self.names.give_back(&sitting.guest.name);
        Some(sitting.guest)
    }

    /// The guest, if the seat still belongs to this connection.
    pub(super) fn guest(&mut self, id: GuestId, connection: u64) -> Option<&Guest> {
        let sitting = self.sitting(id)?;
        (sitting.connection == connection).then_some(&sitting.guest)
    }

    fn sitting(&mut self, id: GuestId) -> Option<&mut Sitting> {
        self.seats.get_mut(self.arrivals.get(&id)?)
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
        let looks: Looks = name.looks();
        for key in looks.keys() {
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
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn a_name_is_free_again_when_its_guest_has_left_or_renamed() {
        let mut roster = Roster::new(9);
        let bob = roster.enter(GuestId(1), Some(name("Bob"))).unwrap();
        assert_eq!(roster.enter(GuestId(2), Some(name("bоb"))).unwrap_err().code, Code::NameTaken);
        roster.rename(GuestId(1), name("BOB")).unwrap();
        roster.rename(GuestId(1), name("Rob")).unwrap();
        roster.enter(GuestId(2), Some(name("bоb"))).unwrap();
        assert_eq!(roster.rename(GuestId(2), name("rob")).unwrap_err().code, Code::NameTaken);
        roster.leave(GuestId(1), bob.connection).unwrap();
        roster.rename(GuestId(2), name("rob")).unwrap();
    }

    #[test]
    fn a_ghost_is_taken_over_and_its_end_changes_nothing() {
        let mut roster = Roster::new(1);
        let ghost = roster.enter(GuestId(1), Some(name("Ann"))).unwrap();
        let back = roster.enter(GuestId(1), None).unwrap();
        assert_eq!(back.how, How::Resumed);
        assert_eq!(back.guest.name, name("Ann"));
        assert!(ghost.replaced.is_cancelled() && !back.replaced.is_cancelled());
        assert_eq!(roster.leave(GuestId(1), ghost.connection), None);
        assert_eq!(roster.guests().len(), 1);
        assert!(roster.leave(GuestId(1), back.connection).is_some());
    }

    #[test]
    fn coming_back_under_a_taken_name_leaves_the_old_connection_alone() {
        let mut roster = Roster::new(9);
        roster.enter(GuestId(1), Some(name("Ann"))).unwrap();
        let bob = roster.enter(GuestId(2), Some(name("Bob"))).unwrap();
        assert_eq!(roster.enter(GuestId(2), Some(name("ann"))).unwrap_err().code, Code::NameTaken);
        assert!(!bob.replaced.is_cancelled());
        let back = roster.enter(GuestId(2), Some(name("Eve"))).unwrap();
        assert_eq!(back.how, How::ResumedAs(name("Bob")));
    }

    #[test]
    fn a_full_room_refuses() {
        let mut roster = Roster::new(1);
        roster.enter(GuestId(1), None).unwrap();
        assert_eq!(roster.enter(GuestId(2), None).unwrap_err().code, Code::RoomFull);
    }
}
