//! How long things may take.

use std::time::Duration;

/// How long a [`JetStreamLog`](super::JetStreamLog) waits for what.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// After this time an append fails that is not known to be in the stream.
    pub append: Duration,
    /// After this time an entry that has not come back is sent again, with a question.
    pub ask: Duration,
    /// How often the stream says that it is there; without three of them it is asked for anew.
    pub heartbeat: Duration,
    /// How long what this node appended stays in the stream after it is no longer kept: so that the other nodes get it.
    pub erase_own: Duration,
    /// The same for what other nodes appended, which these erase themselves while they run.
    pub erase_others: Duration,
    /// How long what an act of this node deletes stays in the stream.
    pub erase_deleted: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            append: Duration::from_secs(10),
            ask: Duration::from_secs(2),
            heartbeat: Duration::from_secs(1),
            erase_own: Duration::from_secs(10),
            erase_others: Duration::from_secs(70),
            erase_deleted: Duration::ZERO,
        }
    }
}
