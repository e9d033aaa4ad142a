//! Accepts the connections of a reverse proxy, or of a Tor daemon with an onion service of its own.
//!
//! Where they come from is what the PROXY protocol says, if the settings want it: then each connection must begin with such a
//! header, and its sender is believed. So only the proxy may reach this listener, by a loopback address, a private network or
//! the permissions of a Unix socket. Without the protocol nothing is known of the clients, and they share one budget.

mod header;
mod rest;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::header::read_header;
use self::rest::Rest;
use super::accept::{Acceptor, Listener, refuse};
use super::oldest::{Membership, OldestFirst};
use super::{Client, ConnectionLimiter, Peer};

pub use self::header::{Header, NoHeader, parse};

/// How long a header may take to arrive. A proxy sends it at once when it connects.
const HEADER: Duration = Duration::from_secs(5);

/// How many connections may be without their header. They have no permit yet, so they are few.
const WITHOUT_HEADER_MAX: usize = 64;

/// When so many are, the next connection is accepted only when the oldest of them has had this long, or its header has come:
/// so connections that send none do not keep out those that do, but for a moment.
const HEADER_TURN: Duration = Duration::from_millis(250);

/// Accepts connections until `closing` is cancelled; `protocol` says whether each begins with a header.
pub async fn accept<L: Listener + 'static>(
    listener: L,
    protocol: bool,
    limiter: ConnectionLimiter,
    closing: CancellationToken,
) {
    let waiting = OldestFirst::new(WITHOUT_HEADER_MAX);
    let told = Arc::new(AtomicBool::new(false));
    let mut acceptor = Acceptor::new(listener, closing.clone());
    while let Some((stream, _)) = acceptor.next().await {
        if !protocol {
            admit::<L>(&limiter, stream, Client::Unknown, Vec::new());
            continue;
        }
        tokio::select! {
            () = closing.cancelled() => return,
            () = waiting.oldest_had(HEADER_TURN) => {}
        }
        let (place, closing) = (waiting.enter(), closing.clone());
        let (limiter, told) = (limiter.clone(), Arc::clone(&told));
        tokio::spawn(async move {
            tokio::select! {
                () = closing.cancelled() => {}
                () = admit_with_header::<L>(&limiter, stream, place, &told) => {}
            }
        });
    }
}

/// Hands a connection over when its header has come, which is said once in the log if it does not.
async fn admit_with_header<L: Listener>(
    limiter: &ConnectionLimiter,
    mut stream: L::Stream,
    place: Membership,
    told: &AtomicBool,
) {
    let header = tokio::select! {
        () = place.evicted() => None,
        header = timeout(HEADER, read_header(&mut stream)) => header.ok().flatten(),
    };
    match header {
        Some(Header { client, rest }) => admit::<L>(limiter, stream, client, rest),
        None if !told.swap(true, Ordering::Relaxed) => tracing::warn!(
            "A connection to the listener for proxies did not begin with a header of the PROXY protocol and was closed. If it \
             was the proxy's, let it send one, or set listen.proxy_protocol to false. Further ones are closed without a word."
        ),
        None => {}
    }
}

/// Hands a connection over, if there is a permit for it.
fn admit<L: Listener>(limiter: &ConnectionLimiter, stream: L::Stream, client: Client, rest: Vec<u8>) {
    let peer = Peer::Public(client);
    match limiter.try_acquire(peer.circuit()) {
        Some(permit) if rest.is_empty() => limiter.accept(stream, peer, permit),
        Some(permit) => limiter.accept(Rest::new(rest, stream), peer, permit),
        None => refuse::<L>(&stream),
    }
}

#[cfg(test)]
mod tests;
