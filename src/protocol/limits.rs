//! What a room allows and keeps, as guests are told.

use serde::Serialize;

/// The retention: messages beyond either limit are erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// How many of the newest messages; 0 for none at all.
    pub messages: usize,
    /// For how many days at most; 0 for any time.
    pub days: u64,
}

/// What a room allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The longest text, in bytes of UTF-8.
    pub message_bytes: usize,
    /// The longest name, in characters as people count them.
    pub name_characters: usize,
    /// How many guests may be here at once.
    pub guests: usize,
    /// For how many seconds a guest may edit what they have said; 0 for never.
    pub edit_seconds: u64,
}
