//! Listeners: onion streams, TCP connections and those of Unix sockets are accepted as the same [`Connection`].
//!
//! [`accept`] is the loop of those that are files, [`budget`] is what the connections of one circuit may ask for, `limiter` how circuits share the connections,
//! [`loopback`] accepts those of this machine, [`proxy`] those that a reverse proxy hands over, `peer` is where one comes from.

pub mod accept;
pub mod budget;
pub mod descriptors;
mod forward;
mod limiter;
pub mod loopback;
pub mod oldest;
pub mod onion;
mod peer;
pub mod proxy;
pub mod rendezvous;
pub mod tcp;
pub mod tls;
#[cfg(unix)]
pub mod unix;

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use self::limiter::Permits;
use crate::protocol::CircuitId;

pub use self::limiter::{Activity, LOOPBACK_RESERVE, Permit};
pub use self::peer::{Client, Peer};

/// A bidirectional byte stream.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// An accepted connection. Code that handles it does not know whether it came through Tor.
pub struct Connection {
    /// The byte stream.
    pub io: Box<dyn Io>,
    /// Where it comes from.
    pub peer: Peer,
    /// Its permit, released when this is dropped.
    pub permit: Permit,
}

/// The connection that a request came on; an extension of each request.
#[derive(Clone)]
pub struct ConnectInfo {
    /// The remote end of the connection.
    pub peer: Peer,
    /// The connection's permit, to be held for as long as an upgraded connection lives.
    pub permit: Arc<Permit>,
}

/// Limits how many connections are open at once, over all listeners, and shares them between circuits. Cheap to clone.
#[derive(Clone)]
pub struct ConnectionLimiter {
    permits: Permits,
    accepted: mpsc::UnboundedSender<Connection>,
}

impl ConnectionLimiter {
    /// A limiter for at most `connections` open at once, beside [`LOOPBACK_RESERVE`] for this machine, and the receiver of
    /// accepted connections. Each circuit may make `requests_per_second` requests, over all its connections; 0 is no
    /// limit. The channel needs no bound of its own: each connection in it holds a permit.
    pub fn new(connections: usize, requests_per_second: u32) -> (Self, mpsc::UnboundedReceiver<Connection>) {
        let (accepted, receiver) = mpsc::unbounded_channel();
        (Self { permits: Permits::new(connections, requests_per_second), accepted }, receiver)
    }

    /// Allows at most `most` connections that are files of this process, the reserve of this machine among them. Those of
    /// the onion service are none.
    pub fn limit_files(&self, most: usize) {
        self.permits.limit_files(most);
    }

    /// A permit for one more connection of this circuit. At the limit it is taken from the circuit that holds most, if
    /// that is at least two more; otherwise `None`: then refuse the connection, do not queue it.
    pub fn try_acquire(&self, circuit: CircuitId) -> Option<Permit> {
        self.permits.try_acquire(circuit)
    }

    /// Hands an accepted connection to the server. It is dropped, and so closed, when the server is closing.
    pub fn accept(&self, io: impl Io, peer: Peer, permit: Permit) {
        let _ = self.accepted.send(Connection { io: Box::new(io), peer, permit });
    }
}
