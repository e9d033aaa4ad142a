//! Connections of listeners: what is written to them is compared and dropped.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// Digits of its number that the text of a message ends with.
const DIGITS: usize = 8;

/// What follows them in the frame.
const END: &[u8; 2] = b"\"}";

/// The end of a frame that tells which message it is.
const TAIL: usize = DIGITS + END.len();

/// What all connections share.
#[derive(Default)]
pub(crate) struct Shared {
    /// The digits of the message that is waited for.
    awaited: AtomicU64,
    /// Listeners that have not received it yet.
    missing: AtomicUsize,
    writes: AtomicU64,
    /// Listeners that were written to at all: the first write is the welcome.
    welcomed: AtomicUsize,
    complete: Notify,
}

impl Shared {
    /// Waits for this message from now on.
    pub(crate) fn expect(&self, number: u64, listeners: usize) {
        self.missing.store(listeners, Ordering::Relaxed);
        self.awaited.store(as_written(digits(number).as_bytes()), Ordering::Relaxed);
    }

    /// Completes when all listeners have received it.
    pub(crate) async fn complete(&self) {
        self.complete.notified().await;
    }

    /// Writes so far.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Listeners that have joined.
    pub(crate) fn welcomed(&self) -> usize {
        self.welcomed.load(Ordering::Relaxed)
    }

    fn written(&self, last: &[u8; TAIL]) {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let received = as_written(&last[..DIGITS]) == self.awaited.load(Ordering::Relaxed);
        if received && self.missing.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.complete.notify_one();
        }
    }
}

/// What the text of a message ends with.
pub(crate) fn digits(number: u64) -> String {
    format!("{number:0DIGITS$}")
}

fn as_written(digits: &[u8]) -> u64 {
    digits.first_chunk().map_or(0, |digits| u64::from_ne_bytes(*digits))
}

/// The connection of a guest that sends nothing and reads at once.
pub(crate) struct Connection {
    shared: Arc<Shared>,
    welcomed: bool,
    /// The last bytes written: where the ring begins again, the end of a frame comes in a write of its own.
    tail: [u8; TAIL],
}

impl Connection {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), welcomed: false, tail: [0; TAIL] }
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.welcomed {
            self.welcomed = true;
            self.shared.welcomed.fetch_add(1, Ordering::Relaxed);
        }
        match bytes.last_chunk() {
            Some(tail) => self.tail = *tail,
            None => {
                self.tail.copy_within(bytes.len().., 0);
                self.tail[TAIL - bytes.len()..].copy_from_slice(bytes);
            }
        }
        self.shared.written(&self.tail);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
