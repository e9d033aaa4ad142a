//! A stream that weighs what comes through it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use onionroom::listen::Io;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The stream, and what was read from it so far.
pub(crate) struct Scale<T> {
    io: T,
    read: Arc<AtomicU64>,
}

impl<T: Io> Scale<T> {
    /// Puts a stream on the scale; `read` counts the bytes that are read from it.
    pub(crate) fn new(io: T, read: Arc<AtomicU64>) -> Self {
        Self { io, read }
    }
}

impl<T: Io> AsyncRead for Scale<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(context, buffer);
        self.read.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        polled
    }
}

impl<T: Io> AsyncWrite for Scale<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
