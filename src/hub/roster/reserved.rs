//! The roster and the names that identities have reserved.

use super::Roster;
use crate::log::Reservations;

impl Roster {
    /// Takes the names that are reserved from now on. Who is here under one that is another guest's keeps it.
    pub(in crate::hub) fn set_reserved(&mut self, reserved: Reservations) {
        self.reserved = reserved;
        let reserved = &self.reserved;
        self.seats
            .values_mut()
            .map(|occupant| &mut occupant.guest)
            .chain(self.others.guests_mut())
            .for_each(|guest| guest.kept = reserved.keeps(guest.id, &guest.name));
    }

    /// The names that are reserved.
    pub(in crate::hub) fn reserved(&self) -> &Reservations {
        &self.reserved
    }
}
