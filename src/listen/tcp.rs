//! The loopback listener: TCP on a loopback address.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::descriptors::SpareDescriptor;
use super::{ConnectionLimiter, Peer};
use crate::config::ListenSettings;

/// The response when no connection permit is left.
pub(super) const UNAVAILABLE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 56\r\n\
    Connection: close\r\n\r\nToo many connections are open. Try again a little later.";

/// Binds the address of the settings, or any free port if it is the default address and in use.
///
/// # Errors
/// What the operating system says.
pub async fn bind(settings: &ListenSettings) -> io::Result<TcpListener> {
    match TcpListener::bind(settings.address).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && settings.address_is_default => {
            TcpListener::bind(SocketAddr::new(settings.address.ip(), 0)).await
        }
        bound => bound,
    }
}

/// Accepts connections until `closing` is cancelled.
pub async fn accept(listener: TcpListener, limiter: ConnectionLimiter, closing: CancellationToken) {
    let mut spare = SpareDescriptor::new();
    loop {
        let accepted = tokio::select! {
            () = closing.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => admit(stream, peer, &limiter),
            Err(error) => {
                let refuse = async {
                    let (stream, _) = listener.accept().await?;
                    let _ = stream.try_write(UNAVAILABLE);
                    Ok(())
                };
                spare.failed(&error, refuse).await;
            }
        }
    }
}

fn admit(stream: TcpStream, peer: SocketAddr, limiter: &ConnectionLimiter) {
    let peer = Peer::Loopback(peer);
    let Some(permit) = limiter.try_acquire(peer.circuit()) else {
        // As much as fits without waiting; a new connection's buffer takes all of it.
        let _ = stream.try_write(UNAVAILABLE);
        return;
    };
    // Frames are written whole, so waiting to fill packets only delays them.
    let _ = stream.set_nodelay(true);
    limiter.accept(stream, peer, permit);
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
