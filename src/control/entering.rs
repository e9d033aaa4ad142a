//! Answers about newcomers: who waits to be let in, and who is invited.

use serde::{Deserialize, Serialize};

use super::who::Who;

/// Who waits to be let in at this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Those who have waited longest first.
    pub waiting: Vec<WaitingLine>,
}

/// A guest who waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingLine {
    /// Who it is, by the name that they ask for, if it is no other guest's.
    #[serde(flatten)]
    pub who: Who,
    /// For how many seconds they have waited.
    pub seconds: u64,
}

/// Who is invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitations {
    /// The oldest first.
    pub invitations: Vec<InvitationLine>,
}

/// An invitation, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationLine {
    /// Its number, for `revoke_invite`.
    pub id: u64,
    /// What the host calls the person.
    pub name: String,
    /// Whether it lets in one guest alone.
    pub single_use: bool,
    /// Whether it lets newcomers in now.
    pub valid: bool,
    /// After how many seconds it ends; absent if it does not, or has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
    /// How many guests are remembered who came by it.
    pub guests: usize,
}

/// An invitation was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    /// The number of the act in the room's order.
    pub seq: u64,
    /// What the host calls the person.
    pub name: String,
    /// What follows `#invite=`.
    pub secret: String,
    /// The link at each address of the room: the onion address first, then the local one, then public ones.
    pub links: Vec<String>,
}
