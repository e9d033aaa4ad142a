//! A message that waits, as the state has it: without its text.

use serde::{Deserialize, Serialize};

use crate::protocol::GuestId;

/// The most messages that wait in a room, and the most of one guest.
pub const HELD_IN_ROOM: usize = 100;
/// See [`HELD_IN_ROOM`].
pub const HELD_OF_GUEST: usize = 10;

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLine {
    /// Its number in the order.
    pub seq: u64,
    /// Its author.
    pub by: GuestId,
    /// The id that its author's program chose.
    pub id: String,
}
