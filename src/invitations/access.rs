//! Who may find the room at the moment.

use std::collections::BTreeMap;

use super::key::PublicKey;
use super::name::InviteeName;

/// Who may find the room through Tor, and whether those who are inside have to come in again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The keys of a private room, which may be none; `None` for a room that is open to all who know its address.
    pub invited: Option<BTreeMap<InviteeName, PublicKey>>,
    /// Goes up each time when all circuits are to be closed. Which circuit belongs to which key, a service cannot tell.
    pub closings: u64,
}

impl Access {
    /// Whether only those invited find the room.
    pub fn is_private(&self) -> bool {
        self.invited.is_some()
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.invited.as_ref().map_or(0, BTreeMap::len)
    }
}
