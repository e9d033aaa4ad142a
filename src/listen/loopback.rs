//! Accepts connections of this machine, on a TCP or a Unix socket that only its programs can connect to.

use tokio_util::sync::CancellationToken;

use super::accept::{Acceptor, Listener, refuse};
use super::{ConnectionLimiter, Peer};

/// Accepts connections until `closing` is cancelled.
pub async fn accept<L: Listener>(listener: L, limiter: ConnectionLimiter, closing: CancellationToken) {
    let mut acceptor = Acceptor::new(listener, closing);
    while let Some((stream, address)) = acceptor.next().await {
        let peer = Peer::Loopback(address);
        match limiter.try_acquire(peer.circuit()) {
            Some(permit) => limiter.accept(stream, peer, permit),
            None => refuse::<L>(&stream),
        }
    }
}
