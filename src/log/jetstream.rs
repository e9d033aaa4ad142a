//! A log in a stream of NATS JetStream, for a room on several machines.
//!
//! Each node reads the whole stream into memory (`view`, fed by `reader`) and serves from there; the order is the stream's,
//! and an entry's number is its number in the stream. `writer` sends entries, `appends` has those that are under way, `wire` is their
//! form. `identity` and `room` are in a bucket beside the stream, `erasure` erases what is no longer kept, `shared` is what
//! the tasks have in common, `timing` how long things may take.
//!
//! Once by author and id: each entry has a subject of its own, and the stream takes it only while that subject is empty. So a
//! repeated entry is refused for as long as the first is in the stream, whichever node it came to; after that, by those nodes
//! that have it among their newest.

mod appends;
mod erasure;
mod identity;
mod reader;
mod room;
mod shared;
#[cfg(test)]
#[cfg(unix)]
pub(super) mod tests;
mod timing;
mod view;
mod wire;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::{Config, Info, StorageType};
use futures_util::FutureExt;
use futures_util::future::ready;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::{Appended, Entry, Follow, Log, LogError, LogFuture, Retention, RoomIdentity, RoomState, Span};
use crate::cluster::{ApiError, Bucket, ClusterError, Connection};
use crate::protocol::Record;
use shared::{Outgoing, Reading, Shared};
use view::View;

pub use timing::Timing;

/// How long the stream may deliver nothing while it is read for the first time.
const NO_PROGRESS: Duration = Duration::from_secs(20);

/// How long closing may wait for what is under way, and then for the tasks to end: together less than what
/// [`Server::close`](crate::server::Server::close) has left for it.
const CLOSE: Duration = Duration::from_millis(1200);
const CLOSE_TASKS: Duration = Duration::from_millis(200);

/// What the stream keeps beyond the retention: what is erased only after a while, and entries while no node runs.
const SURPLUS: u64 = 100_000;

/// The most bytes that a stored entry has beside its text and name, roughly.
const ENVELOPE: u64 = 300;

/// Entries in a stream.
pub struct JetStreamLog {
    shared: Arc<Shared>,
    identity: RoomIdentity,
    tasks: TaskTracker,
}

impl JetStreamLog {
    /// Opens the room's stream, or makes it, and reads all of it.
    ///
    /// # Errors
    /// The servers refuse it, do not answer, or have what was encrypted with another key.
    pub async fn open(connection: Arc<Connection>, retention: Retention) -> Result<Self, ClusterError> {
        Self::open_with(connection, retention, Timing::default()).await
    }

    /// The same with other times.
    ///
    /// # Errors
    /// As [`JetStreamLog::open`].
    pub async fn open_with(
        connection: Arc<Connection>,
        retention: Retention,
        timing: Timing,
    ) -> Result<Self, ClusterError> {
        let stream = connection.stream("the room's stream", config(&connection, retention)).await?;
        let bucket = Bucket::open(Arc::clone(&connection), "room").await?;
        let identity = patiently(async || identity::load(&connection, &bucket, &stream).await).await?;
        let (outgoing, queue) = mpsc::unbounded_channel();
        let mut view = View::new(retention);
        view.start_clock(identity.clock);
        let node = getrandom::u64()?.to_le_bytes();
        let of = (node, Arc::clone(&identity.epochs));
        let shared = Arc::new(Shared::new(connection, bucket, &stream, of, timing, view, outgoing));
        let mut log = Self { shared: Arc::clone(&shared), identity, tasks: TaskTracker::new() };
        let synced =
            async || room::sync(&shared).await.map_err(|error| error.about("the room's key-value bucket"));
        // Before it reads: so the acts that it reads do what they did at the other nodes, each at its place.
        patiently(synced).await?;
        log.spawn(queue);
        log.wait_until_read().await?;
        patiently(synced).await?;
        log.identity.clock = log.identity.clock.max(shared.locked().view.clock());
        Ok(log)
    }

    fn spawn(&self, queue: mpsc::UnboundedReceiver<Outgoing>) {
        let task = |shared: &Arc<Shared>| Arc::clone(shared);
        let shared = task(&self.shared);
        self.tasks.spawn(async move { reader::run(&shared).await });
        let shared = task(&self.shared);
        self.tasks.spawn(async move {
            let closing = shared.closing.clone();
            tokio::select! {
                () = closing.cancelled() => {}
                () = writer::send(&shared, queue) => {}
            }
        });
        let shared = task(&self.shared);
        self.tasks.spawn(async move { writer::watch(&shared).await });
        let shared = task(&self.shared);
        self.tasks.spawn(async move { room::run(&shared).await });
        let shared = task(&self.shared);
        self.tasks.spawn(async move { erasure::listen(&shared).await });
        let shared = task(&self.shared);
        self.tasks.spawn(async move { erasure::run(&shared).await });
        self.tasks.close();
    }

    async fn wait_until_read(&self) -> Result<(), ClusterError> {
        let mut reading = self.shared.reading.subscribe();
        let mut head = 0;
        loop {
            match timeout(NO_PROGRESS, reading.wait_for(|reading| *reading != Reading::Behind)).await {
                Ok(_) => return Ok(()),
                Err(_) => {
                    let now = self.shared.locked().view.head();
                    if now == head {
                        let reason = String::from("it delivers nothing");
                        return Err(ClusterError::NoQuorum { what: "the room's stream".into(), reason });
                    }
                    head = now;
                }
            }
        }
    }

    fn ask<'a, T: Send + 'a>(
        &'a self,
        future: impl Future<Output = Result<T, ApiError>> + Send + 'a,
    ) -> LogFuture<'a, T> {
        async move {
            future
                .await
                .map_err(|error| LogError(format!("the servers of the cluster do not answer ({error})")))
        }
        .boxed()
    }

    /// Begins to append; the order in which this is called is the order in which the entries are sent.
    fn begin(
        &self,
        entries: Vec<Entry>,
    ) -> Result<oneshot::Receiver<Result<Vec<Appended>, LogError>>, LogError> {
        let shared = &self.shared;
        if let Some(refusal) = shared.refusal() {
            return Err(refusal);
        }
        let mut sealed = Vec::with_capacity(entries.len());
        for entry in entries {
            let token = shared.wire.token(entry.author, &entry.id);
            let subject = shared.wire.subject(&token);
            let payload = shared.wire.seal(&shared.node, &subject, &entry);
            let payload = payload
                .map_err(|error| LogError(format!("the operating system gives no randomness: {error}")))?;
            sealed.push(Outgoing { token, subject, payload: payload.into() });
        }
        let (reply, answer) = oneshot::channel();
        let mut state = shared.locked();
        let append = state.appends.begin(sealed.len(), reply);
        for (place, outgoing) in sealed.into_iter().enumerate() {
            let place = (append, place);
            if let Some(seq) = state.view.find(&outgoing.token) {
                state.appends.set(place, Appended::Duplicate(seq));
            } else if !state.appends.joins(&outgoing.token, place) {
                state.appends.insert(outgoing.token, place, outgoing.payload.clone());
                let _ = shared.outgoing.send(outgoing);
            }
        }
        state.appends.begun(append);
        Ok(answer)
    }
}

/// Tries again while servers that have just started find each other.
async fn patiently<T>(ask: impl AsyncFn() -> Result<T, ClusterError>) -> Result<T, ClusterError> {
    let since = tokio::time::Instant::now();
    loop {
        match ask().await {
            Err(ClusterError::NoQuorum { .. } | ClusterError::NoJetStream)
                if since.elapsed() < NO_PROGRESS =>
            {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            asked => return asked,
        }
    }
}

/// The room's stream. Its own limits are wider than the retention, for the time in which no node runs.
fn config(connection: &Connection, retention: Retention) -> Config {
    let messages = (retention.messages as u64).saturating_mul(2).saturating_add(SURPLUS);
    let bytes = match retention.bytes {
        0 => -1,
        bytes => {
            let most = bytes.saturating_mul(2).saturating_add(messages.saturating_mul(ENVELOPE));
            i64::try_from(most).unwrap_or(-1)
        }
    };
    Config {
        name: connection.name("log"),
        subjects: vec![connection.subject("log.*")],
        max_messages: i64::try_from(messages).unwrap_or(-1),
        max_bytes: bytes,
        // As days are counted by the servers' clocks there, and by the room's here.
        max_age: retention.age.map_or(Duration::ZERO, |age| age * 2 + Duration::from_secs(86_400)),
        max_messages_per_subject: -1,
        max_consumers: -1,
        storage: StorageType::File,
        duplicate_window: Duration::from_millis(100),
        ..Config::default()
    }
}

impl Log for JetStreamLog {
    fn identity(&self) -> LogFuture<'_, RoomIdentity> {
        ready(Ok(self.identity.clone())).boxed()
    }

    fn state(&self, initial: RoomState) -> LogFuture<'_, RoomState> {
        self.ask(room::state(&self.shared, initial))
    }

    fn append(&self, entries: Vec<Entry>) -> LogFuture<'_, Vec<Appended>> {
        match self.begin(entries) {
            Ok(answer) => {
                async move { answer.await.unwrap_or_else(|_| Err(LogError("the log is closed".into()))) }
                    .boxed()
            }
            Err(error) => ready(Err(error)).boxed(),
        }
    }

    fn follow(&self, after: u64) -> LogFuture<'_, Follow> {
        ready(Ok(self.shared.locked().view.follow(after))).boxed()
    }

    fn read(&self, after: u64, limit: usize) -> LogFuture<'_, Vec<Record>> {
        ready(Ok(self.shared.locked().view.read(after, limit))).boxed()
    }

    fn cursor_before(&self, before: u64, count: usize) -> LogFuture<'_, u64> {
        ready(Ok(self.shared.locked().view.cursor_before(before, count))).boxed()
    }

    fn span(&self) -> LogFuture<'_, Span> {
        ready(Ok(self.shared.locked().view.span())).boxed()
    }

    fn newest(&self) -> LogFuture<'_, u64> {
        self.ask(async {
            let info = format!("STREAM.INFO.{}", self.shared.stream);
            let info: Info = self.shared.connection.api(&info, &()).await?;
            Ok(info.state.last_sequence.max(self.shared.locked().view.head()))
        })
    }

    fn trim(&self, clock: u64) -> LogFuture<'_, ()> {
        self.shared.locked().view.trim(&self.shared.wire, clock);
        self.ask(erasure::erase(&self.shared))
    }

    fn close(&self) -> LogFuture<'_, ()> {
        async move {
            let erased = async {
                while !self.shared.locked().appends.is_empty() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                erasure::erase(&self.shared).await
            };
            let erased = timeout(CLOSE, erased).await;
            self.shared.closing.cancel();
            let _ = timeout(CLOSE_TASKS, self.tasks.wait()).await;
            self.shared.locked().view.end();
            match erased {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(LogError(format!("what is no longer kept was not erased ({error})"))),
                Err(_) => Err(LogError("what is no longer kept was not erased in time".into())),
            }
        }
        .boxed()
    }
}

impl Drop for JetStreamLog {
    fn drop(&mut self) {
        self.shared.closing.cancel();
    }
}
