//! What a change of the roster means for those outside it.

use crate::hub::cluster::Presence;
use crate::hub::seat_loss::SeatLoss;
use crate::language::Language;
use crate::protocol::event::Event;
use crate::protocol::{Guest, GuestId, Name};

/// A name that a guest is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::hub) struct ClaimedName {
    pub(in crate::hub) name: Name,
    /// The number of its claim; `None` where no other node serves the room.
    pub(in crate::hub) claim: Option<u64>,
}

/// The name that a guest who comes in is to get, or the language of one that is suggested to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::hub) struct Wanted {
    pub(in crate::hub) name: Option<ClaimedName>,
    pub(in crate::hub) language: Language,
}

impl From<Option<ClaimedName>> for Wanted {
    fn from(name: Option<ClaimedName>) -> Self {
        Self { name, language: Language::default() }
    }
}

/// A guest has joined.
#[derive(Debug)]
pub(in crate::hub) struct Arrival {
    pub(in crate::hub) guest: Guest,
    /// What the others have to be told.
    pub(in crate::hub) changes: Vec<PresenceChange>,
}

/// The connection that a guest has joined on.
#[derive(Debug)]
pub(in crate::hub) struct NewConnection {
    pub(in crate::hub) number: u64,
    /// Tells the connection when it loses the seat.
    pub(in crate::hub) loss: SeatLoss,
}

/// A change of presence that the other guests are told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::hub) enum PresenceChange {
    Joined(Guest),
    Left(Guest),
    Away(Guest),
    Back(Guest),
    Renamed { guest: Guest, was: Name },
}

/// What the other nodes have to be told, or asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::hub) enum Outgoing {
    Tell(Presence),
    /// This claim is not needed any more.
    Release(GuestId, Name, u64),
    /// The claim of this guest's name is to be made again.
    Renew(GuestId),
}

impl PresenceChange {
    /// The change as an event at this time of the room's clock.
    pub(in crate::hub) fn event(&self, at: u64) -> Event<'_> {
        match self {
            PresenceChange::Joined(guest) => Event::Joined { guest, at },
            PresenceChange::Left(guest) => Event::Left { guest, at },
            PresenceChange::Away(guest) => Event::Away { guest, at },
            PresenceChange::Back(guest) => Event::Back { guest, at },
            PresenceChange::Renamed { guest, was } => Event::Renamed { guest, was, at },
        }
    }

    /// What has changed about a guest who was known as `was`; the last change has the present state.
    pub(in crate::hub) fn between(was: &Guest, guest: &Guest) -> Vec<Self> {
        let mut changes = Vec::new();
        if was.away && !guest.away {
            changes.push(Self::Back(Guest { name: was.name.clone(), ..guest.clone() }));
        }
        if was.name != guest.name {
            changes.push(Self::Renamed { guest: guest.clone(), was: was.name.clone() });
        }
        if guest.away && !was.away {
            changes.push(Self::Away(guest.clone()));
        }
        changes
    }
}
