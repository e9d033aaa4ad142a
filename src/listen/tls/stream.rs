//! A connection after its handshake, which pays for records as well as for what is in them.
//!
//! The server of requests charges what it reads. A record of TLS may carry one byte of that, padded to 16 KiB, and takes as
//! much work as a full one: so the bytes of the connection that are not what it carried are charged here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use crate::listen::budget::{BYTES_PER_TOKEN, CircuitBudget, Wait};
use crate::listen::forward::forward_writes;

/// So many bytes of a connection are not charged: the handshake, and what rustls has read ahead of its reader.
const FREE_BYTES: u64 = 64 * 1024;

/// A connection that counts what is received.
pub(super) struct Wire<T> {
    io: T,
    received: u64,
}

impl<T> Wire<T> {
    /// Counts from 0.
    pub(super) fn new(io: T) -> Self {
        Self { io, received: 0 }
    }
}

/// A TLS connection.
pub(super) struct TlsIo<T> {
    stream: TlsStream<Wire<T>>,
    budget: Arc<CircuitBudget>,
    /// How much its reader has got.
    carried: u64,
    /// Of [`TlsIo::overhead`], what is paid.
    paid: u64,
    /// Nothing is read before this.
    pause: Option<Wait>,
}

impl<T> TlsIo<T> {
    /// Charges this budget.
    pub(super) fn new(stream: TlsStream<Wire<T>>, budget: Arc<CircuitBudget>) -> Self {
        Self { stream, budget, carried: 0, paid: 0, pause: None }
    }

    /// How many bytes were received that were not for the reader.
    fn overhead(&self) -> u64 {
        self.stream.get_ref().0.received.saturating_sub(self.carried + FREE_BYTES)
    }

    fn charge(&mut self) {
        let tokens = self.overhead().saturating_sub(self.paid) / BYTES_PER_TOKEN as u64;
        if tokens > 0 {
            self.paid += tokens * BYTES_PER_TOKEN as u64;
            self.pause = self.budget.take(u32::try_from(tokens).unwrap_or(u32::MAX));
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsIo<T> {
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
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.carried += (buffer.filled().len() - before) as u64;
        self.charge();
        read
    }
}

forward_writes!(TlsIo<T: AsyncRead, AsyncWrite> by stream);

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        self.received += (buffer.filled().len() - before) as u64;
        read
    }
}

forward_writes!(Wire<T: AsyncWrite> by io);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::Instant;

    use super::*;
    use crate::listen::budget::Clock;
    use crate::listen::tls::acceptor;
    use crate::listen::tls::certificate::Certificate;
    use crate::listen::tls::reload::Certificates;
    use crate::listen::tls::tests::connector;
    use crate::protocol::CircuitId;

    /// How long it takes to read bytes that come in records of so many, with a budget of ten tokens and one more each second.
    async fn seconds_for(bytes: usize, in_each: usize) -> u64 {
        let certificate = Certificate::self_signed(&["localhost".to_owned()]).unwrap();
        let (connector, name) = connector(&certificate);
        let acceptor = acceptor(Arc::new(Certificates::of_one(certificate))).unwrap();
        let (near, far) = duplex(64 * 1024);
        let (server, client) = tokio::join!(acceptor.accept(Wire::new(near)), connector.connect(name, far));
        let mut client = client.unwrap();
        let budget = Arc::new(CircuitBudget::new(CircuitId(1), 1, Clock::start()));
        let mut server = TlsIo::new(server.unwrap(), budget);
        let began = Instant::now();
        let write = async {
            for _ in 0..bytes / in_each {
                client.write_all(&vec![7; in_each]).await.unwrap();
                client.flush().await.unwrap();
            }
        };
        let read = async {
            let mut read = vec![0; bytes];
            server.read_exact(&mut read).await.unwrap();
        };
        tokio::join!(write, read);
        began.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn what_records_carry_beside_their_contents_is_paid_for() {
        assert_eq!(seconds_for(160_000, 16_000).await, 0);
        // 22 bytes around each: some 330 kB in all, of which 64 KiB are free and ten tokens are there.
        let seconds = seconds_for(15_000, 1).await;
        assert!((40..60).contains(&seconds), "{seconds}");
    }
}
