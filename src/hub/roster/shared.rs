//! The seats of this room among those of all rooms of its address.

use std::collections::HashSet;

use super::change::PresenceChange;
use super::occupant::{Occupant, SeatHold};
use super::{RoomSeats, Roster};
use crate::hub::seats::GivenUp;
use crate::protocol::{CircuitId, GuestId, Refusal};

impl Roster {
    /// The circuits that hold seats.
    pub(in crate::hub) fn circuits(&self) -> HashSet<CircuitId> {
        self.seats.values().map(|occupant| occupant.circuit).collect()
    }

    /// The guests on this circuit.
    pub(in crate::hub) fn guests_on(&self, circuit: CircuitId) -> Vec<GuestId> {
        let on = |occupant: &&Occupant| occupant.circuit == circuit;
        self.seats.values().filter(on).map(|occupant| occupant.guest.id).collect()
    }

    /// From now on the seats count among those of all rooms.
    pub(in crate::hub) fn be_in_house(&mut self, seats: RoomSeats) {
        self.house = Some(seats);
    }

    /// Whether the guest who comes in next gives up a seat in another room for this one.
    pub(in crate::hub) fn set_moving(&mut self, moving: bool) {
        self.moving = moving;
    }

    /// Frees a seat of this circuit, which another room needs, if that is still owed: the least established one, and among
    /// equal ones the newest.
    pub(in crate::hub) fn give_up(&mut self, circuit: CircuitId) -> Option<PresenceChange> {
        self.house.as_ref().filter(|house| house.owes(circuit))?;
        let guest = self.weakest(|occupant| occupant.circuit == circuit)?;
        self.evict(guest)
    }

    /// Finds a seat among those of all rooms for a newcomer on this circuit; who has left for that.
    pub(super) fn take_in_house(&mut self, circuit: CircuitId) -> Result<Option<PresenceChange>, Refusal> {
        let Some(house) = &self.house else { return Ok(None) };
        if house.has_free_for(circuit, self.moving) {
            return Ok(None);
        }
        let given_up = match house.give_up_for(circuit) {
            Some(GivenUp::Elsewhere) => return Ok(None),
            Some(GivenUp::Here(of)) => self.weakest(|occupant| occupant.circuit == of),
            // What is not in use, of a circuit that holds more.
            None => {
                let own = house.held_by(circuit);
                self.weakest(|occupant| {
                    occupant.rank.is_idle(is_present(occupant)) && house.held_by(occupant.circuit) > own
                })
            }
        };
        let left = given_up.and_then(|guest| self.evict(guest));
        left.map(Some).ok_or_else(|| self.full())
    }

    /// Notes that a guest with a seat is on another circuit now.
    pub(super) fn move_in_house(&self, before: CircuitId, circuit: CircuitId) {
        if let Some(house) = self.house.as_ref().filter(|_| before != circuit) {
            house.take(circuit);
            house.free(before);
        }
    }

    /// Notes that a guest on this circuit has no seat any more.
    pub(super) fn free_in_house(&self, circuit: CircuitId) {
        if let Some(house) = &self.house {
            house.free(circuit);
        }
    }

    fn weakest(&self, counts: impl Fn(&Occupant) -> bool) -> Option<GuestId> {
        let seats = self.seats.iter().filter(|(_, occupant)| counts(occupant));
        let rank = |(arrival, occupant): &(&u64, &Occupant)| {
            (std::cmp::Reverse(occupant.rank.order(is_present(occupant))), **arrival)
        };
        seats.max_by_key(rank).map(|(_, occupant)| occupant.guest.id)
    }

    fn evict(&mut self, guest: GuestId) -> Option<PresenceChange> {
        let doors = std::sync::Arc::clone(&self.doors);
        if let Some(Occupant { hold: SeatHold::Connection(_, loss), .. }) = self.occupant(guest) {
            loss.evict(&doors);
        }
        self.remove(guest).map(PresenceChange::Left)
    }
}

fn is_present(occupant: &Occupant) -> bool {
    !matches!(occupant.hold, SeatHold::Grace(_))
}
