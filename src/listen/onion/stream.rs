//! The streams of a rendezvous circuit, with their permits.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// The open streams of one circuit.
pub(super) struct OpenStreams {
    limit: usize,
    open: AtomicUsize,
    /// Notified when none is open any more.
    closed: Notify,
}

/// Counts as an open stream until it is dropped.
pub(super) struct StreamPermit(Arc<OpenStreams>);

impl OpenStreams {
    /// None yet, and at most `limit` at once.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, open: AtomicUsize::new(0), closed: Notify::new() })
    }

    /// A permit for one more, or `None` at the limit.
    pub(super) fn try_open(self: &Arc<Self>) -> Option<StreamPermit> {
        let one_more = |open| (open < self.limit).then_some(open + 1);
        let opened = self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        opened.is_ok().then(|| StreamPermit(Arc::clone(self)))
    }

    /// Whether there is none.
    pub(super) fn none(&self) -> bool {
        self.open.load(Ordering::Relaxed) == 0
    }

    /// Waits until there is none.
    pub(super) async fn all_closed(&self) {
        while !self.none() {
            self.closed.notified().await;
        }
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.closed.notify_one();
        }
    }
}

/// A stream that holds one of its circuit's stream permits until it is dropped.
pub(super) struct OnionStream<S> {
    inner: S,
    _permit: StreamPermit,
}

impl<S> OnionStream<S> {
    pub(super) fn new(inner: S, permit: StreamPermit) -> Self {
        Self { inner, _permit: permit }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for OnionStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for OnionStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
