//! The room's events as they are read back to be rendered.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::protocol::{Act, Guest, GuestId, Policy};

/// An event as the room encoded it, as far as it is shown.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Event {
    Message(Said),
    Title {
        at: u64,
        title: String,
    },
    Act {
        at: u64,
        guest: GuestId,
        #[serde(flatten)]
        act: Act,
    },
    Policy {
        #[serde(flatten)]
        policy: Policy,
    },
    Unknown {
        at: u64,
        guest: GuestId,
        kind: String,
    },
    Gap {},
    Joined {
        guest: Member,
        at: u64,
    },
    Left {
        guest: Member,
        at: u64,
    },
    Away {
        guest: Member,
    },
    Back {
        guest: Member,
    },
    Renamed {
        guest: Member,
        was: String,
        at: u64,
    },
    Roster {
        guests: Vec<Member>,
    },
    #[serde(rename = "crowd")]
    Occupancy {
        count: usize,
    },
    Storage {
        available: bool,
    },
    #[serde(other)]
    Other,
}

/// A message.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    pub(super) seq: u64,
    pub(super) at: u64,
    pub(super) guest: GuestId,
    pub(super) name: String,
    pub(super) text: String,
    /// The message that it answers.
    #[serde(default)]
    pub(super) reply: Option<u64>,
    #[serde(default)]
    pub(super) edited: bool,
    /// The guests who have put each emoji to it.
    #[serde(default)]
    pub(super) reactions: BTreeMap<String, Vec<GuestId>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Member {
    pub(super) id: GuestId,
    pub(super) name: String,
    #[serde(default)]
    pub(super) away: bool,
    /// Whether the name is reserved for them.
    #[serde(default)]
    pub(super) kept: bool,
}

impl From<&Guest> for Member {
    fn from(guest: &Guest) -> Self {
        Self { id: guest.id, name: guest.name.as_str().to_owned(), away: guest.away, kept: guest.kept }
    }
}
