//! The deduplication window: recognises a message that is sent again even where nothing is kept.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use crate::protocol::{GuestId, MessageId};

/// The author and the id of an entry.
pub(super) type Key = (GuestId, MessageId);

/// The newest ids with their sequence numbers.
#[derive(Debug)]
pub(super) struct DedupWindow<K = Key> {
    capacity: usize,
    numbers: HashMap<K, u64>,
    order: VecDeque<K>,
}

impl<K: Clone + Eq + Hash> DedupWindow<K> {
    /// An empty window for `capacity` ids.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, numbers: HashMap::new(), order: VecDeque::new() }
    }

    /// The sequence number of this entry, if it is in the window.
    pub(super) fn find(&self, key: &K) -> Option<u64> {
        self.numbers.get(key).copied()
    }

    /// Inserts an entry, and drops the oldest beyond the capacity.
    pub(super) fn insert(&mut self, key: K, seq: u64) {
        if self.numbers.insert(key.clone(), seq).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.numbers.remove(&oldest);
        }
    }
}
