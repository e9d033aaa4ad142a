//! Reads the stream in its order into the view.
//!
//! The stream pushes its entries to a consumer that belongs to this node alone and needs no acknowledgement. The consumer
//! numbers what it delivers and says every second how far it is; where a number is missing, or nothing comes, another
//! consumer goes on after the last entry that was read. A consumer lives on one server and ends with it.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, Config, DeliverPolicy, Info, ReplayPolicy};
use async_nats::jetstream::{ErrorCode, stream};
use async_nats::{Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use super::identity;
use super::shared::{Reading, Shared};
use crate::cluster::ApiError;

/// How many entries are taken together at most.
const BATCH: usize = 512;

/// The pause before the stream is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a stream may not be there, or end before what was read of it: a new leader may not have caught up.
const BEHIND: Duration = Duration::from_secs(10);

/// Reads until the log is closed, or the stream turns out to be another one.
pub(super) async fn run(shared: &Shared) {
    let mut behind_since = None;
    loop {
        let ended = tokio::select! {
            () = shared.closing.cancelled() => return,
            ended = read(shared) => ended,
        };
        match ended {
            Ended::Again(reason) => tracing::debug!(reason, "the stream is read by another consumer"),
            Ended::Another(found) => {
                let since = *behind_since.get_or_insert_with(Instant::now);
                if found == Found::Replaced || since.elapsed() >= BEHIND {
                    return lose(shared, found).await;
                }
                sleep(PAUSE).await;
                continue;
            }
        }
        behind_since = None;
        sleep(PAUSE).await;
    }
}

/// Why a consumer is given up.
enum Ended {
    Again(String),
    /// The stream is not the one that was read before.
    Another(Found),
}

/// What is there in place of the stream that was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// None.
    Nothing,
    /// One that ends at this number, which is less.
    Shorter(u64),
    /// One with other entries under the same numbers.
    Replaced,
}

/// The stream lost entries that were read: this node must not go on with numbers that are given again.
async fn lose(shared: &Shared, found: Found) {
    let head = shared.locked().view.head();
    let (what, remembered) = match found {
        Found::Nothing => ("is gone".into(), head),
        Found::Shorter(last) => (format!("ends at {last}"), head),
        Found::Replaced => ("has other messages".into(), identity::ANOTHER_EPOCH),
    };
    let reason = format!(
        "the room's stream in NATS {what}, and this node has read it up to {head}: it was deleted, restored from a backup or \
         made anew. Restart onionroom on each machine"
    );
    tracing::error!("{reason}.");
    // So that the next start begins a new epoch, whatever the bucket was restored to.
    let _ = identity::remember_head(&shared.bucket, remembered).await;
    shared.reading.send_replace(Reading::Lost(reason));
    shared.locked().view.end();
}

async fn read(shared: &Shared) -> Ended {
    let client = shared.connection.client();
    let mut link = shared.connection.link();
    let up = *link.borrow_and_update();
    let after = shared.locked().view.head();
    let again = |reason: &dyn std::fmt::Display| Ended::Again(reason.to_string());
    let inbox = client.new_inbox();
    let mut messages = match client.subscribe(inbox.clone()).await {
        Ok(messages) => messages,
        Err(error) => return again(&error),
    };
    let name = inbox.rsplit('.').next().unwrap_or_default().to_owned();
    let info = format!("STREAM.INFO.{}", shared.stream);
    let last = match shared.connection.api::<stream::Info>(&info, &()).await {
        Ok(info) if info.created.unix_timestamp_nanos() != shared.made => {
            return Ended::Another(Found::Replaced);
        }
        Ok(info) => info.state.last_sequence,
        Err(error) if error.code() == Some(ErrorCode::STREAM_NOT_FOUND) => {
            return Ended::Another(Found::Nothing);
        }
        Err(error) => return again(&error),
    };
    if last < after {
        return Ended::Another(Found::Shorter(last));
    }
    match has_the_newest(shared).await {
        Ok(true) => shared.note_checked(up),
        Ok(false) => return Ended::Another(Found::Replaced),
        Err(error) => return again(&error),
    }
    let request = serde_json::json!({
        "stream_name": shared.stream,
        "config": config(shared, after + 1, &name, inbox),
    });
    let subject = format!("CONSUMER.CREATE.{}.{name}", shared.stream);
    let pending = match shared.connection.api::<Info>(&subject, &request).await {
        Ok(info) => info.num_pending,
        Err(error) => return again(&error),
    };
    let mut consumer = Consumer { shared, last, taken: 0, current: false };
    if pending == 0
        && let Err(error) = consumer.look_for_the_end().await
    {
        return again(&error);
    }
    let reason = tokio::select! {
        reason = consumer.run(&mut messages) => reason,
        () = async { while link.changed().await.is_ok() && !link.borrow().is_up() {} } => "the connection came back".into(),
    };
    // On servers that are there it ends at once, and not after its threshold.
    let _ = client.publish(format!("$JS.API.CONSUMER.DELETE.{}.{name}", shared.stream), Bytes::new()).await;
    Ended::Again(reason)
}

/// Whether the stream has the newest entry that was read of it, or none under its number, which may have been erased.
async fn has_the_newest(shared: &Shared) -> Result<bool, ApiError> {
    let Some((seq, token)) = shared.locked().view.newest() else { return Ok(true) };
    let ask = serde_json::json!({ "seq": seq });
    match shared.connection.api::<Got>(&format!("STREAM.MSG.GET.{}", shared.stream), &ask).await {
        Ok(got) => Ok(got.message.subject == shared.wire.subject(&token).as_str()),
        Err(error) if error.code() == Some(ErrorCode::NO_MESSAGE_FOUND) => Ok(true),
        Err(error) => Err(error),
    }
}

/// An entry, as JetStream tells it.
#[derive(Deserialize)]
struct Got {
    message: Stored,
}

#[derive(Deserialize)]
struct Stored {
    subject: String,
}

fn config(shared: &Shared, start_sequence: u64, name: &str, inbox: String) -> Config {
    Config {
        name: Some(name.to_owned()),
        deliver_subject: Some(inbox),
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
        ack_policy: AckPolicy::None,
        replay_policy: ReplayPolicy::Instant,
        max_deliver: 1,
        flow_control: true,
        idle_heartbeat: shared.timing.heartbeat,
        memory_storage: true,
        num_replicas: 1,
        inactive_threshold: shared.timing.heartbeat * 30,
        ..Config::default()
    }
}

/// One consumer.
struct Consumer<'a> {
    shared: &'a Shared,
    /// Where the stream ended when it was made.
    last: u64,
    /// How many entries it has delivered.
    taken: u64,
    current: bool,
}

impl Consumer<'_> {
    /// Takes what it delivers; returns why it is of no more use.
    async fn run(&mut self, messages: &mut Subscriber) -> String {
        let patience = self.shared.timing.heartbeat * 3;
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            match timeout(patience, messages.next()).await {
                Ok(Some(message)) => batch.push(message),
                Ok(None) => return "the subscription ended".into(),
                Err(_) => return "nothing came".into(),
            }
            while batch.len() < BATCH
                && let Some(Some(message)) = messages.next().now_or_never()
            {
                batch.push(message);
            }
            let mut entries = Vec::with_capacity(batch.len());
            for message in batch.drain(..) {
                if message.status == Some(StatusCode::IDLE_HEARTBEAT) {
                    self.take(&mut entries);
                    if let Err(reason) = self.control(message).await {
                        return reason;
                    }
                    continue;
                }
                let Some(place) = Place::of(&message) else { continue };
                if place.consumer != self.taken + 1 {
                    self.take(&mut entries);
                    return format!("delivery {} came after {}", place.consumer, self.taken);
                }
                self.taken = place.consumer;
                entries.push((place, message));
            }
            self.take(&mut entries);
        }
    }

    /// Answers what the consumer says of itself, when it has nothing to deliver.
    async fn control(&mut self, message: Message) -> Result<(), String> {
        let header = |name: &str| message.headers.as_ref()?.get(name).map(|value| value.as_str().to_owned());
        // Flow control: it goes on when it is answered, here or after a heartbeat that says that it waits.
        let waits =
            message.reply.as_ref().map(ToString::to_string).or_else(|| header("Nats-Consumer-Stalled"));
        if let Some(waits) = waits {
            let _ = self.shared.connection.client().publish(waits, Bytes::new()).await;
            return Ok(());
        }
        match header("Nats-Last-Consumer").and_then(|last| last.parse::<u64>().ok()) {
            Some(last) if last != self.taken => {
                Err(format!("{last} were delivered, and {} came", self.taken))
            }
            _ if self.current => Ok(()),
            _ => self.look_for_the_end().await.map_err(|error| error.to_string()),
        }
    }

    /// Takes entries into the view, tells those who follow, and answers those who wait for them.
    fn take(&mut self, entries: &mut Vec<(Place, Message)>) {
        if entries.is_empty() {
            return;
        }
        let shared = self.shared;
        let (mut freed, mut changed, mut unread) = (0, false, 0);
        // Decrypted before the lock is taken.
        let opened: Vec<_> = entries
            .drain(..)
            .map(|(place, message)| {
                (place.stream, shared.wire.open(&shared.node, &message.subject, &message.payload))
            })
            .collect();
        let mut told = Vec::with_capacity(opened.len());
        let mut state = shared.locked();
        for (seq, opened) in opened {
            let Some(opened) = opened else {
                state.view.end_at(&shared.wire, seq);
                unread += 1;
                continue;
            };
            // Something was left out: it may have changed the state of the room.
            changed |= seq > state.view.head() + 1 && self.current;
            let (token, own) = (opened.token, opened.packed.is_own());
            changed |= !opened.packed.is_message();
            state.view.take(&shared.wire, seq, opened, &mut told);
            freed += state.appends.delivered(&token, seq, own);
        }
        state.view.tell(told);
        let erasing = changed && state.view.is_erasing(shared.timing.erase_deleted);
        drop(state);
        if unread > 0 {
            tracing::error!(
                unread,
                "entries of the stream cannot be read: they were encrypted with another key, or by a newer version"
            );
        }
        shared.window.add_permits(freed);
        if changed {
            shared.room.notify_one();
        }
        if erasing {
            shared.deleted.notify_one();
        }
        if !self.current && shared.locked().view.head() >= self.last {
            self.is_current();
        }
    }

    /// Whether it has delivered everything that was there when it was made, now that it has nothing more to deliver. Its server
    /// may be behind the stream, after a stop for instance, and not know of what is missing: so the numbers that it has not
    /// delivered count as erased only where the stream itself says so, in one answer with where it ends.
    async fn look_for_the_end(&mut self) -> Result<(), ApiError> {
        let head = self.shared.locked().view.head();
        if head < self.last {
            let ask = serde_json::json!({ "deleted_details": true });
            let info = format!("STREAM.INFO.{}", self.shared.stream);
            let state = self.shared.connection.api::<Whole>(&info, &ask).await?.state;
            if !state.lacks_all(head + 1, self.last) {
                return Ok(());
            }
        }
        self.is_current();
        Ok(())
    }

    fn is_current(&mut self) {
        self.current = true;
        self.shared.locked().view.end_at(&self.shared.wire, self.last);
        self.shared.reading.send_replace(Reading::Current);
    }
}

/// Of a stream's state, where it begins and ends, and which numbers between are erased.
#[derive(Deserialize)]
struct Whole {
    state: Numbers,
}

#[derive(Deserialize)]
struct Numbers {
    first_seq: u64,
    last_seq: u64,
    #[serde(default)]
    deleted: Option<Vec<u64>>,
}

impl Numbers {
    /// Whether the stream gave all these numbers, and has no entry of them any more.
    fn lacks_all(&self, from: u64, to: u64) -> bool {
        let begin = from.max(self.first_seq);
        let deleted = self.deleted.as_deref().unwrap_or_default();
        let deleted = deleted.iter().filter(|seq| (begin..=to).contains(*seq)).count() as u64;
        to <= self.last_seq && deleted == (to + 1).saturating_sub(begin)
    }
}

/// Where a delivered entry stands, as its reply subject has it.
struct Place {
    /// In the stream.
    stream: u64,
    /// Among those that the consumer has delivered.
    consumer: u64,
}

impl Place {
    /// `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>`; with a domain and the hash of
    /// an account after `ACK` there are more.
    fn of(message: &Message) -> Option<Self> {
        let subject = message.reply.as_ref()?.strip_prefix("$JS.ACK.")?;
        let skipped = if subject.split('.').count() > 7 { 2 + 3 } else { 3 };
        let mut parts = subject.split('.').skip(skipped);
        let stream = parts.next()?.parse().ok()?;
        let consumer = parts.next()?.parse().ok()?;
        Some(Self { stream, consumer })
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    #[test]
    fn what_a_stream_does_not_say_is_erased_is_to_come() {
        let lacks = |first_seq, last_seq, deleted: &[u64], from, to| {
            Numbers { first_seq, last_seq, deleted: Some(deleted.to_vec()) }.lacks_all(from, to)
        };
        assert!(lacks(1, 9, &[7, 8, 9], 7, 9));
        assert!(lacks(10, 9, &[], 7, 9), "all of it is erased");
        assert!(!lacks(8, 9, &[9], 7, 8), "8 is there");
        assert!(!lacks(1, 9, &[7, 9], 7, 9));
        assert!(!lacks(1, 8, &[7, 8], 7, 9), "an older state");
        assert!(lacks(1, 9, &[3, 9], 9, 9));
    }
}
