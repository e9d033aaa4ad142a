//! What several events, and answers over HTTP, have in them.

use serde::Serialize;

use crate::protocol::badge::Badge;
use crate::protocol::id::GuestId;
use crate::protocol::name::Name;

/// A message that waits until a host or a moderator lets it be said.
#[derive(Debug, Clone, Copy, Serialize)]
#[allow(missing_docs, reason = "docs/protocol.md describes each member")]
pub struct HeldMessage<'a> {
    pub seq: u64,
    pub at: u64,
    pub guest: GuestId,
    pub name: &'a Name,
    pub text: &'a str,
}

/// A guest who waits to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitingGuest {
    /// Their number.
    pub id: GuestId,
    /// Their badge.
    pub badge: Badge,
    /// The name that they ask for, if it is no other guest's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// For how many seconds they have waited.
    pub seconds: u64,
}

/// A room of the address, as guests are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoomLine {
    /// Its name in addresses.
    pub name: String,
    /// Its title for people.
    pub title: String,
    /// The number of its newest entry; 0 if there is none, or none is known yet.
    pub head: u64,
    /// How many messages were said in it so far.
    pub said: u64,
    /// How many guests are in it.
    pub guests: usize,
}

/// A room in a welcome.
#[derive(Debug, Clone, Copy, Serialize)]
#[allow(missing_docs, reason = "docs/protocol.md describes each member")]
pub struct RoomName<'a> {
    pub name: &'a str,
    pub title: &'a str,
    pub epoch: &'a str,
}
