//! One stream of a rendezvous circuit: counted while it lives, ended when its circuit is closed.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// A stream that gives its place among the circuit's streams back when it is dropped, and lets go of its
/// bytes, so that the circuit can close, when the circuit is to be closed.
pub(super) struct OnionStream<S> {
    inner: Option<S>,
    _counted: OwnedSemaphorePermit,
    /// One for the task that reads and one for the task that writes: each remembers one task to wake.
    closed: [Pin<Box<WaitForCancellationFutureOwned>>; 2],
}

/// Which of the two is asking.
#[derive(Clone, Copy)]
enum Side {
    Read,
    Write,
}

impl<S: AsyncRead + AsyncWrite + Unpin> OnionStream<S> {
    pub(super) fn new(inner: S, counted: OwnedSemaphorePermit, closed: &CancellationToken) -> Self {
        let closed = [closed, closed].map(|closed| Box::pin(closed.clone().cancelled_owned()));
        Self { inner: Some(inner), _counted: counted, closed }
    }

    /// The bytes, unless the circuit is closed; then the task that asks is woken when it is.
    fn open(&mut self, side: Side, context: &mut Context<'_>) -> io::Result<Pin<&mut S>> {
        if self.inner.is_some() && self.closed[side as usize].as_mut().poll(context).is_ready() {
            self.inner = None;
        }
        match &mut self.inner {
            Some(inner) => Ok(Pin::new(inner)),
            None => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the circuit was closed")),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for OnionStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.open(Side::Read, context) {
            Ok(inner) => inner.poll_read(context, buffer),
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for OnionStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.open(Side::Write, context) {
            Ok(inner) => inner.poll_write(context, bytes),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.open(Side::Write, context) {
            Ok(inner) => inner.poll_flush(context),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.open(Side::Write, context) {
            Ok(inner) => inner.poll_shutdown(context),
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}
