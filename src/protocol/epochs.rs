//! Which cursors a log understands.
//!
//! Each time a room is opened it begins an epoch, with a random name that is in the welcome and comes back with the
//! cursor. A log knows its epochs and where each began, so it knows of every cursor whether it has what the guest has
//! read: a log that went back, because a backup was put in its place, has not given the later numbers of an epoch, or has
//! never heard of it. Those numbers are given again, to other messages.

use super::request::Cursor;

/// One run of sequence numbers, from one start of the room to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// Its name on the wire.
    pub name: String,
    /// The first number that it gives.
    pub first: u64,
}

/// The epochs of a log, oldest first; at least the present one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epochs {
    earlier: Vec<Epoch>,
    present: Epoch,
}

impl Epochs {
    /// The epochs before the present one, oldest first, and the present one.
    pub fn new(earlier: Vec<Epoch>, present: Epoch) -> Self {
        Self { earlier, present }
    }

    /// The epochs of a log that begins.
    pub fn first(name: String) -> Self {
        Self::new(Vec::new(), Epoch { name, first: 1 })
    }

    /// The name of the present epoch.
    pub fn present(&self) -> &str {
        &self.present.name
    }

    /// The first number that the present epoch gives.
    pub fn begins(&self) -> u64 {
        self.present.first
    }

    /// Up to which number the log has what a guest with this cursor has read; `None` if it does not know the epoch. A
    /// cursor without an epoch is taken as it is.
    pub fn resume(&self, cursor: &Cursor) -> Option<u64> {
        let Some(name) = &cursor.epoch else { return Some(cursor.after) };
        if self.present.name == *name {
            return Some(cursor.after);
        }
        // From the newest: most guests come back to the room soon.
        let mut next = &self.present;
        for epoch in self.earlier.iter().rev() {
            if epoch.name == *name {
                return Some(cursor.after.min(next.first - 1));
            }
            next = epoch;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs() -> Epochs {
        let epoch = |name: &str, first| Epoch { name: name.into(), first };
        Epochs::new(vec![epoch("a", 1), epoch("b", 101), epoch("idle", 121)], epoch("c", 121))
    }

    fn resume(after: u64, epoch: Option<&str>) -> Option<u64> {
        epochs().resume(&Cursor { after, epoch: epoch.map(str::to_owned) })
    }

    #[test]
    fn a_cursor_counts_as_far_as_its_epoch_went() {
        assert_eq!(resume(300, Some("c")), Some(300));
        assert_eq!(resume(100, Some("a")), Some(100));
        assert_eq!(resume(7, Some("a")), Some(7));
        assert_eq!(resume(120, Some("idle")), Some(120));
        assert_eq!(resume(99, Some("b")), Some(99), "read in an earlier epoch");
        // The guest read up to 150 of an epoch that ended at 120 in this log: it went back.
        assert_eq!(resume(150, Some("b")), Some(120));
        assert_eq!(resume(3, Some("another")), None);
        assert_eq!(resume(3, None), Some(3));
    }
}
