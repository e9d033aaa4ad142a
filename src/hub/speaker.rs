//! Who asks the room for something, and the answers that are the same for several requests.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::protocol::{GuestId, Refusal, Say};

/// Where the answer to a command goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, Refusal>>;

/// The author of a request: a guest, and the connection if it came on one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speaker {
    pub(super) guest: GuestId,
    pub(super) connection: Option<u64>,
}

/// The number of a published message, once the log has it.
pub type PublishResult = Result<u64, Refusal>;

/// The outcome of a request to publish several messages.
#[derive(Debug, Default)]
pub struct PublishBatch {
    /// One result for each of the first messages.
    pub results: Vec<PublishResult>,
    /// The numbers of those that wait until a host or a moderator lets them be said.
    pub held: Vec<u64>,
    /// The remaining messages, if the guest's rate limit was reached, and how long to wait before the next.
    pub rate_limited: Option<(Vec<Say>, Duration)>,
}

impl PublishBatch {
    /// The outcome of one request that was refused.
    pub(super) fn refused(refusal: Refusal) -> Self {
        Self { results: vec![Err(refusal)], ..Self::default() }
    }
}

/// A message that the log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its number in the room's order.
    pub seq: u64,
    /// Whether it waits until a host or a moderator lets it be said.
    pub held: bool,
}
