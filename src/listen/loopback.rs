//! Accepts connections of this machine, on a TCP or a Unix socket.

use std::io;
use std::net::SocketAddr;

use tokio_util::sync::CancellationToken;

use super::descriptors::SpareDescriptor;
use super::{ConnectionLimiter, Io, Peer};

/// The response when no connection permit is left.
const UNAVAILABLE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 56\r\n\
    Connection: close\r\n\r\nToo many connections are open. Try again a little later.";

/// A listening socket that only programs of this machine can connect to.
pub trait Listener: Send + Sync {
    /// A connection.
    type Stream: Io;

    /// The next connection, and where it comes from.
    ///
    /// # Errors
    /// What the operating system says.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;

    /// Writes as much as the connection takes without waiting; a new one's buffer takes a whole short response.
    ///
    /// # Errors
    /// What the operating system says.
    fn try_write(stream: &Self::Stream, bytes: &[u8]) -> io::Result<usize>;
}

/// Accepts connections until `closing` is cancelled.
pub async fn accept<L: Listener>(listener: L, limiter: ConnectionLimiter, closing: CancellationToken) {
    let mut spare = SpareDescriptor::new();
    loop {
        let accepted = tokio::select! {
            () = closing.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                let peer = Peer::Loopback(address);
                match limiter.try_acquire(peer.circuit()) {
                    Some(permit) => limiter.accept(stream, peer, permit),
                    None => refuse::<L>(&stream),
                }
            }
            Err(error) => {
                let accept_and_refuse =
                    async { listener.accept().await.map(|(stream, _)| refuse::<L>(&stream)) };
                spare.failed(&error, accept_and_refuse).await;
            }
        }
    }
}

fn refuse<L: Listener>(stream: &L::Stream) {
    let _ = L::try_write(stream, UNAVAILABLE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_counts_its_bytes_right() {
        let text = std::str::from_utf8(UNAVAILABLE).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(text.contains(&format!("Content-Length: {}\r\n", body.len())));
    }
}
