//! What lasts: the entries of a room's log, of which messages are one kind.
//!
//! Each entry is an envelope (sequence number, time, author and id, the same for every kind) around a body. An older
//! program keeps bodies of kinds that it does not know, and tells guests only that there is one.

use zeroize::Zeroize;

use super::act::Act;
use super::event::Event;
use super::id::{GuestId, MessageId};
use super::name::Name;
use super::reaction::Reactions;

/// An entry of the log: an event that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its sequence number, from 1.
    pub seq: u64,
    /// When it was published: whole seconds on the room's own clock.
    pub at: u64,
    /// Its author; [`GuestId::ROOM`] for what the room itself has to say.
    pub author: GuestId,
    /// The id that the author's program chose; with `author` it identifies the entry.
    pub id: MessageId,
    /// What it says.
    pub body: Body,
}

/// What an entry says, by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A message.
    Message {
        /// The author's name then.
        name: Name,
        /// The text.
        text: String,
    },
    /// A message that answers another one.
    Reply {
        /// The number of the message that it answers.
        to: u64,
        /// The author's name then.
        name: Name,
        /// The text.
        text: String,
    },
    /// A message that waits until a host or a moderator lets it be said.
    Held {
        /// The author's name then.
        name: Name,
        /// The text.
        text: String,
        /// The number of the message that it answers.
        to: Option<u64>,
    },
    /// A message that had to wait, and is said now by its author.
    Released {
        /// What became of it before; in a box, because nearly all entries are messages.
        release: Box<Release>,
        /// The author's name when it was written.
        name: Name,
        /// The text.
        text: String,
    },
    /// The room has another title.
    Title {
        /// The title.
        title: String,
    },
    /// A host or a moderator has done something.
    Act(Act),
    /// Something that a newer program wrote.
    Unknown {
        /// The name of the kind: 1 to [`KIND_MAX`] of `a–z _`.
        kind: String,
        /// The body as that program encoded it.
        data: Vec<u8>,
    },
}

/// What let a message be said that had to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Who has let it be said.
    pub by: GuestId,
    /// The entry in which it waited.
    pub held: u64,
    /// The id that its author's program chose.
    pub said_as: MessageId,
    /// The number of the message that it answers.
    pub to: Option<u64>,
}

/// The kind of messages.
pub const MESSAGE: &str = "message";

/// The kind of [`Body::Held`].
pub const HELD: &str = "held";

/// The kind of [`Body::Released`].
pub const RELEASED: &str = "released";

/// The kind of [`Body::Reply`].
pub const REPLY: &str = "reply";

/// The kind of [`Body::Held`] that answers a message.
const HELD_REPLY: &str = "held_reply";

/// The kind of [`Body::Released`] that answers a message.
const RELEASED_REPLY: &str = "released_reply";

/// The kinds that have the text of a message: those that a deletion of messages erases.
pub const SAID: [&str; 6] = [MESSAGE, REPLY, HELD, HELD_REPLY, RELEASED, RELEASED_REPLY];

/// The kind of [`Body::Title`].
const TITLE: &str = "title";

/// The kind of [`Body::Act`].
pub const ACT: &str = "act";

/// The most characters that the name of a kind has.
pub const KIND_MAX: usize = 32;

impl Body {
    /// The name of the kind.
    pub fn kind(&self) -> &str {
        match self {
            Self::Message { .. } => MESSAGE,
            Self::Reply { .. } => REPLY,
            Self::Held { to, .. } => to.map_or(HELD, |_| HELD_REPLY),
            Self::Released { release, .. } => release.to.map_or(RELEASED, |_| RELEASED_REPLY),
            Self::Title { .. } => TITLE,
            Self::Act(_) => ACT,
            Self::Unknown { kind, .. } => kind,
        }
    }

    /// How many bytes the retention counts: those of the text and the name, or of what stands in their place.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Message { name, text } | Self::Reply { name, text, .. } | Self::Held { name, text, .. } => {
                name.as_str().len() + text.len()
            }
            Self::Released { release, name, text } => {
                release.said_as.as_str().len() + name.as_str().len() + text.len()
            }
            Self::Title { title } => title.len(),
            Self::Act(act) => act.encode().len(),
            Self::Unknown { data, .. } => data.len(),
        }
    }

    /// Appends the body in the form in which logs store it. A message is the length of the name (16 bits, little-endian),
    /// the name and the text, also while it is held. One that was released has before that who has released it and its number
    /// (64 bits each), and the length (8 bits) and text of its id. One that answers another has the number of that before everything
    /// else (64 bits). A title is its text; an act is JSON.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.reply().map(u64::to_le_bytes).into_iter().flatten());
        match self {
            Self::Message { name, text } | Self::Reply { name, text, .. } | Self::Held { name, text, .. } => {
                encode_said(name, text, out);
            }
            Self::Released { release, name, text } => {
                let Release { by, held, said_as, .. } = &**release;
                out.extend(by.0.to_le_bytes());
                out.extend(held.to_le_bytes());
                let id = said_as.as_str().as_bytes();
                // An id has at most 64 bytes.
                out.push(id.len() as u8);
                out.extend(id);
                encode_said(name, text, out);
            }
            Self::Title { title } => out.extend(title.as_bytes()),
            Self::Act(act) => out.extend(act.encode()),
            Self::Unknown { data, .. } => out.extend(data),
        }
    }

    /// How many bytes [`Body::encode`] appends.
    pub fn encoded_bytes(&self) -> usize {
        self.bytes() + Self::members_bytes(self.kind())
    }

    /// How many bytes the stored form of this kind has beside those that [`Body::bytes`] counts.
    pub fn members_bytes(kind: &str) -> usize {
        match kind {
            MESSAGE | HELD => NAME_LENGTH,
            REPLY | HELD_REPLY => 8 + NAME_LENGTH,
            RELEASED => 8 + 8 + 1 + NAME_LENGTH,
            RELEASED_REPLY => 8 + 8 + 8 + 1 + NAME_LENGTH,
            _ => 0,
        }
    }

    /// The author's name and the text of a message that is said; `None` for every other entry, one that waits among them.
    pub fn said(&self) -> Option<(&Name, &str)> {
        match self {
            Self::Message { name, text }
            | Self::Reply { name, text, .. }
            | Self::Released { name, text, .. } => Some((name, text)),
            _ => None,
        }
    }

    /// Whether guests see it as a message: it is said, or an announcement of a host.
    pub fn is_message(&self) -> bool {
        matches!(self, Self::Act(Act::Announce { .. })) || self.said().is_some()
    }

    /// The number of the message that this one answers.
    pub fn reply(&self) -> Option<u64> {
        match self {
            Self::Reply { to, .. } => Some(*to),
            Self::Held { to, .. } => *to,
            Self::Released { release, .. } => release.to,
            _ => None,
        }
    }

    /// Puts another text in the place of that of a message.
    pub fn set_text(&mut self, now: String) {
        if let Self::Message { text, .. } | Self::Reply { text, .. } | Self::Released { text, .. } = self {
            *text = now;
        }
    }

    /// The kind as guests are told of it, where they are told no more: whether a message answers another one is not told
    /// before it is said.
    fn told_kind(&self) -> &str {
        match self {
            Self::Held { .. } => HELD,
            Self::Released { .. } => RELEASED,
            _ => self.kind(),
        }
    }

    /// Overwrites in memory what a guest said.
    pub fn wipe(&mut self) {
        match self {
            Self::Message { text, .. }
            | Self::Reply { text, .. }
            | Self::Held { text, .. }
            | Self::Released { text, .. }
            | Self::Act(Act::Edit { text, .. }) => text.zeroize(),
            Self::Act(Act::Pin { said: Some(said), .. }) => said.text.zeroize(),
            Self::Title { .. } | Self::Act(_) | Self::Unknown { .. } => {}
        }
    }

    /// Reads the form of [`Body::encode`]; `None` if it is none of this kind, or `kind` is not the name of one.
    pub fn decode(kind: &str, data: &[u8]) -> Option<Self> {
        let text = |bytes: &[u8]| Some(str::from_utf8(bytes).ok()?.to_owned());
        Some(match kind {
            MESSAGE => decode_said(data).map(|(name, text)| Self::Message { name, text })?,
            REPLY => {
                let (to, said) = decode_to(data)?;
                decode_said(said).map(|(name, text)| Self::Reply { to, name, text })?
            }
            HELD => decode_said(data).map(|(name, text)| Self::Held { name, text, to: None })?,
            HELD_REPLY => {
                let (to, said) = decode_to(data)?;
                decode_said(said).map(|(name, text)| Self::Held { name, text, to: Some(to) })?
            }
            RELEASED | RELEASED_REPLY => {
                let (to, data) = match kind {
                    RELEASED => (None, data),
                    _ => decode_to(data).map(|(to, rest)| (Some(to), rest))?,
                };
                let (by, rest) = data.split_first_chunk()?;
                let (held, rest) = rest.split_first_chunk()?;
                let (length, rest) = rest.split_first()?;
                let (id, rest) = rest.split_at_checked(usize::from(*length))?;
                let (name, said) = decode_said(rest)?;
                let release = Release {
                    by: GuestId(u64::from_le_bytes(*by)),
                    held: u64::from_le_bytes(*held),
                    said_as: MessageId::parse(str::from_utf8(id).ok()?).ok()?,
                    to,
                };
                Self::Released { release: Box::new(release), name, text: said }
            }
            TITLE => Self::Title { title: text(data)? },
            // An act of a newer program is kept as it is.
            ACT => match Act::decode(data) {
                Some(act) => Self::Act(act),
                None => Self::Unknown { kind: kind.to_owned(), data: data.to_vec() },
            },
            _ if is_kind(kind) => Self::Unknown { kind: kind.to_owned(), data: data.to_vec() },
            _ => return None,
        })
    }
}

/// How many bytes the length of a name takes.
const NAME_LENGTH: usize = 2;

fn encode_said(name: &Name, text: &str, out: &mut Vec<u8>) {
    let name = name.as_str().as_bytes();
    // A name has far fewer bytes than 16 bits count.
    out.extend((name.len() as u16).to_le_bytes());
    out.extend(name);
    out.extend(text.as_bytes());
}

/// The number of the message that is answered, and the rest.
fn decode_to(data: &[u8]) -> Option<(u64, &[u8])> {
    let (to, rest) = data.split_first_chunk()?;
    Some((u64::from_le_bytes(*to), rest))
}

fn decode_said(data: &[u8]) -> Option<(Name, String)> {
    let (length, rest) = data.split_first_chunk::<NAME_LENGTH>()?;
    let (name, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let text = |bytes: &[u8]| Some(str::from_utf8(bytes).ok()?.to_owned());
    Some((Name::from_stored(text(name)?)?, text(rest)?))
}

/// Whether this can be the name of a kind.
fn is_kind(text: &str) -> bool {
    (1..=KIND_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

impl Record {
    /// The entry as an event that says nothing of what it is: for an act whose author may not do it.
    pub fn passed_over(&self) -> Event<'_> {
        let (seq, at, guest, id) = (self.seq, self.at, self.author, self.id.as_str());
        Event::Unknown { seq, at, guest, id, kind: self.body.told_kind() }
    }

    /// The entry as an event.
    pub fn event(&self) -> Event<'_> {
        self.event_now(false, None)
    }

    /// The same; a message has with it whether its text is that of an edit, and the reactions to it.
    pub fn event_now<'a>(&'a self, edited: bool, reactions: Option<&'a Reactions>) -> Event<'a> {
        let (seq, at, guest, id) = (self.seq, self.at, self.author, self.id.as_str());
        // A message answers an earlier one, whatever its author's program says.
        let reply = self.body.reply().filter(|to| *to < seq);
        match &self.body {
            Body::Message { name, text } | Body::Reply { name, text, .. } => {
                Event::Message { seq, at, guest, name, id, text, reply, edited, reactions }
            }
            // Of what waits guests are told only its place in the order.
            Body::Held { .. } => self.passed_over(),
            // Programs that know nothing of what waits know messages.
            Body::Released { release, name, text } => {
                let id = release.said_as.as_str();
                Event::Message { seq, at, guest, name, id, text, reply, edited, reactions }
            }
            Body::Title { title } => Event::Title { seq, at, guest, id, title },
            // Programs that know nothing of acts know titles.
            Body::Act(Act::Title { text: title }) => Event::Title { seq, at, guest, id, title },
            Body::Act(act) => Event::Act { seq, at, guest, id, act: act.told() },
            Body::Unknown { kind, .. } => Event::Unknown { seq, at, guest, id, kind },
        }
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
