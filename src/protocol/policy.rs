//! What a room's hosts have decided and all guests are told: topic, rules, the pinned message, roles and limits.

use serde::{Deserialize, Serialize};

use super::act::{Role, Said};
use super::id::GuestId;

/// The part of a room's state that all guests are told, with the welcome and whenever they missed a change of it. What is
/// as it is without a word from a host is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What the room is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub topic: String,
    /// What newcomers are to read first.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rules: String,
    /// The message that stays in sight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Pinned>,
    /// Whether only guests who are in the room may come back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub locked: bool,
    /// Whether newcomers wait until a host or a moderator lets them in.
    #[serde(default, skip_serializing_if = "is_false")]
    pub approval: bool,
    /// Whether newcomers have to give a password.
    #[serde(default, skip_serializing_if = "is_false")]
    pub password: bool,
    /// Whether newcomers need an invitation.
    #[serde(default, skip_serializing_if = "is_false")]
    pub invited_only: bool,
    /// How many seconds a guest waits between two messages; 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slow: u64,
    /// How many guests there may be at most; 0 for as many as there are seats.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cap: u64,
    /// Whether only guests with an identity may come in.
    #[serde(default, skip_serializing_if = "is_false")]
    pub identities_required: bool,
    /// Whether guests may not write to each other privately.
    #[serde(default, skip_serializing_if = "is_false")]
    pub no_private: bool,
    /// Whether guests are told who is writing something.
    #[serde(default, skip_serializing_if = "is_false")]
    pub typing: bool,
    /// The guests with a role, present or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleOf>,
}

/// The message that stays in sight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// Its sequence number.
    pub message: u64,
    /// Its author, their name and its text.
    #[serde(flatten)]
    pub said: Said,
}

/// The role of a guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleOf {
    /// Their number.
    pub of: GuestId,
    /// Their name when they got it, where the room knew one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The role.
    pub role: Role,
}

impl Policy {
    /// The role of this guest.
    pub fn role(&self, guest: GuestId) -> Role {
        self.roles.iter().find(|entry| entry.of == guest).map_or(Role::Guest, |entry| entry.role)
    }

    /// The name that a guest with a role had when they got it, where the room knew one.
    pub fn name(&self, guest: GuestId) -> Option<&str> {
        self.roles.iter().find(|entry| entry.of == guest)?.name.as_deref()
    }
}

/// For members that are left out where they say nothing; serde gives a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !*value
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(value: &u64) -> bool {
    *value == 0
}
