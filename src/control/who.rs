//! A guest, as answers name them.

use serde::{Deserialize, Serialize};

use crate::protocol::{Badge, GuestId};

/// A guest: their number, their badge and their name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// Their number.
    pub number: u64,
    /// The characters of their badge.
    pub badge: String,
    /// Their name now, or when something was decided about them; absent where the room does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Who {
    /// The guest with this number and this name.
    pub fn new(number: GuestId, name: Option<&str>) -> Self {
        let badge = Badge::of(number).characters();
        Self { number: number.0, badge, name: name.map(str::to_owned) }
    }
}
