//! The buckets of circuits, over all rooms of an address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::protocol::CircuitId;
use crate::rate_limit::TokenBucket;

/// The buckets of all circuits that are known in any room, or have one that is not full.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedCircuits(Arc<Mutex<HashMap<CircuitId, CircuitBuckets>>>);

/// What a circuit may do, in whichever room.
#[derive(Debug, Default)]
pub(super) struct CircuitBuckets {
    pub(super) messages: TokenBucket,
    pub(super) joins: TokenBucket,
    /// In how many rooms it is known.
    pub(super) rooms: usize,
}

impl CircuitBuckets {
    /// Those of a circuit that was not known.
    pub(super) fn new(messages: TokenBucket) -> Self {
        Self { messages, joins: TokenBucket::default(), rooms: 0 }
    }

    /// Whether they are as good as new ones.
    pub(super) fn are_full(&self, now: Instant) -> bool {
        self.messages.is_full(now) && self.joins.is_full(now)
    }
}

impl SharedCircuits {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<CircuitId, CircuitBuckets>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
