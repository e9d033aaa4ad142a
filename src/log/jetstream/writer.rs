//! Sends entries to the stream, and asks for those that do not come back.
//!
//! Many are under way at once, in their order, and none asks for an acknowledgement: the stream takes one only if its subject
//! has none yet, and what it has taken comes back to the view. What does not come back in time is sent again with a question
//! (what happened is not known: the connection or a server may have been lost). The answer is that it was taken now, or that
//! the subject has an entry, or why it is refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::response::Response;
use async_nats::{HeaderMap, Request};
use bytes::Bytes;
use futures_util::stream::{FuturesOrdered, StreamExt};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::shared::{Outgoing, Shared, unreachable};
use super::wire::Token;
use crate::log::Appended;

/// How many are sent together.
const BATCH: usize = 128;

/// How many are asked for at once.
const ASKED: usize = 256;

/// How often the appends under way are looked at.
const TICK: Duration = Duration::from_millis(100);

/// Only if the subject has no entry yet.
fn once() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
    headers
}

/// Sends what is to be sent, until the log is closed.
pub(super) async fn send(shared: &Shared, mut outgoing: mpsc::UnboundedReceiver<Outgoing>) {
    let (client, once) = (shared.connection.client(), once());
    let mut link = shared.connection.link();
    let mut batch = Vec::with_capacity(BATCH);
    while outgoing.recv_many(&mut batch, BATCH).await > 0 {
        // While the connection is lost the client would keep them, and send them long after they have failed.
        while !shared.may_send() {
            let _ = timeout(TICK, link.changed()).await;
        }
        let Ok(places) = shared.window.acquire_many(batch.len() as u32).await else { return };
        places.forget();
        let now = Instant::now();
        let mut gone = 0;
        {
            let mut state = shared.locked();
            batch.retain(|out| {
                let waits = state.appends.sending(&out.token, now);
                gone += usize::from(!waits);
                waits
            });
        }
        shared.window.add_permits(gone);
        for Outgoing { subject, payload, .. } in batch.drain(..) {
            if let Err(error) = client.publish_with_headers(subject, once.clone(), payload).await {
                tracing::debug!(%error, "an entry was not sent");
            }
        }
    }
}

/// Looks after the appends under way: asks for what does not come back, and fails what is late.
pub(super) async fn watch(shared: &Arc<Shared>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut link = shared.connection.link();
    let mut asking: Option<tokio::task::JoinHandle<()>> = None;
    let mut at_once = false;
    loop {
        tokio::select! {
            () = shared.closing.cancelled() => break,
            changed = link.changed() => {
                // What was under way when the connection broke may be lost.
                at_once |= link.borrow().is_up();
                if changed.is_err() {
                    break;
                }
                continue;
            }
            _ = ticks.tick() => {}
        }
        let refusal = shared.refusal();
        let after = if refusal.is_some() { Duration::ZERO } else { shared.timing.append };
        let freed = shared
            .locked()
            .appends
            .expire(after, |reason| refusal.clone().unwrap_or_else(|| unreachable(reason)));
        shared.window.add_permits(freed);
        if asking.as_ref().is_none_or(|asking| asking.is_finished()) && shared.may_send() {
            let ask = if std::mem::take(&mut at_once) { Duration::ZERO } else { shared.timing.ask };
            let overdue = shared.locked().appends.overdue(ask, usize::MAX);
            if !overdue.is_empty() {
                let shared = Arc::clone(shared);
                asking = Some(tokio::spawn(async move { ask_for(&shared, overdue).await }));
            }
        }
    }
    if let Some(asking) = asking {
        asking.abort();
    }
    let error = shared.refusal().unwrap_or_else(|| unreachable(None));
    shared.locked().appends.expire(Duration::ZERO, |_| error.clone());
}

/// Sends these again, in their order, and takes account of the answers.
async fn ask_for(shared: &Shared, overdue: Vec<(Token, Bytes)>) {
    tracing::debug!(count = overdue.len(), "entries that did not come back are asked for");
    let mut answers = FuturesOrdered::new();
    for (token, payload) in overdue {
        if answers.len() >= ASKED {
            answers.next().await;
        }
        if !shared.locked().appends.sending(&token, Instant::now()) {
            continue;
        }
        answers.push_back(ask(shared, token, payload));
    }
    while answers.next().await.is_some() {}
}

/// What the stream says of a message that was sent with a question.
#[derive(Deserialize)]
struct Ack {
    #[expect(dead_code, reason = "the view finds it there")]
    seq: u64,
}

async fn ask(shared: &Shared, token: Token, payload: Bytes) {
    let request = Request::new().headers(once()).payload(payload).timeout(Some(shared.timing.ask));
    let asked = shared.connection.client().send_request(shared.wire.subject(&token), request);
    let answer = match timeout(shared.timing.ask, asked).await {
        Ok(Ok(answer)) => serde_json::from_slice::<Response<Ack>>(&answer.payload),
        Ok(Err(error)) => return shared.locked().appends.note(&token, error.to_string()),
        Err(_) => return,
    };
    match answer {
        // It comes.
        Ok(Response::Ok(_)) => {}
        Ok(Response::Err { error }) if error.error_code() == ErrorCode::STREAM_WRONG_LAST_SEQUENCE => {
            find(shared, token).await;
        }
        Ok(Response::Err { error }) => shared.locked().appends.note(&token, error.to_string()),
        Err(error) => shared.locked().appends.note(&token, error.to_string()),
    }
}

/// The newest message of a subject, as JetStream tells it.
#[derive(Deserialize)]
struct Found {
    message: Number,
}

#[derive(Deserialize)]
struct Number {
    seq: u64,
}

/// The stream has an entry of this token. If the view has read past it and does not know it any more, it is one that is no
/// longer kept and not yet erased.
async fn find(shared: &Shared, token: Token) {
    let subject = shared.wire.subject(&token);
    let ask = serde_json::json!({ "last_by_subj": subject.as_str() });
    let found = shared.connection.api::<Found>(&format!("STREAM.MSG.GET.{}", shared.stream), &ask).await;
    let Ok(Found { message: Number { seq } }) = found else { return };
    let mut state = shared.locked();
    if seq <= state.view.head() {
        let freed = state.appends.resolved(&token, Appended::Duplicate(seq));
        drop(state);
        shared.window.add_permits(freed);
    }
}
