//! Accepts connections on a listening TCP or Unix socket.

use std::io;
use std::net::SocketAddr;

use tokio_util::sync::CancellationToken;

use super::Io;
use super::descriptors::SpareDescriptor;

/// The response of HTTP when no connection permit is left.
const UNAVAILABLE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 56\r\n\
    Connection: close\r\n\r\nToo many connections are open. Try again a little later.";

/// A listening socket.
pub trait Listener: Send + Sync {
    /// A connection.
    type Stream: Io;

    /// What a connection gets that is refused: a whole response, short enough for a new connection's buffer.
    const REFUSAL: &[u8] = UNAVAILABLE;

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

/// A listening socket, and a descriptor to refuse connections with when no other is left.
pub struct Acceptor<L> {
    listener: L,
    spare: SpareDescriptor,
    closing: CancellationToken,
}

impl<L: Listener> Acceptor<L> {
    /// Accepts on `listener` until `closing` is cancelled.
    pub fn new(listener: L, closing: CancellationToken) -> Self {
        Self { listener, spare: SpareDescriptor::new(), closing }
    }

    /// The next connection, and where it comes from; `None` when the room closes.
    pub async fn next(&mut self) -> Option<(L::Stream, SocketAddr)> {
        let Self { listener, spare, closing } = self;
        loop {
            let accepted = tokio::select! {
                () = closing.cancelled() => return None,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok(accepted) => return Some(accepted),
                Err(error) => {
                    let accept_and_refuse =
                        async { listener.accept().await.map(|(stream, _)| refuse::<L>(&stream)) };
                    spare.failed(&error, accept_and_refuse).await;
                }
            }
        }
    }
}

/// Says that there is no permit for this connection.
pub(super) fn refuse<L: Listener>(stream: &L::Stream) {
    let _ = L::try_write(stream, L::REFUSAL);
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
