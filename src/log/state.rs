//! The state of a room: what follows from its log.
//!
//! It is a fold: each entry that lasts may change it, in the order of the log. A log keeps it beside the entries, written
//! together with each that changes it, so that trimming old entries forgets no decision. An act counts only if its author
//! may do it at that point of the order, so several nodes agree on what counts without asking each other.

mod acts;
mod admitting;
mod annotating;
mod annotations;
#[cfg(test)]
mod annotations_tests;
mod erase;
mod gate;
mod held;
#[cfg(test)]
mod held_tests;
mod others;
mod quiet;
#[cfg(test)]
mod reservation_tests;
mod reservations;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::protocol::act::LinkHash;
use crate::protocol::policy::Policy;
use crate::protocol::{Body, GuestId, Record, Role};

use others::Others;

pub use acts::name_reserved;
pub use admitting::Hurdle;
pub use annotating::no_such_message;
pub use annotations::{ANNOTATIONS_MAX, Annotations, OF_GUEST_MAX};
pub use erase::{Erase, Erasures};
pub use gate::{By, Gate, Invitation};
pub use reservations::{RESERVATIONS_MAX, Reservation, Reservations, UNUSED_SECONDS};
pub use waiting::{HELD_IN_ROOM, HELD_OF_GUEST, HeldLine};

/// What follows from a room's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomState {
    /// The room's title.
    pub title: String,
    /// The title that the settings gave last, where a host has given another one since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    configured_title: Option<String>,
    /// What all guests are told.
    #[serde(flatten)]
    pub policy: Policy,
    /// The entry that pinned the message, where one is pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<u64>,
    /// The guests who may say nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub muted: Vec<Restriction>,
    /// The guests who may not come in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub banned: Vec<Restriction>,
    /// The names that are reserved for identities.
    #[serde(default, skip_serializing_if = "Reservations::is_empty")]
    pub reserved: Reservations,
    /// The newest links that give a role, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    /// Who was let in, and what lets newcomers in.
    #[serde(default, skip_serializing_if = "Gate::is_empty")]
    pub gate: Gate,
    /// The newest acts, oldest first: what was done, without its texts.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub acts: VecDeque<ActLine>,
    /// Messages that have one of these words wait for a host or a moderator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// The messages that wait, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    held: Vec<HeldLine>,
    /// The newest of those that were released, with the numbers that they have now; oldest first.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    released: VecDeque<(u64, u64)>,
    /// The edits of messages and the reactions to them.
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
    /// What was erased last.
    #[serde(default, skip_serializing_if = "Erasures::is_empty")]
    pub erased: Erasures,
    #[serde(default, skip_serializing_if = "Others::is_empty")]
    others: Others,
    /// What a newer program keeps here: written again as it is.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// A guest who may not do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restriction {
    /// Their number.
    pub of: GuestId,
    /// Their name when it was done, where the room knew one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// On the room's clock, when it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Whether they were only put out, and may come back at `until`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kicked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Link {
    hash: LinkHash,
    role: Role,
    /// Who has used it, with an act of this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used: Option<(GuestId, String)>,
}

/// A line of the hosts' log: an act, without its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActLine {
    /// Its sequence number.
    pub seq: u64,
    /// When, on the room's clock.
    pub at: u64,
    /// Who did it; [`GuestId::ROOM`] for the terminal.
    pub by: GuestId,
    /// The name of the act.
    pub act: String,
    /// The guest whom it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<GuestId>,
    /// Their name then, where the room knew one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What an entry does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// Whether it changed the state.
    pub changed: bool,
    /// Whether it is an act that its author may not do, or a message that nothing lets be said: it does nothing but erase
    /// itself where it has a text.
    pub refused: bool,
    /// Entries that are erased with it.
    pub erases: Option<Erase>,
    /// The guests who lose their seats.
    pub put_out: Vec<GuestId>,
}

impl RoomState {
    /// The state of a room of which nothing is known but its title.
    pub fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            configured_title: None,
            policy: Policy::default(),
            pin: None,
            muted: Vec::new(),
            banned: Vec::new(),
            reserved: Reservations::default(),
            links: Vec::new(),
            gate: Gate::default(),
            acts: VecDeque::new(),
            words: Vec::new(),
            held: Vec::new(),
            released: VecDeque::new(),
            annotations: Annotations::default(),
            erased: Erasures::default(),
            others: Others::default(),
            unknown: Map::new(),
        }
    }

    /// The title that the settings gave last.
    pub fn configured_title(&self) -> &str {
        self.configured_title.as_ref().unwrap_or(&self.title)
    }

    /// How many messages were said up to this number, which is that of the newest entry. An entry that is no message and changed nothing,
    /// such as an act that does not count, is taken for one.
    pub fn said(&self, head: u64) -> u64 {
        self.others.messages(head)
    }

    /// Takes account of an entry.
    pub fn apply(&mut self, record: &Record) -> Effect {
        let effect = self.fold(record);
        if effect.changed && !record.body.is_message() {
            self.others.note(record.seq);
        }
        effect
    }

    fn fold(&mut self, record: &Record) -> Effect {
        match &record.body {
            Body::Message { .. } | Body::Reply { .. } | Body::Unknown { .. } => Effect::default(),
            Body::Title { title } => {
                let changed = self.title != *title || self.configured_title.is_some();
                self.title.clone_from(title);
                self.configured_title = None;
                Effect { changed, ..Effect::default() }
            }
            Body::Act(act) => self.apply_act(record, act),
            Body::Held { .. } => self.hold(record),
            Body::Released { release, name, .. } => self.release(record, release.by, release.held, name),
        }
    }

    /// Forgets the numbers of entries from `first` on: a log that was set back gives them to others.
    pub fn set_back(&mut self, first: u64) {
        self.pin.take_if(|pin| *pin >= first);
        self.held.retain(|line| line.seq < first);
        self.released.retain(|(held, said)| *held.max(said) < first);
        self.annotations.set_back(first);
        self.erased.set_back(first);
        self.others.set_back(first);
    }

    /// The form in which logs store it: JSON.
    pub fn encode(&self) -> Vec<u8> {
        // Texts and JSON values, which serde_json cannot fail to write to memory.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads the form of [`RoomState::encode`]; `None` if it is none.
    pub fn decode(data: &[u8]) -> Option<Self> {
        serde_json::from_slice(data).ok()
    }
}
