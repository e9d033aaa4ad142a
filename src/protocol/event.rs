//! What the room sends: events and their JSON.

mod parts;

use std::borrow::Cow;
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::VERSION;
use super::act::Act;
use super::badge::Badge;
use super::epochs::Epochs;
use super::id::GuestId;
use super::name::Name;
use super::policy::Policy;
use super::reaction::Reactions;
use super::request::Cursor;
use super::token::Token;

pub use super::limits::{Kept, Limits};
pub use parts::{HeldMessage, RoomLine, RoomName, WaitingGuest};

/// A guest, as the others see them.
///
/// Serialised with their [`Badge`], which is derived from the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// Their number.
    pub id: GuestId,
    /// Their name now.
    pub name: Name,
    /// Whether their connection broke and the seat waits for them.
    pub away: bool,
    /// Whether the name is reserved for their identity.
    pub kept: bool,
}

impl Serialize for Guest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let count = 3 + usize::from(self.away) + usize::from(self.kept);
        let mut members = serializer.serialize_struct("Guest", count)?;
        members.serialize_field("id", &self.id)?;
        members.serialize_field("name", &self.name)?;
        members.serialize_field("badge", &Badge::of(self.id))?;
        if self.away {
            members.serialize_field("away", &true)?;
        }
        if self.kept {
            members.serialize_field("kept", &true)?;
        }
        members.end()
    }
}

/// The answer to a hello.
#[derive(Debug, Clone)]
pub struct Welcome {
    /// The guest that joined.
    pub guest: Guest,
    /// The token to join with again.
    pub token: Token,
    /// Whether the guest had a seat already.
    pub resumed: bool,
    /// The room's name in addresses.
    pub room: String,
    /// The room's title for people.
    pub title: String,
    /// The runs of sequence numbers; the guest gets the name of the present one.
    pub epochs: Arc<Epochs>,
    /// Up to which number the log has what the guest has read, if their cursor counts; see [`Welcome::resume`].
    pub cursor: Option<u64>,
    /// The guests present, or the guest alone where only the occupancy is told.
    pub guests: Arc<[Guest]>,
    /// The number of guests present.
    pub count: usize,
    /// The newest sequence number, or 0.
    pub head: u64,
    /// How many messages were said so far, up to the newest.
    pub said: u64,
    /// The oldest sequence number still kept, or `head` + 1.
    pub first: u64,
    /// Where what follows the welcome begins: the messages after this one. `None` where none follow.
    pub after: Option<u64>,
    /// The room's clock, in seconds since the room was first opened.
    pub clock: u64,
    /// What the room allows.
    pub limits: Limits,
    /// What the room keeps.
    pub kept: Kept,
    /// The other origins at which guests reach the room, the least busy first.
    pub doors: Arc<[String]>,
    /// Whether the room can write now.
    pub storage_available: bool,
    /// How many guests wait at this door to be let in.
    pub waiting: usize,
    /// The runs of numbers of which there is nothing because other entries took their places: the first of each, and the last.
    pub replaced: Vec<(u64, u64)>,
    /// What hosts have decided.
    pub policy: Arc<Policy>,
    /// The rooms of the address that are listed, where there are several.
    pub rooms: Arc<[RoomLine]>,
}

/// One event, borrowed from where it happened; turned into JSON by [`Event::encode`].
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[allow(missing_docs, reason = "docs/protocol.md describes each member")]
pub enum Event<'a> {
    Welcome {
        protocol: u32,
        guest: &'a Guest,
        token: String,
        resumed: bool,
        room: RoomName<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<u64>,
        guests: &'a [Guest],
        count: usize,
        head: u64,
        said: u64,
        first: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
        clock: u64,
        limits: Limits,
        kept: Kept,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        doors: &'a [String],
        #[serde(skip_serializing_if = "is_true")]
        storage_available: bool,
        #[serde(skip_serializing_if = "is_zero")]
        waiting: usize,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        replaced: &'a [(u64, u64)],
        #[serde(flatten)]
        policy: &'a Policy,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        rooms: &'a [RoomLine],
    },
    Message {
        seq: u64,
        at: u64,
        guest: GuestId,
        name: &'a Name,
        id: &'a str,
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reply: Option<u64>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        edited: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        reactions: Option<&'a Reactions>,
    },
    Title {
        seq: u64,
        at: u64,
        guest: GuestId,
        id: &'a str,
        title: &'a str,
    },
    Act {
        seq: u64,
        at: u64,
        guest: GuestId,
        id: &'a str,
        #[serde(flatten)]
        act: Cow<'a, Act>,
    },
    Unknown {
        seq: u64,
        at: u64,
        guest: GuestId,
        id: &'a str,
        kind: &'a str,
    },
    Deleted {
        seq: u64,
    },
    Acknowledged {
        id: &'a str,
        seq: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        link: Option<&'a str>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        held: bool,
    },
    Gap {
        after: u64,
        before: u64,
    },
    History {
        before: u64,
        after: u64,
        messages: Vec<Event<'a>>,
    },
    Search {
        before: u64,
        after: u64,
        messages: Vec<Event<'a>>,
    },
    Held {
        messages: Vec<HeldMessage<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        words: Option<&'a [String]>,
    },
    Joined {
        guest: &'a Guest,
        at: u64,
    },
    Left {
        guest: &'a Guest,
        at: u64,
    },
    Away {
        guest: &'a Guest,
        at: u64,
    },
    Back {
        guest: &'a Guest,
        at: u64,
    },
    Renamed {
        guest: &'a Guest,
        was: &'a Name,
        at: u64,
    },
    Roster {
        guests: &'a [Guest],
    },
    #[serde(rename = "crowd")]
    Occupancy {
        count: usize,
    },
    Doors {
        doors: &'a [String],
    },
    Storage {
        available: bool,
    },
    Waiting {
        count: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        guests: Option<&'a [WaitingGuest]>,
    },
    Policy {
        #[serde(flatten)]
        policy: &'a Policy,
    },
    Rooms {
        rooms: Vec<&'a RoomLine>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        gone: &'a [String],
    },
    Typing {
        guest: GuestId,
    },
    Pong,
    Error {
        code: &'static str,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<&'a str>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        doors: &'a [String],
    },
}

/// For members that are left out while all is well; serde gives a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_true(value: &bool) -> bool {
    *value
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(value: &usize) -> bool {
    *value == 0
}

impl Event<'_> {
    /// The event as one line of JSON.
    pub fn encode(&self) -> String {
        // Every variant is made of texts and numbers, which serde_json cannot fail to write to memory.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The sequence number of an event that lasts; `None` for every other.
    pub fn seq(&self) -> Option<u64> {
        match self {
            Self::Message { seq, .. }
            | Self::Title { seq, .. }
            | Self::Act { seq, .. }
            | Self::Unknown { seq, .. }
            | Self::Deleted { seq } => Some(*seq),
            _ => None,
        }
    }
}

impl Welcome {
    /// Looks up to which number the log has what the guest has read, and tells them with the welcome. `None` if that is
    /// nothing: then they get everything that is kept.
    pub fn resume(&mut self, cursor: Option<&Cursor>) -> Option<u64> {
        let after = cursor.and_then(|cursor| self.epochs.resume(cursor));
        // A number beyond the newest is not of this log.
        self.cursor = after.filter(|after| *after <= self.head);
        self.cursor
    }

    /// The welcome as an event.
    pub fn event(&self) -> Event<'_> {
        Event::Welcome {
            protocol: VERSION,
            guest: &self.guest,
            token: self.token.encode(),
            resumed: self.resumed,
            room: RoomName { name: &self.room, title: &self.title, epoch: self.epochs.present() },
            cursor: self.cursor,
            guests: &self.guests,
            count: self.count,
            head: self.head,
            said: self.said,
            first: self.first,
            after: self.after,
            clock: self.clock,
            limits: self.limits,
            kept: self.kept,
            doors: &self.doors,
            storage_available: self.storage_available,
            waiting: self.waiting,
            replaced: &self.replaced,
            policy: &self.policy,
            rooms: &self.rooms,
        }
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
