//! Guests whose connections are memory: what is written to them is looked at and dropped.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// How many digits of its number a message ends with.
const DIGITS: usize = 8;

/// What follows them on the wire.
const END: &[u8; 2] = b"\"}";

/// Everyone who listens.
#[derive(Default)]
pub(crate) struct Audience {
    /// The end of the message that is waited for.
    wanted: AtomicU64,
    /// How many have not got it yet.
    missing: AtomicUsize,
    writes: AtomicU64,
    complete: Notify,
}

impl Audience {
    /// From now on waits for so many to get this message.
    pub(crate) fn expect(&self, number: u64, listeners: usize) {
        self.missing.store(listeners, Ordering::Relaxed);
        self.wanted.store(as_written(ending(number).as_bytes()), Ordering::Relaxed);
    }

    /// Completes when they have got it.
    pub(crate) async fn complete(&self) {
        self.complete.notified().await;
    }

    /// How many writes there were.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: &[u8]) {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let Some(last) = bytes.last_chunk::<{ DIGITS + END.len() }>() else { return };
        let got = as_written(&last[..DIGITS]) == self.wanted.load(Ordering::Relaxed);
        if got && self.missing.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.complete.notify_one();
        }
    }
}

/// What the text of a message ends with, so that it is known by its last bytes.
pub(crate) fn ending(number: u64) -> String {
    format!("{number:0DIGITS$}")
}

fn as_written(digits: &[u8]) -> u64 {
    digits.first_chunk().map_or(0, |digits| u64::from_ne_bytes(*digits))
}

/// The connection of somebody who says nothing and reads at once.
pub(crate) struct Listener(pub(crate) Arc<Audience>);

impl AsyncRead for Listener {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Listener {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
