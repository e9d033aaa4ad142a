//! Answers, and their JSON: `{"ok":…}` or `{"error":{"code":…,"message":…}}`.

use serde::{Deserialize, Serialize};

use super::entering::{Invitations, Invited, Waiting};
use super::room_list::RoomList;
use crate::protocol::{Confirmation, Policy, Refusal, Role};

pub use super::who::Who;

/// What the room answers.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The room as it is.
    Status(Box<Status>),
    /// Who is here.
    Guests(Guests),
    /// Who is a host or a moderator.
    Roles(Roles),
    /// Who may not do something.
    Bans(Bans),
    /// Which names are reserved.
    Names(Names),
    /// What hosts and moderators have done.
    Log(Log),
    /// What waits.
    Held(Held),
    /// What was said.
    Messages(Messages),
    /// An act has its place in the room's order.
    Done {
        /// Its number.
        seq: u64,
    },
    /// A link was made.
    Link(Link),
    /// Who waits to be let in.
    Waiting(Waiting),
    /// Who is invited.
    Invitations(Invitations),
    /// An invitation was made.
    Invited(Invited),
    /// A backup was written.
    BackedUp(BackedUp),
    /// Which rooms there are.
    Rooms(RoomList),
    /// A room was added or removed.
    Room {
        /// Its name.
        room: String,
    },
    /// A host has confirmed the room.
    Confirmed {
        /// How long it has now.
        wipe: Option<Confirmation>,
    },
    /// The room ends now, and is wiped.
    Wiping {
        /// Whether the address goes too.
        address: bool,
    },
}

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    /// Whether messages are in it.
    pub messages: bool,
    /// How many rooms are in it beside the main one.
    #[serde(default)]
    pub rooms: usize,
    /// The address whose key is in it; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// How many bytes the file has.
    pub bytes: u64,
}

/// The room as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The version of the program that runs the room.
    pub version: String,
    /// The room's title.
    pub title: String,
    /// The onion URL; absent without an onion service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Whether guests can reach it: `reachable`, or the step on the way there; absent without an onion service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tor: Option<String>,
    /// What keeps guests from reaching it, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// How the local room is reached, with its key; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// Where it is reached over listeners for proxies or for TLS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public: Vec<String>,
    /// How many guests are here, at all nodes.
    pub guests: usize,
    /// How many of them are away.
    pub away: usize,
    /// How many seats this node has.
    pub seats: usize,
    /// How long the room has until it is wiped, if it is unless a host confirms it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wipe: Option<Confirmation>,
    /// How many words are kept out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub words: usize,
    /// How many messages wait for a host or a moderator, as far as the room's state has them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held: usize,
    /// What was decided: topic, rules, the pinned message, roles, and what newcomers and authors have to wait for.
    #[serde(flatten)]
    pub policy: Policy,
}

/// For members that are left out where they say nothing; serde gives a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(value: &usize) -> bool {
    *value == 0
}

/// Who is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guests {
    /// In the order of arrival.
    pub guests: Vec<GuestLine>,
}

/// A guest who is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestLine {
    /// Who it is.
    #[serde(flatten)]
    pub who: Who,
    /// Their role.
    pub role: Role,
    /// Whether their connection broke and the seat waits for them.
    pub away: bool,
    /// Whether they may say nothing.
    pub muted: bool,
    /// Whether the name is reserved for them.
    #[serde(default)]
    pub kept: bool,
}

/// Who is a host or a moderator, here or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// Those who got their role first.
    pub roles: Vec<RoleLine>,
}

/// A guest with a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleLine {
    /// Who it is.
    #[serde(flatten)]
    pub who: Who,
    /// Their role.
    pub role: Role,
}

/// Who may not do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bans {
    /// The mutes first, then those who may not come in; the oldest first.
    pub bans: Vec<BanLine>,
}

/// A guest who may not do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanLine {
    /// Who it is.
    #[serde(flatten)]
    pub who: Who,
    /// What it is.
    pub kind: BanKind,
    /// After how many seconds it ends by itself; absent if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
}

/// What a guest may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BanKind {
    /// Say anything.
    Muted,
    /// Come in.
    Banned,
    /// Come back before a minute has passed.
    Kicked,
}

/// Which names are reserved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The one that was used last first.
    pub names: Vec<NameLine>,
}

/// A reserved name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameLine {
    /// For whom, with the reserved name, which need not be the one that they have now.
    #[serde(flatten)]
    pub who: Who,
    /// How many seconds ago it was used last, exact to a day.
    pub ago: u64,
}

/// What hosts and moderators have done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// The newest, oldest first.
    pub acts: Vec<LogLine>,
}

/// Something that was done, without its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Its number in the room's order.
    pub seq: u64,
    /// How many seconds ago, on the room's clock.
    pub ago: u64,
    /// Who did it; absent for the terminal and for this socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Who>,
    /// The name of the act.
    pub act: String,
    /// The guest whom it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Who>,
}

/// What waits for a host or a moderator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The messages, oldest first.
    pub held: Vec<MessageLine>,
    /// The words that are kept out.
    pub words: Vec<String>,
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages {
    /// Oldest first.
    pub messages: Vec<MessageLine>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageLine {
    /// Its number.
    pub seq: u64,
    /// How many seconds ago, on the room's clock.
    pub ago: u64,
    /// Its author, by the name of then.
    #[serde(flatten)]
    pub who: Who,
    /// The text; that of the newest edit, if it was edited.
    pub text: String,
    /// Whether it was edited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub edited: bool,
}

/// A link that gives a role, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The number of the act in the room's order.
    pub seq: u64,
    /// The role.
    pub role: Role,
    /// What follows `#host=`.
    pub secret: String,
    /// The same link at each address of the room: the onion address first, then the local one, then public ones.
    pub links: Vec<String>,
}

/// Why a request was not done: a stable code for programs, and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failed {
    /// The code.
    pub code: String,
    /// The sentence.
    pub message: String,
}

impl Failed {
    /// With this code and this sentence.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code.as_str(), refusal.message)
    }
}

/// A line: an answer, or why there is none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line<T> {
    /// It was done.
    Ok(T),
    /// It was not.
    Error(Failed),
}

impl<T> From<Result<T, Failed>> for Line<T> {
    fn from(result: Result<T, Failed>) -> Self {
        match result {
            Ok(answer) => Self::Ok(answer),
            Err(failed) => Self::Error(failed),
        }
    }
}

impl<T> From<Line<T>> for Result<T, Failed> {
    fn from(line: Line<T>) -> Self {
        match line {
            Line::Ok(answer) => Ok(answer),
            Line::Error(failed) => Err(failed),
        }
    }
}

impl<T: Serialize> Line<T> {
    /// The JSON, with the end of the line.
    pub fn encode(&self) -> Vec<u8> {
        // Texts and numbers, which serde_json cannot fail to write to memory.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::GuestId;

    #[test]
    fn an_answer_is_one_line() {
        let line = |result: Result<Answer, Failed>| String::from_utf8(Line::from(result).encode()).unwrap();
        let who = Who::new(GuestId(7), Some("Ann"));
        let ann = GuestLine { who, role: Role::Guest, away: false, muted: true, kept: false };
        assert_eq!(
            line(Ok(Answer::Guests(Guests { guests: vec![ann] }))),
            "{\"ok\":{\"guests\":[{\"number\":7,\"badge\":\"0007\",\"name\":\"Ann\",\"role\":\"guest\",\"away\":false,\
             \"muted\":true,\"kept\":false}]}}\n"
        );
        assert_eq!(line(Ok(Answer::Done { seq: 3 })), "{\"ok\":{\"seq\":3}}\n");
        assert_eq!(
            line(Err(Failed::new("not_json", "Two\nlines."))),
            "{\"error\":{\"code\":\"not_json\",\"message\":\"Two\\nlines.\"}}\n"
        );
    }
}
