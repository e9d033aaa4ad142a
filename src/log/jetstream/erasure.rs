//! Erases in the stream what is no longer kept.
//!
//! JetStream overwrites an erased message in its file. Every node may erase anything, any number of times. To save work, the
//! node that appended an entry does it, after a time in which the others read it, and tells them; what
//! they were not told of a minute later they erase themselves. What an act deletes is erased by the node that appended the act,
//! at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::iter;
use serde::Deserialize;
use tokio::time::sleep;

use super::shared::Shared;
use super::view::{Evicted, When};
use super::{identity, room};
use crate::cluster::ApiError;

/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// How many are erased at once.
const AT_ONCE: usize = 64;

/// How many are erased by one trim at most; the next goes on.
const MOST: usize = 20_000;

/// How many numbers there are in one message to the other nodes.
const TOLD: usize = 1000;

const DELETE_FAILED: ErrorCode = ErrorCode(10057);

fn subject(shared: &Shared) -> String {
    shared.connection.subject("erased")
}

/// Erases what was deleted when there is something, until the log is closed.
pub(super) async fn run(shared: &Arc<Shared>) {
    loop {
        tokio::select! {
            () = shared.closing.cancelled() => return,
            () = shared.deleted.notified() => {}
        }
        while shared.locked().view.is_erasing(shared.timing.erase_deleted) {
            let Err(error) = erase(shared).await else { continue };
            tracing::debug!(%error, "deleted messages are not erased yet");
            tokio::select! {
                () = shared.closing.cancelled() => return,
                () = sleep(PAUSE) => {}
            }
        }
    }
}

/// Erases what is due, and has the bucket remember how far the stream went.
pub(super) async fn erase(shared: &Shared) -> Result<(), ApiError> {
    let (due, state_is_kept, head) = {
        let state = shared.locked();
        let timing = shared.timing;
        let is_due = |one: &&Evicted| {
            one.since.elapsed()
                >= match one.when {
                    When::Now => timing.erase_deleted,
                    When::Own => timing.erase_own,
                    When::Others => timing.erase_others,
                }
        };
        let due: Vec<u64> = state.view.evicted.iter().filter(is_due).take(MOST).map(|one| one.seq).collect();
        (due, state.view.room_kept >= state.view.room_changed, state.view.head())
    };
    if !due.is_empty() && !state_is_kept {
        room::sync(shared).await?;
    }
    let outcomes: Vec<_> = iter(due)
        .map(|seq| async move { (seq, erase_one(shared, seq).await) })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let erased: HashSet<u64> =
        outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).map(|(seq, _)| *seq).collect();
    forget(shared, &erased);
    let numbers: Vec<u64> = erased.into_iter().collect();
    for some in numbers.chunks(TOLD) {
        let told: Vec<u8> = some.iter().flat_map(|seq| seq.to_le_bytes()).collect();
        let _ = shared.connection.client().publish(subject(shared), Bytes::from(told)).await;
    }
    if let Some((_, Err(error))) = outcomes.into_iter().find(|(_, outcome)| outcome.is_err()) {
        return Err(error);
    }
    if head > 0 {
        identity::remember_head(&shared.bucket, head).await?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Done {}

async fn erase_one(shared: &Shared, seq: u64) -> Result<(), ApiError> {
    let ask = serde_json::json!({ "seq": seq });
    match shared.connection.api::<Done>(&format!("STREAM.MSG.DELETE.{}", shared.stream), &ask).await {
        Ok(Done {}) => Ok(()),
        // It is gone: another node was first, or the stream's own limits.
        Err(error) if is_gone(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

fn is_gone(error: &ApiError) -> bool {
    match error {
        ApiError::Refused(refused) => {
            matches!(refused.error_code(), ErrorCode::SEQUENCE_NOT_FOUND | ErrorCode::NO_MESSAGE_FOUND)
                // A deletion that fails has one number for all causes.
                || (refused.error_code() == DELETE_FAILED
                    && ["not found", "no message"].iter().any(|words| refused.to_string().contains(words)))
        }
        ApiError::NoAnswer(_) | ApiError::NoJetStream => false,
    }
}

fn forget(shared: &Shared, erased: &HashSet<u64>) {
    if !erased.is_empty() {
        shared.locked().view.evicted.retain(|one| !erased.contains(&one.seq));
    }
}

/// Takes note of what other nodes have erased, until the log is closed.
pub(super) async fn listen(shared: &Arc<Shared>) {
    let Ok(mut told) = shared.connection.client().subscribe(subject(shared)).await else { return };
    loop {
        let message = tokio::select! {
            () = shared.closing.cancelled() => return,
            message = told.next() => message,
        };
        let Some(message) = message else { return };
        let (numbers, _) = message.payload.as_chunks::<8>();
        forget(shared, &numbers.iter().map(|seq| u64::from_le_bytes(*seq)).collect());
    }
}
