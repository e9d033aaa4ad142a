//! A connection's stream as it is charged and watched: received bytes cost, anything that moves counts as activity, and
//! the next request waits until the last response is written.
//!
//! hyper handles the next request of a pipeline while the response to the last one is still in its buffer, and holds two
//! whole responses then. [`Unwritten`] lets it have one.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use crate::listen::budget::{BYTES_PER_TOKEN, BytesPermit, Wait};
use crate::listen::{Activity, Permit};

/// The response that is not written yet, and what it holds of the circuit's budget.
#[derive(Default)]
pub(super) struct Unwritten {
    any: AtomicBool,
    /// Whether it is the last one, because the connection is upgraded.
    last: AtomicBool,
    permit: Mutex<Option<BytesPermit>>,
    written: Notify,
}

impl Unwritten {
    /// A response was made. After the `last` one nothing waits any more.
    pub(super) fn begin(&self, permit: Option<BytesPermit>, last: bool) {
        *self.permit.lock().unwrap_or_else(PoisonError::into_inner) = permit;
        self.last.store(last, Ordering::Relaxed);
        self.any.store(true, Ordering::Relaxed);
    }

    /// Completes when it is written.
    pub(super) async fn written(&self) {
        while self.any.load(Ordering::Relaxed) {
            self.written.notified().await;
        }
    }

    /// Everything was written; returns whether the last response was.
    fn flushed(&self) -> bool {
        if self.any.load(Ordering::Relaxed) {
            self.any.store(false, Ordering::Relaxed);
            *self.permit.lock().unwrap_or_else(PoisonError::into_inner) = None;
            self.written.notify_one();
        }
        self.last.load(Ordering::Relaxed)
    }
}

/// A stream that pays for what it reads.
pub(super) struct Metered<T> {
    io: T,
    permit: Arc<Permit>,
    activity: Activity,
    /// Until the last response is written.
    unwritten: Option<Arc<Unwritten>>,
    /// Received bytes that are not paid for yet, below [`BYTES_PER_TOKEN`].
    unpaid: usize,
    /// Nothing is read before this.
    pause: Option<Wait>,
}

impl<T> Metered<T> {
    /// Charges the circuit of `permit`.
    pub(super) fn new(io: T, permit: Arc<Permit>, unwritten: Arc<Unwritten>) -> Self {
        let activity = permit.activity();
        Self { io, permit, activity, unwritten: Some(unwritten), unpaid: 0, pause: None }
    }

    fn received(&mut self, bytes: usize) {
        self.activity.touch();
        self.unpaid += bytes;
        let tokens = u32::try_from(self.unpaid / BYTES_PER_TOKEN).unwrap_or(u32::MAX);
        if tokens > 0 {
            self.unpaid %= BYTES_PER_TOKEN;
            self.pause = self.permit.budget().take(tokens);
        }
    }

    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.activity.touch();
        }
        written
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Metered<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.poll_unpin(context));
            self.pause = None;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, buffer))?;
        self.received(buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Metered<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        if flushed.is_ready() && self.unwritten.as_ref().is_some_and(|unwritten| unwritten.flushed()) {
            self.unwritten = None;
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
