//! The state of a room: what follows from its log.
//!
//! It is a fold: each entry that lasts may change it, in the order of the log. A log keeps it beside the entries, written
//! together with each that changes it, so that trimming old entries forgets no decision.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::protocol::{Body, Record};

/// What follows from a room's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomState {
    /// The room's title.
    pub title: String,
    /// What a newer program keeps here: written again as it is.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl RoomState {
    /// The state of a room of which nothing is known but its title.
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), unknown: Map::new() }
    }

    /// Takes account of an entry; returns whether that changed anything.
    pub fn apply(&mut self, record: &Record) -> bool {
        match &record.body {
            Body::Title { title } if self.title != *title => {
                self.title.clone_from(title);
                true
            }
            Body::Title { .. } | Body::Message { .. } | Body::Unknown { .. } => false,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{GuestId, MessageId, Name};

    #[test]
    fn the_state_follows_from_the_entries() {
        let mut state = RoomState::new("tea");
        let record =
            |body| Record { seq: 1, at: 0, author: GuestId::ROOM, id: MessageId::parse("a").unwrap(), body };
        for (body, changes, title) in [
            (Body::Title { title: "tea".into() }, false, "tea"),
            (Body::Title { title: "cake".into() }, true, "cake"),
            (Body::Message { name: Name::parse("Ann").unwrap(), text: "tea".into() }, false, "cake"),
            (Body::Unknown { kind: "pin".into(), data: Vec::new() }, false, "cake"),
        ] {
            assert_eq!(state.apply(&record(body)), changes);
            assert_eq!(state.title, title);
        }
        assert_eq!(RoomState::decode(&state.encode()), Some(state));
    }

    #[test]
    fn what_a_newer_program_keeps_is_not_lost() {
        let newer = br#"{"title":"tea","bans":[1,2]}"#;
        let mut state = RoomState::decode(newer).unwrap();
        state.title = "cake".into();
        assert_eq!(state.encode(), br#"{"title":"cake","bans":[1,2]}"#);
        assert_eq!(RoomState::decode(b"{}"), None);
    }
}
