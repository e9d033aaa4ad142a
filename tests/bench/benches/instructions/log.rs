//! A log that assigns sequence numbers and stores nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::future::{FutureExt, ready};
use onionroom::log::{Appended, Entry, Follow, Log, LogError, LogFuture, RoomIdentity, RoomState, Span};
use onionroom::protocol::Record;
use onionroom::protocol::epochs::Epochs;
use tokio::sync::mpsc;

/// The log, which one room follows.
pub(crate) struct NullLog {
    /// The last sequence number.
    head: AtomicU64,
    appended: mpsc::UnboundedSender<Vec<Record>>,
    followed: Mutex<Option<mpsc::UnboundedReceiver<Vec<Record>>>>,
}

impl Default for NullLog {
    fn default() -> Self {
        let (appended, followed) = mpsc::unbounded_channel();
        Self { head: AtomicU64::new(0), appended, followed: Mutex::new(Some(followed)) }
    }
}

impl Log for NullLog {
    fn identity(&self) -> LogFuture<'_, RoomIdentity> {
        ready(Ok(RoomIdentity {
            epochs: Epochs::first("epoch".into()).into(),
            secret: [1; 32].into(),
            clock: 0,
        }))
        .boxed()
    }

    fn append(&self, entries: Vec<Entry>) -> LogFuture<'_, Vec<Appended>> {
        let first = self.head.fetch_add(entries.len() as u64, Ordering::Relaxed) + 1;
        let appended = (first..).take(entries.len()).map(Appended::New).collect();
        let numbered = |(Entry { at, author, id, body }, seq)| Record { seq, at, author, id, body };
        let _ = self.appended.send(entries.into_iter().zip(first..).map(numbered).collect());
        ready(Ok(appended)).boxed()
    }

    fn state(&self, initial: RoomState) -> LogFuture<'_, RoomState> {
        ready(Ok(initial)).boxed()
    }

    fn follow(&self, _: u64) -> LogFuture<'_, Follow> {
        let receiver = self.followed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let follow = receiver.map(|mut receiver| {
            futures_util::stream::poll_fn(move |context| receiver.poll_recv(context)).boxed()
        });
        ready(follow.ok_or_else(|| LogError("it is followed already".into()))).boxed()
    }

    fn read(&self, _: u64, _: usize) -> LogFuture<'_, Vec<Record>> {
        ready(Ok(Vec::new())).boxed()
    }

    fn cursor_before(&self, _: u64, _: usize) -> LogFuture<'_, u64> {
        ready(Ok(0)).boxed()
    }

    fn span(&self) -> LogFuture<'_, Span> {
        let head = self.head.load(Ordering::Relaxed);
        ready(Ok(Span { first: head + 1, head, whole_from: head + 1 })).boxed()
    }

    fn trim(&self, _: u64) -> LogFuture<'_, ()> {
        ready(Ok(())).boxed()
    }

    fn close(&self) -> LogFuture<'_, ()> {
        ready(Ok(())).boxed()
    }
}
