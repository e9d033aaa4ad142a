//! What the tasks of a log share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_nats::Subject;
use async_nats::jetstream::stream::Info;
use bytes::Bytes;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::appends::Appends;
use super::timing::Timing;
use super::view::View;
use super::wire::{Node, Token, Wire};
use crate::cluster::{Bucket, Connection, Link};
use crate::log::LogError;
use crate::protocol::epochs::Epochs;

/// How many entries may be sent that have not come back. Servers since 2.11 drop what waits beyond 10,000.
pub(super) const WINDOW: usize = 2048;

/// An entry that is to be sent.
pub(super) struct Outgoing {
    pub(super) token: Token,
    pub(super) subject: Subject,
    pub(super) payload: Bytes,
}

/// What the tasks share.
pub(super) struct Shared {
    pub(super) connection: Arc<Connection>,
    pub(super) bucket: Bucket,
    pub(super) wire: Wire,
    /// The name of the stream.
    pub(super) stream: String,
    /// When the stream was made, in nanoseconds of Unix time.
    pub(super) made: i128,
    /// The number of the connection over which the stream was last found to be the one that was read before.
    checked: AtomicU64,
    pub(super) node: Node,
    pub(super) epochs: Arc<Epochs>,
    pub(super) timing: Timing,
    state: Mutex<State>,
    pub(super) outgoing: mpsc::UnboundedSender<Outgoing>,
    /// The places for entries that were sent and have not come back.
    pub(super) window: Semaphore,
    /// How far the reader is.
    pub(super) reading: watch::Sender<Reading>,
    /// The state of the room may have to be written, or read again.
    pub(super) room: Notify,
    /// Something was deleted that this node erases.
    pub(super) deleted: Notify,
    pub(super) closing: CancellationToken,
}

/// How far the reader is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// It has not read all that was there when it began.
    Behind,
    /// It has.
    Current,
    /// It cannot go on: the stream is not the one that was read before.
    Lost(String),
}

/// The part that changes.
pub(super) struct State {
    pub(super) view: View,
    pub(super) appends: Appends,
}

impl Shared {
    pub(super) fn new(
        connection: Arc<Connection>,
        bucket: Bucket,
        stream: &Info,
        (node, epochs): (Node, Arc<Epochs>),
        timing: Timing,
        view: View,
        outgoing: mpsc::UnboundedSender<Outgoing>,
    ) -> Self {
        Self {
            wire: Wire::new(&connection),
            connection,
            bucket,
            stream: stream.config.name.clone(),
            made: stream.created.unix_timestamp_nanos(),
            checked: AtomicU64::new(0),
            node,
            epochs,
            timing,
            state: Mutex::new(State { view, appends: Appends::default() }),
            outgoing,
            window: Semaphore::new(WINDOW),
            reading: watch::channel(Reading::Behind).0,
            room: Notify::new(),
            deleted: Notify::new(),
            closing: CancellationToken::new(),
        }
    }

    pub(super) fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the stream is the one that was read before, as was found over this connection.
    pub(super) fn note_checked(&self, link: Link) {
        if let Link::Up(count) = link {
            self.checked.store(count, Ordering::Relaxed);
        }
    }

    /// Whether entries may be sent: the connection is up, and the stream is known to be the one that was read before. One that
    /// was restored from an older copy would give numbers again that this node has given to other entries.
    pub(super) fn may_send(&self) -> bool {
        let checked = match *self.connection.link().borrow() {
            Link::Up(count) => count == self.checked.load(Ordering::Relaxed),
            // What the client tells of changes may be lost.
            Link::Down(_) => true,
        };
        checked && self.connection.is_up()
    }

    /// Why appends fail at present, whatever is tried; `None` if they may succeed.
    pub(super) fn refusal(&self) -> Option<LogError> {
        if self.closing.is_cancelled() {
            return Some(LogError("the log is closed".into()));
        }
        if let Reading::Lost(reason) = &*self.reading.borrow() {
            return Some(LogError(reason.clone()));
        }
        match *self.connection.link().borrow() {
            Link::Down(since) if since.elapsed() >= self.timing.append && !self.connection.is_up() => {
                Some(unreachable(None))
            }
            _ => None,
        }
    }
}

/// Why an append fails that is not known to be in the stream.
pub(super) fn unreachable(reason: Option<&str>) -> LogError {
    LogError(format!(
        "the servers of the cluster do not take it ({}); the room cannot write until they do",
        reason.unwrap_or("no answer in time")
    ))
}
