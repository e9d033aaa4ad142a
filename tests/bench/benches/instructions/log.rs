//! A log that assigns sequence numbers and stores nothing.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::{FutureExt, ready};
use onionroom::log::{Appended, Entry, Log, LogFuture, RoomIdentity, Span};
use onionroom::protocol::Message;
use onionroom::protocol::epochs::Epochs;

/// The last sequence number.
#[derive(Default)]
pub(crate) struct NullLog(AtomicU64);

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
        let numbered = |Entry { at, guest, name, id, text }| {
            let seq = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            Appended::New(Message { seq, at, guest, name, id, text })
        };
        ready(Ok(entries.into_iter().map(numbered).collect())).boxed()
    }

    fn read(&self, _: u64, _: usize) -> LogFuture<'_, Vec<Message>> {
        ready(Ok(Vec::new())).boxed()
    }

    fn cursor_before(&self, _: u64, _: usize) -> LogFuture<'_, u64> {
        ready(Ok(0)).boxed()
    }

    fn span(&self) -> LogFuture<'_, Span> {
        let head = self.0.load(Ordering::Relaxed);
        ready(Ok(Span { first: head + 1, head, whole_from: head + 1 })).boxed()
    }

    fn trim(&self, _: u64) -> LogFuture<'_, ()> {
        ready(Ok(())).boxed()
    }

    fn close(&self) -> LogFuture<'_, ()> {
        ready(Ok(())).boxed()
    }
}
