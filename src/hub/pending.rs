//! What is appended to the log next, and the requests that wait for it.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;

use super::command::{PublishBatch, PublishResult, closing, storage_unavailable};
use crate::log::{Appended, Entry, LogError, RoomState};
use crate::protocol::{Code, Refusal, Say};

/// Entries for the next append, and the requests to answer after it.
#[derive(Default)]
pub(super) struct PendingAppend {
    pub(super) entries: Vec<Entry>,
    pub(super) requests: Vec<PendingPublish>,
}

impl PendingAppend {
    /// Adds what came later.
    pub(super) fn extend(&mut self, later: Self) {
        self.entries.extend(later.entries);
        self.requests.extend(later.requests);
    }
}

/// A request to publish that is answered after the append.
pub(super) struct PendingPublish {
    /// For each of its messages why it was refused before, or any number if it is the next of the entries.
    pub(super) results: Vec<PublishResult>,
    pub(super) rate_limited: Option<(Vec<Say>, Duration)>,
    pub(super) reply: oneshot::Sender<PublishBatch>,
}

/// Answers requests to publish, when the log has answered for their messages that were not refused before. `state` says which
/// of them wait. Acts that are `refused` have their place in the order and do not count there.
pub(super) fn answer(
    requests: Vec<PendingPublish>,
    appended: &Result<Vec<Appended>, LogError>,
    state: &RoomState,
    refused: &VecDeque<u64>,
) {
    let mut numbers = appended.iter().flatten().map(|appended| appended.seq());
    let mut next = || match appended {
        Ok(_) => match numbers.next() {
            Some(seq) if refused.contains(&seq) => Err(outrun()),
            number => number.ok_or_else(closing),
        },
        Err(error) => Err(storage_unavailable(error.clone())),
    };
    for PendingPublish { mut results, rate_limited, reply } in requests {
        results.iter_mut().filter(|result| result.is_ok()).for_each(|result| *result = next());
        let held = match state.held() {
            [] => Vec::new(),
            _ => results.iter().flatten().copied().filter(|seq| state.is_held(*seq)).collect(),
        };
        let _ = reply.send(PublishBatch { results, held, rate_limited });
    }
}

/// Why an act does not count that could have been done a moment before.
fn outrun() -> Refusal {
    let sentence = "Something else was decided at the same moment, so this was not done. Look at the room, and try again.";
    Refusal::new(Code::NotAllowed, sentence)
}
