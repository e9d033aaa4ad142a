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

impl Confirmation {
    /// How long there is left, in words: to the day, and to the minute when it is less than two days.
    pub fn left(&self) -> String {
        match self.seconds_left.div_ceil(60) {
            minutes @ 0..60 => format!("{minutes}m"),
            minutes @ 60..2880 => format!("{}h {}m", minutes / 60, minutes % 60),
            minutes => format!("{} days", minutes / (24 * 60)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_short() {
        let left = |seconds_left| {
            Confirmation { after_days: 60, seconds_left, soon: false, overdue: false, address: false }.left()
        };
        let times = [0, 61, 3600, 172_799, 172_800, 60 * 86_400];
        assert_eq!(times.map(left), ["0m", "2m", "1h 0m", "2 days", "2 days", "60 days"]);
    }
}
