//! The deduplication window: recognises a message that is sent again even where nothing is kept.

use std::collections::{HashMap, VecDeque};

use crate::protocol::{GuestId, MessageId};

/// The author and the id of an entry.
pub(super) type Key = (GuestId, MessageId);

/// The newest ids with their sequence numbers.
#[derive(Debug)]
pub(super) struct DedupWindow {
    capacity: usize,
    numbers: HashMap<Key, u64>,
    order: VecDeque<Key>,
}

impl DedupWindow {
    /// An empty window for `capacity` ids.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, numbers: HashMap::new(), order: VecDeque::new() }
    }

    /// The sequence number of this entry, if it is in the window.
    pub(super) fn find(&self, key: &Key) -> Option<u64> {
        self.numbers.get(key).copied()
    }

    /// Inserts an entry, and drops the oldest beyond the capacity.
    pub(super) fn insert(&mut self, guest: GuestId, id: MessageId, seq: u64) {
        if self.numbers.insert((guest, id.clone()), seq).is_none() {
            self.order.push_back((guest, id));
        }
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.numbers.remove(&oldest);
        }
    }
}
