//! A simulated guest, and what they were told of the room.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::model::Model;
use super::{GUESTS, NAMES};
use crate::hub::{Reader, Seat};
use crate::protocol::{MessageId, Say, Token};

/// A simulated guest, and what they were told.
pub(super) struct ModelGuest {
    pub(super) token: Token,
    pub(super) number: u64,
    /// The number of each message they said; the place is its id.
    pub(super) said: Vec<u64>,
    pub(super) inside: Option<(Seat, Reader)>,
    /// The newest message they know of.
    pub(super) after: u64,
    /// What was gone when they came in must not be given to them.
    pub(super) gone: BTreeSet<u64>,
    /// Whether they have a cursor, and were not told yet that something after it is missing.
    pub(super) gap_due: bool,
    /// Whether they were told of a gap, and of no roster since, which a guest is sent who lagged.
    pub(super) gap_told: bool,
    pub(super) around: KnownRoster,
}

/// The roster, as far as a guest was told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KnownRoster {
    Listed(BTreeMap<u64, (String, bool)>),
    Occupancy(usize),
}

impl ModelGuest {
    pub(super) fn new() -> Self {
        let (token, around) = (Token::random().unwrap(), KnownRoster::Occupancy(0));
        Self {
            token,
            number: 0,
            said: Vec::new(),
            inside: None,
            after: 0,
            gone: BTreeSet::new(),
            gap_due: false,
            gap_told: false,
            around,
        }
    }

    pub(super) fn hear(&mut self, event: &Value, model: &Model, numbers: &[u64; GUESTS]) {
        let number = |member: &str| event[member].as_u64().unwrap();
        match event["type"].as_str().unwrap() {
            "message" => {
                let seq = number("seq");
                assert!(seq > self.after, "every message once and in order");
                assert!(
                    seq == self.after + 1 || !self.gap_due,
                    "a guest with a cursor is told what is missing"
                );
                self.pass_over(seq - 1, model);
                assert!(!self.gone.contains(&seq), "{seq} was gone when they came");
                let (author, id) = model.said[seq as usize - 1];
                assert_eq!((number("guest"), &event["text"]), (numbers[author], &text(author, id).into()));
                self.after = seq;
            }
            "gap" => {
                let before = number("before");
                assert_eq!(number("after"), self.after);
                assert!(before > self.after + 1, "{event}");
                assert!(!self.gap_told, "many holes are not many gaps: {event}");
                self.pass_over(before - 1, model);
                (self.gap_due, self.gap_told) = (false, true);
            }
            "roster" => {
                self.around = KnownRoster::Listed(roster(&event["guests"]));
                self.gap_told = false;
            }
            "crowd" => {
                self.gap_told = false;
                let count = number("count") as usize;
                assert!(count > model.bounds.until, "{event}");
                self.around = KnownRoster::Occupancy(count);
            }
            "left" => {
                self.list(event).remove(&event["guest"]["id"].as_u64().unwrap());
            }
            "joined" | "away" | "back" | "renamed" => {
                let (id, state) = guest(&event["guest"]);
                self.list(event).insert(id, state);
            }
            other => panic!("unexpected {other}"),
        }
    }

    /// Goes on to `seq`: what lies between was missing.
    pub(super) fn pass_over(&mut self, seq: u64, model: &Model) {
        for missing in self.after + 1..=seq {
            assert!(model.is_gone(missing), "{missing} is kept");
        }
        self.after = seq;
    }

    fn list(&mut self, event: &Value) -> &mut BTreeMap<u64, (String, bool)> {
        match &mut self.around {
            KnownRoster::Listed(list) => list,
            KnownRoster::Occupancy(count) => panic!("{event} in a crowd of {count}"),
        }
    }
}

pub(super) fn guest(json: &Value) -> (u64, (String, bool)) {
    (json["id"].as_u64().unwrap(), (json["name"].as_str().unwrap().to_owned(), json["away"] == true))
}

pub(super) fn roster(guests: &Value) -> BTreeMap<u64, (String, bool)> {
    guests.as_array().unwrap().iter().map(guest).collect()
}

pub(super) fn text(author: usize, id: u64) -> String {
    format!("{} says {id}", NAMES[author])
}

pub(super) fn say(author: usize, id: u64) -> Say {
    Say { id: MessageId::parse(&id.to_string()).unwrap(), text: text(author, id), reply: None }
}
