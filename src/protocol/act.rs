//! What hosts and moderators do: acts, which are one kind of entry in the room's log.
//!
//! An act has the same form wherever it stands: in a request, in the log, and in the event that tells the guests. What only
//! the room may say, such as the text that is pinned, is not read from a request.

use std::borrow::Cow;
use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::id::GuestId;
use super::json;
use super::refusal::{Code, Refusal};
use super::token::Token;

/// What a guest may do in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Talk.
    #[default]
    Guest,
    /// Keep order: remove, mute and ban guests, delete messages, pin one, lock the room and slow it down.
    Moderator,
    /// Everything.
    Host,
}

impl Role {
    /// The role as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Moderator => "moderator",
            Self::Host => "host",
        }
    }
}

/// The guest whom an act is about, and their name then, where the room knows one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Their number.
    pub of: GuestId,
    /// Their name when it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A message as it is pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Its author.
    pub by: GuestId,
    /// The author's name then.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What identifies a link that gives a role, without being its secret: the first 16 bytes of the SHA-256 of the secret, as
/// hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkHash(String);

impl LinkHash {
    /// That of the link with this secret.
    pub fn of(secret: &Token) -> Self {
        Self(HEXLOWER.encode(&Sha256::digest(secret.encode())[..16]))
    }
}

impl fmt::Debug for LinkHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LinkHash(…)")
    }
}

/// Something that a host or a moderator does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
#[allow(missing_docs, reason = "docs/protocol.md describes each member")]
pub enum Act {
    /// A guest gets a role; with a link they gave it to themselves.
    Role {
        #[serde(flatten)]
        target: Target,
        role: Role,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<LinkHash>,
    },
    /// There is a link now that gives a role, once.
    Link {
        role: Role,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<LinkHash>,
    },
    /// The links that were not used give nothing any more.
    RevokeLinks,
    /// A guest is put out, and may come back in a minute.
    Kick {
        #[serde(flatten)]
        target: Target,
    },
    /// A guest may say nothing, for so many seconds or until it is taken back.
    Mute {
        #[serde(flatten)]
        target: Target,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
    },
    /// A mute is taken back.
    Unmute {
        #[serde(flatten)]
        target: Target,
    },
    /// A guest is put out and may not come back, for so many seconds or until it is taken back.
    Ban {
        #[serde(flatten)]
        target: Target,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
    },
    /// A ban is taken back.
    Unban {
        #[serde(flatten)]
        target: Target,
    },
    /// Messages are deleted.
    Delete { messages: Vec<u64> },
    /// All messages of a guest are deleted.
    DeleteAll {
        #[serde(flatten)]
        target: Target,
    },
    /// Only guests who are in the room may come back; or all may come again.
    Lock { locked: bool },
    /// Each guest may say something once in so many seconds; 0 for as often as they like.
    Slow { seconds: u64 },
    /// So many guests at most, where that is less than the room has seats; 0 for all seats.
    Cap { guests: u64 },
    /// What the room is about, below its title; empty for nothing.
    Topic { text: String },
    /// The room's title.
    Title { text: String },
    /// What newcomers are to read first; empty for nothing.
    Rules { text: String },
    /// A message stays in sight.
    Pin {
        message: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<Said>,
    },
    /// No message is pinned any more.
    Unpin,
    /// Something that the room itself says.
    Announce { text: String },
}

/// The most messages that are deleted with one act.
pub const DELETE_MAX: usize = 100;

/// The longest time in seconds that a mute, a ban or the pause of slow mode may be given: ten years.
const SECONDS_MAX: u64 = 10 * 366 * 86_400;

/// The longest pause of slow mode in seconds: a day.
const SLOW_MAX: u64 = 86_400;

/// The longest topic in bytes.
pub const TOPIC_BYTES_MAX: usize = 300;

/// The longest rules in bytes.
pub const RULES_BYTES_MAX: usize = 4000;

/// The longest announcement in bytes.
pub const ANNOUNCEMENT_BYTES_MAX: usize = 4000;

/// The longest title in characters.
pub const TITLE_CHARACTERS_MAX: usize = 64;

/// The target of an act, by the kind of reference that the act is given as.
macro_rules! target_of {
    ($act:expr) => {
        match $act {
            Act::Role { target, .. }
            | Act::Kick { target }
            | Act::Mute { target, .. }
            | Act::Unmute { target }
            | Act::Ban { target, .. }
            | Act::Unban { target }
            | Act::DeleteAll { target } => Some(target),
            _ => None,
        }
    };
}

impl Act {
    /// The act of a guest who uses a link: who that is, and the role that it gives, the room fills in.
    pub fn claim(secret: &Token) -> Self {
        let target = Target { of: GuestId::ROOM, name: None };
        Self::Role { target, role: Role::Guest, link: Some(LinkHash::of(secret)) }
    }

    /// Its name on the wire, the member `act`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Role { .. } => "role",
            Self::Link { .. } => "link",
            Self::RevokeLinks => "revoke_links",
            Self::Kick { .. } => "kick",
            Self::Mute { .. } => "mute",
            Self::Unmute { .. } => "unmute",
            Self::Ban { .. } => "ban",
            Self::Unban { .. } => "unban",
            Self::Delete { .. } => "delete",
            Self::DeleteAll { .. } => "delete_all",
            Self::Lock { .. } => "lock",
            Self::Slow { .. } => "slow",
            Self::Cap { .. } => "cap",
            Self::Topic { .. } => "topic",
            Self::Title { .. } => "title",
            Self::Rules { .. } => "rules",
            Self::Pin { .. } => "pin",
            Self::Unpin => "unpin",
            Self::Announce { .. } => "announce",
        }
    }

    /// The guest whom it is about.
    pub fn target(&self) -> Option<&Target> {
        target_of!(self)
    }

    /// The same, to be filled in.
    pub fn target_mut(&mut self) -> Option<&mut Target> {
        target_of!(self)
    }

    /// The act as guests are told of it: without what identifies a link.
    pub fn told(&self) -> Cow<'_, Self> {
        match self {
            Self::Link { role, link: Some(_) } => Cow::Owned(Self::Link { role: *role, link: None }),
            Self::Role { target, role, link: Some(_) } => {
                Cow::Owned(Self::Role { target: target.clone(), role: *role, link: None })
            }
            _ => Cow::Borrowed(self),
        }
    }

    /// Reads and checks the members of a request.
    ///
    /// # Errors
    /// `missing_field`, `wrong_kind`, `text_empty`, `text_too_long` or `text_control`, in a sentence that names the member.
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, Refusal> {
        let target = || {
            let of = json::optional_number(members, "of")?.ok_or_else(|| json::missing("of"))?;
            Ok::<_, Refusal>(Target { of: GuestId(of), name: None })
        };
        let seconds = || json::optional_number_within(members, "seconds", 1..=SECONDS_MAX);
        let flag = |name| members.get(name).and_then(Value::as_bool).ok_or_else(|| json::missing(name));
        let number = |name, range| {
            json::optional_number_within(members, name, range)?.ok_or_else(|| json::missing(name))
        };
        Ok(match json::text(members, "act")? {
            "role" => Self::Role { target: target()?, role: role(members)?, link: None },
            "link" => match role(members)? {
                Role::Guest => {
                    return Err(Refusal::new(
                        Code::WrongKind,
                        "A link gives the role \"moderator\" or \"host\".",
                    ));
                }
                role => Self::Link { role, link: None },
            },
            "revoke_links" => Self::RevokeLinks,
            "kick" => Self::Kick { target: target()? },
            "mute" => Self::Mute { target: target()?, seconds: seconds()? },
            "unmute" => Self::Unmute { target: target()? },
            "ban" => Self::Ban { target: target()?, seconds: seconds()? },
            "unban" => Self::Unban { target: target()? },
            "delete" => Self::Delete { messages: messages(members)? },
            "delete_all" => Self::DeleteAll { target: target()? },
            "lock" => Self::Lock { locked: flag("locked")? },
            "slow" => Self::Slow { seconds: number("seconds", 0..=SLOW_MAX)? },
            "cap" => Self::Cap { guests: number("guests", 0..=10_000)? },
            "topic" => Self::Topic { text: line(members, TOPIC_BYTES_MAX)? },
            "title" => Self::Title { text: title(json::text(members, "text")?)? },
            "rules" => Self::Rules { text: text(members, RULES_BYTES_MAX)?.to_owned() },
            "pin" => Self::Pin { message: number("message", 1..=super::NUMBER_LIMIT - 1)?, said: None },
            "unpin" => Self::Unpin,
            "announce" => match text(members, ANNOUNCEMENT_BYTES_MAX)? {
                "" => return Err(Refusal::new(Code::TextEmpty, "An announcement needs something to say.")),
                text => Self::Announce { text: text.to_owned() },
            },
            other => {
                let shown: String = other.chars().take(40).collect();
                return Err(Refusal::new(
                    Code::WrongKind,
                    format!("There is no act {shown:?}; docs/protocol.md has the list."),
                ));
            }
        })
    }

    /// The form in which logs store it: JSON.
    pub fn encode(&self) -> Vec<u8> {
        // Texts and numbers, which serde_json cannot fail to write to memory.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads the form of [`Act::encode`]; `None` if it is none, or one of a newer program.
    pub fn decode(data: &[u8]) -> Option<Self> {
        serde_json::from_slice(data).ok()
    }
}

/// Checks an act that was not read from a request's JSON by the rules of one that is.
///
/// # Errors
/// As [`Act::from_members`].
pub fn checked(act: Act) -> Result<Act, Refusal> {
    match serde_json::to_value(act) {
        Ok(Value::Object(members)) => Act::from_members(&members),
        // An act is an object, and what it is made of can be written.
        _ => Err(Refusal::new(Code::WrongKind, "This is no act.")),
    }
}

fn role(members: &Map<String, Value>) -> Result<Role, Refusal> {
    match json::text(members, "role")? {
        "guest" => Ok(Role::Guest),
        "moderator" => Ok(Role::Moderator),
        "host" => Ok(Role::Host),
        _ => Err(Refusal::new(Code::WrongKind, "The member \"role\" must be one of guest, moderator, host.")),
    }
}

fn messages(members: &Map<String, Value>) -> Result<Vec<u64>, Refusal> {
    let wrong = || {
        let sentence =
            format!("The member \"messages\" must be a list of 1 to {DELETE_MAX} numbers of messages.");
        Refusal::new(Code::WrongKind, sentence)
    };
    let list = members.get("messages").ok_or_else(|| json::missing("messages"))?;
    let list = list.as_array().filter(|list| (1..=DELETE_MAX).contains(&list.len())).ok_or_else(wrong)?;
    let number = |value: &Value| json::whole(value).filter(|number| *number > 0);
    list.iter().map(|value| number(value).ok_or_else(wrong)).collect()
}

/// The member `text` in one line, without white space around it; it may be empty.
fn line(members: &Map<String, Value>, bytes_max: usize) -> Result<String, Refusal> {
    let line = text(members, bytes_max)?;
    if line.contains(['\n', '\t']) {
        return Err(Refusal::new(Code::TextControl, "This text is one line, without line breaks and tabs."));
    }
    Ok(line.to_owned())
}

fn text(members: &Map<String, Value>, bytes_max: usize) -> Result<&str, Refusal> {
    let text = json::text(members, "text")?.trim();
    if text.len() > bytes_max {
        let sentence = format!("This text may have at most {bytes_max} bytes; it has {}.", text.len());
        return Err(Refusal::new(Code::TextTooLong, sentence));
    }
    if text.chars().any(|character| character.is_control() && character != '\n' && character != '\t') {
        let sentence = "This text may have line breaks (\\n) and tabs, but no other control characters.";
        return Err(Refusal::new(Code::TextControl, sentence));
    }
    Ok(text)
}

/// Checks a room's title and takes white space from around it.
///
/// # Errors
/// `text_empty`, `text_too_long` or `text_control`.
pub fn title(given: &str) -> Result<String, Refusal> {
    let title = given.trim();
    let characters = title.chars().count();
    if title.is_empty() {
        return Err(Refusal::new(Code::TextEmpty, "A title has at least one character."));
    }
    if title.chars().any(char::is_control) {
        return Err(Refusal::new(Code::TextControl, "A title has no control characters."));
    }
    if characters > TITLE_CHARACTERS_MAX {
        let sentence =
            format!("A title may have at most {TITLE_CHARACTERS_MAX} characters; this one has {characters}.");
        return Err(Refusal::new(Code::TextTooLong, sentence));
    }
    Ok(title.to_owned())
}
