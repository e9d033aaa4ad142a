//! The private messages of the guests at this node.

use super::Roster;
use crate::hub::mailbox::Mailbox;
use crate::hub::private::PrivateMessages;
use crate::protocol::GuestId;

impl Roster {
    /// The private messages of the room.
    pub(in crate::hub) fn private(&self) -> &PrivateMessages {
        &self.private
    }

    /// The mailbox of a guest with a seat here.
    pub(in crate::hub) fn mailbox(&self, id: GuestId) -> Option<Mailbox> {
        let occupant = self.seats.get(self.arrivals.get(&id)?)?;
        Some(occupant.mailbox.mailbox().clone())
    }
}
