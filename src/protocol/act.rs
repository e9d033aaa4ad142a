//! What hosts and moderators do: acts, which are one kind of entry in the room's log.
//!
//! An act has the same form wherever it stands: in a request, in the log, and in the event that tells the guests. What only
//! the room may say, such as the text that is pinned, is not read from a request.

use serde::{Deserialize, Serialize};

use super::entering::{InvitationRef, Proof};
use super::id::GuestId;
use super::passphrase::Passphrase;
use super::reaction::{self, Emoji};
use super::token::Token;

pub use super::entering::LinkHash;

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

/// For members that are left out where they say nothing; serde gives a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !*value
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
    /// A guest may say nothing, for so many seconds or until it is taken back; or all who came by the same invitation.
    Mute {
        #[serde(flatten)]
        target: Target,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
        #[serde(default, skip_serializing_if = "is_false")]
        invitation: bool,
    },
    /// A mute is taken back.
    Unmute {
        #[serde(flatten)]
        target: Target,
    },
    /// A guest is put out and may not come back, for so many seconds or until it is taken back; or all who came by the same
    /// invitation.
    Ban {
        #[serde(flatten)]
        target: Target,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
        #[serde(default, skip_serializing_if = "is_false")]
        invitation: bool,
    },
    /// A ban is taken back.
    Unban {
        #[serde(flatten)]
        target: Target,
    },
    /// Messages are deleted. `own` are a guest's own ones, which the room has made sure of.
    Delete {
        messages: Vec<u64>,
        #[serde(default, skip_serializing_if = "is_false")]
        own: bool,
    },
    /// All messages of a guest are deleted.
    DeleteAll {
        #[serde(flatten)]
        target: Target,
    },
    /// Only guests who are in the room may come back; or all may come again.
    Lock { locked: bool },
    /// Newcomers wait until they are let in, or do so no more. `present` are the guests who were in the room then.
    Approval {
        approval: bool,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        present: Vec<GuestId>,
    },
    /// A guest is let in: by a host or a moderator, or by the room for a proof.
    Admit {
        #[serde(flatten)]
        target: Target,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Proof>,
    },
    /// A guest who waits is turned away, for so many seconds or until it is taken back.
    Reject {
        #[serde(flatten)]
        target: Target,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
    },
    /// Newcomers give a password, or need none any more. The text is in no output, and the log has its hash.
    Password {
        password: bool,
        #[serde(skip)]
        text: Option<Passphrase>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hash: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        present: Vec<GuestId>,
    },
    /// Newcomers need an invitation, or do so no more.
    InvitedOnly {
        invited_only: bool,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        present: Vec<GuestId>,
    },
    /// There is an invitation now, for the person whom the host calls so.
    Invite {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        single_use: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<LinkHash>,
    },
    /// An invitation lets no guest in any more, and those who came by it are put out.
    RevokeInvite {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invite: Option<InvitationRef>,
    },
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
    /// A message that has one of these words waits for a host or a moderator; none for no such words. Guests are told only
    /// how many there are.
    Words {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<Vec<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<usize>,
    },
    /// Messages that wait are said. It is a request only: the log has each of them as an entry of the kind `released`.
    Release { messages: Vec<u64> },
    /// A guest says one of their own messages in other words.
    Edit { message: u64, text: String },
    /// A guest puts an emoji to a message, in place of the one that they had put to it; `None` takes it back.
    React {
        message: u64,
        #[serde(with = "reaction::optional")]
        emoji: Option<Emoji>,
    },
    /// A guest reserves the name that they have, or uses their reserved name again.
    Reserve {
        /// The name; the room fills it in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The name that the guest's passphrase was made with, where they have one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        under: Option<String>,
    },
    /// A guest gives up their reserved name.
    ReleaseName,
    /// A guest's reserved name is taken from them.
    Unreserve {
        #[serde(flatten)]
        target: Target,
    },
    /// Guests may write to each other privately, or do so no more.
    Private { private: bool },
    /// Guests are told who is writing something, or not any more.
    Typing { typing: bool },
    /// Only guests with an identity may come in; or all may come again.
    Identities { required: bool },
}

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
            | Act::Admit { target, .. }
            | Act::Reject { target, .. }
            | Act::DeleteAll { target }
            | Act::Unreserve { target } => Some(target),
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
            Self::Approval { .. } => "approval",
            Self::Admit { .. } => "admit",
            Self::Reject { .. } => "reject",
            Self::Password { .. } => "password",
            Self::InvitedOnly { .. } => "invited_only",
            Self::Invite { .. } => "invite",
            Self::RevokeInvite { .. } => "revoke_invite",
            Self::Slow { .. } => "slow",
            Self::Cap { .. } => "cap",
            Self::Topic { .. } => "topic",
            Self::Title { .. } => "title",
            Self::Rules { .. } => "rules",
            Self::Pin { .. } => "pin",
            Self::Unpin => "unpin",
            Self::Announce { .. } => "announce",
            Self::Words { .. } => "words",
            Self::Release { .. } => "release",
            Self::Edit { .. } => "edit",
            Self::React { .. } => "react",
            Self::Reserve { .. } => "reserve",
            Self::ReleaseName => "release_name",
            Self::Unreserve { .. } => "unreserve",
            Self::Private { .. } => "private",
            Self::Typing { .. } => "typing",
            Self::Identities { .. } => "identities",
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

    /// The guests who were present when the room was closed to newcomers, to be filled in; `None` for every other act.
    pub fn present_mut(&mut self) -> Option<&mut Vec<GuestId>> {
        match self {
            Self::Approval { approval: true, present }
            | Self::Password { password: true, present, .. }
            | Self::InvitedOnly { invited_only: true, present } => Some(present),
            _ => None,
        }
    }

    /// The hash of the link that it makes, to be filled in; `None` for an act that makes none.
    pub fn link_mut(&mut self) -> Option<&mut Option<LinkHash>> {
        match self {
            Self::Link { link, .. } | Self::Invite { link, .. } => Some(link),
            _ => None,
        }
    }

    /// Whether it is what all guests may do, where it is of this one: about themselves, or about what they have said.
    pub fn is_own(&self, author: GuestId) -> bool {
        match self {
            Self::Reserve { .. } | Self::ReleaseName | Self::Edit { .. } | Self::React { .. } => true,
            Self::Delete { own, .. } => *own,
            Self::DeleteAll { target } => target.of == author && author != GuestId::ROOM,
            _ => false,
        }
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
