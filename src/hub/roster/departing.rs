//! How guests lose their seats at this node, or give them up.

use tokio::time::Instant;

use super::Roster;
use super::change::PresenceChange;
use super::occupant::{Occupant, SeatHold};
use crate::protocol::{GuestId, Refusal};

impl Roster {
    /// The guest gives up the seat, on this connection or in a single request.
    pub(in crate::hub) fn leave(&mut self, id: GuestId, connection: Option<u64>) -> Option<PresenceChange> {
        self.is_held(id, connection).then(|| self.remove(id)).flatten().map(PresenceChange::Left)
    }

    /// Takes the seat from a guest, and tells their connection why.
    pub(in crate::hub) fn expel(&mut self, id: GuestId, reason: &Refusal) -> Option<PresenceChange> {
        if let SeatHold::Connection(_, loss) = &self.occupant(id)?.hold {
            loss.expel(reason.clone());
        }
        self.remove(id).map(PresenceChange::Left)
    }

    /// The connection broke: the seat is held for the grace time.
    pub(in crate::hub) fn disconnect(
        &mut self,
        id: GuestId,
        connection: u64,
        now: Instant,
    ) -> Option<PresenceChange> {
        if !self.is_held(id, Some(connection)) {
            return None;
        }
        if self.grace.is_zero() {
            return self.remove(id).map(PresenceChange::Left);
        }
        let until = now + self.grace;
        let occupant = self.occupant(id)?;
        occupant.hold = SeatHold::Grace(until);
        occupant.guest.away = true;
        let change = PresenceChange::Away(occupant.guest.clone());
        self.tell_presence(id);
        Some(change)
    }

    /// Frees the seats whose hold has expired, and forgets the guests who have left other nodes.
    pub(in crate::hub) fn expire(&mut self, now: Instant) -> Vec<PresenceChange> {
        let over = |occupant: &&Occupant| occupant.hold.until().is_some_and(|until| until <= now);
        let over: Vec<GuestId> = self.seats.values().filter(over).map(|occupant| occupant.guest.id).collect();
        let left = over.into_iter().filter_map(|id| self.remove(id)).map(PresenceChange::Left);
        let mut changes: Vec<_> = left.collect();
        changes.append(&mut self.expire_others(now));
        changes
    }
}
