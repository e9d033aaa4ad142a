//! Whether a guest could have a seat, without taking one.

use super::{Roster, victim};
use crate::hub::roster::occupant::SeatHold;
use crate::protocol::{CircuitId, GuestId};

impl Roster {
    /// Whether this guest has a seat, or would get one on this circuit.
    pub(in crate::hub) fn has_seat_for(&self, id: GuestId, circuit: CircuitId) -> bool {
        let seats = self.seats.values().map(|occupant| {
            let present = !matches!(occupant.hold, SeatHold::Grace(_));
            (occupant.guest.id, occupant.circuit, occupant.rank, present)
        });
        self.has(id) || self.has_room_for(circuit) || victim(seats, circuit).is_some()
    }
}
