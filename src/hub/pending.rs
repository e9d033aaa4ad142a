//! What is appended to the log next, and the requests that wait for it.

use std::time::Duration;

use tokio::sync::oneshot;

use super::command::{PublishBatch, PublishResult};
use crate::log::{Entry, LogError};
use crate::protocol::{Refusal, Say};

/// Entries for the next append, and the requests to answer after it.
#[derive(Default)]
pub(super) struct PendingAppend {
    pub(super) entries: Vec<Entry>,
    pub(super) requests: Vec<PendingPublish>,
}

/// A request to publish that is answered after the append. Each of its messages was either refused before, or is
/// the next of the entries.
pub(super) struct PendingPublish {
    pub(super) refused: Vec<Option<Refusal>>,
    pub(super) rate_limited: Option<(Vec<Say>, Duration)>,
    pub(super) reply: oneshot::Sender<PublishBatch>,
}

/// Whether the log stores messages. A change is told once, however many messages are refused: a disk that is full would
/// otherwise fill with it.
#[derive(Default)]
pub(super) struct Storing {
    fails: bool,
}

impl Storing {
    /// So many were stored.
    pub(super) fn stored(&mut self, count: usize) {
        if count > 0 && std::mem::take(&mut self.fails) {
            tracing::warn!("the log stores messages again");
        }
    }

    /// None were.
    pub(super) fn failed(&mut self, error: &LogError) {
        if !std::mem::replace(&mut self.fails, true) {
            tracing::error!(%error, "messages are refused because the log cannot store them");
        }
    }
}

/// Answers requests to publish; `appended` is called for each message that was not refused before, in their order.
pub(super) fn answer(requests: Vec<PendingPublish>, mut appended: impl FnMut() -> PublishResult) {
    for PendingPublish { refused, rate_limited, reply } in requests {
        let results = refused.into_iter().map(|refused| refused.map_or_else(&mut appended, Err)).collect();
        let _ = reply.send(PublishBatch { results, rate_limited });
    }
}
