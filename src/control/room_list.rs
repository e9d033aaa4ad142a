//! The rooms of an address, as the socket tells them.

use serde::{Deserialize, Serialize};

/// The rooms of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomList {
    /// The main one first, then by their names.
    pub rooms: Vec<RoomLine>,
}

/// A room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomLine {
    /// Its name in addresses.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Whether guests find it in the list of rooms.
    pub listed: bool,
    /// Whether it is in the configuration file, as the main one always is.
    pub configured: bool,
    /// How many guests are in it; absent where no room is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guests: Option<usize>,
}
