//! The way in from this machine: TCP on a loopback address.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::{Entrance, Peer};
use crate::config::ListenSettings;

/// What a client hears when every place is taken.
const NO_PLACE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 56\r\n\
    Connection: close\r\n\r\nToo many connections are open. Try again a little later.";

/// How long to wait after the operating system refused to accept, usually for want of file descriptors.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// Binds the address of the settings. If it is the default one and somebody has it, any free port is taken.
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

/// Accepts until `closing` is told.
pub async fn accept(listener: TcpListener, entrance: Entrance, closing: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = closing.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => enter(stream, peer, &entrance),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(REFUSED_PAUSE).await;
            }
        }
    }
}

fn enter(stream: TcpStream, peer: SocketAddr, entrance: &Entrance) {
    let Some(place) = entrance.place() else {
        // As much as fits without waiting; a new connection's buffer takes all of it.
        let _ = stream.try_write(NO_PLACE);
        return;
    };
    // Frames are written whole, so waiting to fill packets only delays them.
    let _ = stream.set_nodelay(true);
    entrance.enter(stream, Peer::Loopback(peer), place);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_counts_its_bytes_right() {
        let text = std::str::from_utf8(NO_PLACE).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(text.contains(&format!("Content-Length: {}\r\n", body.len())));
    }
}
