//! Events that are encoded already: their JSON, and what a transport must know without parsing it.

use super::event::Event;

macro_rules! kinds {
    ($($variant:ident = $text:literal,)*) => {
        /// The type of an event: the member `type` of its JSON. `docs/protocol.md` describes each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "docs/protocol.md describes each type")]
        pub enum EventKind {
            $($variant,)*
        }

        impl EventKind {
            /// The type as it stands on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl Event<'_> {
            /// The event's type.
            pub fn kind(&self) -> EventKind {
                match self {
                    $(Self::$variant { .. } => EventKind::$variant,)*
                }
            }
        }
    };
}

kinds! {
    Welcome = "welcome",
    Message = "message",
    Title = "title",
    Act = "act",
    Unknown = "unknown",
    Deleted = "deleted",
    Acknowledged = "acknowledged",
    Gap = "gap",
    History = "history",
    Search = "search",
    Held = "held",
    Joined = "joined",
    Left = "left",
    Away = "away",
    Back = "back",
    Renamed = "renamed",
    Roster = "roster",
    Occupancy = "crowd",
    Doors = "doors",
    Storage = "storage",
    Waiting = "waiting",
    Policy = "policy",
    Rooms = "rooms",
    Typing = "typing",
    Pong = "pong",
    Error = "error",
}

/// One event, encoded as one line of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodedEvent<'a> {
    /// Its type.
    pub kind: EventKind,
    /// The sequence number of an event that lasts; `None` for every other.
    pub seq: Option<u64>,
    /// The JSON, without a line break.
    pub json: &'a str,
}

/// Encoded events in their order, in one allocation for all their JSON.
#[derive(Debug, Default)]
pub struct EventBatch {
    json: Vec<u8>,
    events: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    kind: EventKind,
    seq: Option<u64>,
    /// Where the JSON ends; it begins where the one before ends.
    end: usize,
}

impl EventBatch {
    /// Encodes and appends an event.
    pub fn push(&mut self, event: &Event<'_>) {
        self.push_parts(event.kind(), event.seq(), [event.encode().as_bytes(), b""]);
    }

    /// Appends an event whose JSON lies in two parts of a ring buffer.
    pub fn push_parts(&mut self, kind: EventKind, seq: Option<u64>, json: [&[u8]; 2]) {
        json.into_iter().for_each(|part| self.json.extend_from_slice(part));
        self.events.push(Held { kind, seq, end: self.json.len() });
    }

    /// The events.
    pub fn iter(&self) -> impl Iterator<Item = EncodedEvent<'_>> {
        let mut begin = 0;
        self.events.iter().map(move |held| {
            // Always UTF-8: the parts of one event were one text when it was encoded.
            let json = std::str::from_utf8(&self.json[begin..held.end]).unwrap_or_default();
            begin = held.end;
            EncodedEvent { kind: held.kind, seq: held.seq, json }
        })
    }

    /// How many bytes of JSON there are.
    pub fn json_bytes(&self) -> usize {
        self.json.len()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_gives_back_what_was_pushed() {
        let mut batch = EventBatch::default();
        batch.push(&Event::Occupancy { count: 3 });
        // The parts may be cut within a character.
        let json = "{\"text\":\"ü\"}".as_bytes();
        batch.push_parts(EventKind::Message, Some(7), [&json[..10], &json[10..]]);
        let events: Vec<_> = batch.iter().map(|event| (event.kind, event.seq, event.json)).collect();
        assert_eq!(
            events,
            [
                (EventKind::Occupancy, None, r#"{"type":"crowd","count":3}"#),
                (EventKind::Message, Some(7), "{\"text\":\"ü\"}"),
            ]
        );
        assert_eq!(batch.json_bytes(), 26 + json.len());
    }
}
