//! The newest ids, so that a message which is sent again is recognised even where nothing is kept.

use std::collections::{HashMap, VecDeque};

use crate::protocol::{GuestId, MessageId};

type Key = (GuestId, MessageId);

/// The newest ids and their sequence numbers.
#[derive(Debug)]
pub(super) struct Recent {
    capacity: usize,
    numbers: HashMap<Key, u64>,
    order: VecDeque<Key>,
}

impl Recent {
    /// Remembers nothing yet, and `capacity` ids at most.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, numbers: HashMap::new(), order: VecDeque::new() }
    }

    /// The sequence number of a message that was sent before.
    pub(super) fn find(&self, guest: GuestId, id: &MessageId) -> Option<u64> {
        self.numbers.get(&(guest, id.clone())).copied()
    }

    /// Remembers a message, and forgets the oldest if there are too many.
    pub(super) fn remember(&mut self, guest: GuestId, id: MessageId, seq: u64) {
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
