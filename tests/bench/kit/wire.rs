//! Streams that count what goes over them.

use std::io;
use std::ops::Sub;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What went over a guest's streams so far; counted on the stream, so without Tor's own cells and TCP's headers.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    up: AtomicU64,
    down: AtomicU64,
    requests: AtomicU64,
}

/// A reading of a [`Tally`], or the difference of two.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Bytes to the room.
    pub(crate) up: u64,
    /// Bytes from the room.
    pub(crate) down: u64,
    /// HTTP requests, a WebSocket handshake being one.
    pub(crate) requests: u64,
}

impl Tally {
    /// One more request.
    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    /// What there is up to now.
    pub(crate) fn read(&self) -> Counts {
        Counts {
            up: self.up.load(Relaxed),
            down: self.down.load(Relaxed),
            requests: self.requests.load(Relaxed),
        }
    }
}

impl Counts {
    /// Bytes both ways.
    pub(crate) fn bytes(self) -> u64 {
        self.up + self.down
    }
}

impl Sub for Counts {
    type Output = Counts;

    fn sub(self, earlier: Counts) -> Counts {
        Counts {
            up: self.up - earlier.up,
            down: self.down - earlier.down,
            requests: self.requests - earlier.requests,
        }
    }
}

/// A connection whose bytes are counted.
#[derive(Debug)]
pub(crate) struct Counted {
    io: TcpStream,
    tally: Arc<Tally>,
}

impl Counted {
    /// Counts from here on.
    pub(crate) fn new(io: TcpStream, tally: Arc<Tally>) -> Self {
        Self { io, tally }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(context, into);
        self.tally.down.fetch_add((into.filled().len() - before) as u64, Relaxed);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            self.tally.up.fetch_add(written as u64, Relaxed);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
