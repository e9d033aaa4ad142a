//! How long a room has until it is wiped by itself.

use serde::{Deserialize, Serialize};

/// How long a room still has that is wiped unless a host confirms it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// After how many days.
    pub after_days: u64,
    /// How many seconds of them are left; once they are over, how many until the wipe.
    pub seconds_left: u64,
    /// Whether less than a quarter of the time is left.
    pub soon: bool,
    /// Whether the days are over.
    pub overdue: bool,
    /// Whether the address goes, too.
    pub address: bool,
}
