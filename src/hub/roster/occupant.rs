//! A seat at this node, and what holds it.

use tokio::time::Instant;

use crate::hub::cluster::{Presence, SeatedGuest};
use crate::hub::private::SeatMailbox;
use crate::hub::seat_loss::SeatLoss;
use crate::hub::seat_rank::SeatRank;
use crate::protocol::{CircuitId, Guest};

/// A guest on a seat at this node.
#[derive(Debug)]
pub(in crate::hub) struct Occupant {
    pub(in crate::hub) guest: Guest,
    pub(in crate::hub) hold: SeatHold,
    /// The circuit that the guest was last served on.
    pub(in crate::hub) circuit: CircuitId,
    pub(in crate::hub) rank: SeatRank,
    /// The end of the first hold of a seat that was only asked for.
    pub(in crate::hub) asked_until: Option<Instant>,
    pub(in crate::hub) claim: Claim,
    pub(in crate::hub) mailbox: SeatMailbox,
}

/// The claim of a guest's name.
#[derive(Debug, Clone, Copy)]
pub(in crate::hub) struct Claim {
    /// Its number; 0 where no other node serves the room.
    pub(in crate::hub) number: u64,
    /// Whether it counts: not where no other node serves the room, nor after the lease was lost.
    pub(in crate::hub) held: bool,
}

/// What holds a seat.
#[derive(Debug)]
pub(in crate::hub) enum SeatHold {
    /// A connection, with its number; it is told when it loses the seat.
    Connection(u64, SeatLoss),
    /// Single requests, until this time without one.
    Stateless(Instant),
    /// The grace time after a broken connection, until this time.
    Grace(Instant),
}

impl Occupant {
    /// What the other nodes are told of the guest; nothing while the claim does not count.
    pub(in crate::hub) fn presence(&self) -> Option<Presence> {
        let Claim { number, held } = self.claim;
        held.then(|| Presence::Present(SeatedGuest { guest: self.guest.clone(), claim: number }))
    }
}

impl From<Option<u64>> for Claim {
    fn from(number: Option<u64>) -> Self {
        Self { number: number.unwrap_or(0), held: number.is_some() }
    }
}

impl SeatHold {
    /// Whether this connection holds the seat; a request without one is of the guest, whatever holds it.
    pub(in crate::hub) fn is_by(&self, connection: Option<u64>) -> bool {
        connection
            .is_none_or(|connection| matches!(self, Self::Connection(holder, _) if *holder == connection))
    }

    /// When the seat is free without a further request.
    pub(in crate::hub) fn until(&self) -> Option<Instant> {
        match self {
            SeatHold::Connection(..) => None,
            SeatHold::Stateless(until) | SeatHold::Grace(until) => Some(*until),
        }
    }
}
