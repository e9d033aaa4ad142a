//! Listeners: onion streams and TCP connections are accepted as the same [`Connection`].
//!
//! [`budget`] is what the connections of one circuit may ask for, `limiter` how circuits share the connections,
//! [`loopback`] accepts those of this machine.

pub mod budget;
pub mod descriptors;
mod limiter;
pub mod loopback;
pub mod onion;
pub mod rendezvous;
pub mod tcp;
#[cfg(unix)]
pub mod unix;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use self::limiter::Permits;
use crate::protocol::CircuitId;

pub use self::limiter::{Activity, LOOPBACK_RESERVE, Permit};

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

/// The remote end of a connection.
///
/// A circuit is a budget to charge, never an identity: one person can have many, and it does not say who they
/// are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A rendezvous circuit, numbered by this process from 1 in the order of arrival.
    Circuit(u64),
    /// A process on this machine; on a Unix socket with the address 127.0.0.1:0.
    Loopback(SocketAddr),
}

impl Peer {
    /// The circuit that its requests are charged to; all of this machine are one.
    pub fn circuit(self) -> CircuitId {
        match self {
            Self::Circuit(number) => CircuitId(number),
            Self::Loopback(_) => CircuitId::LOOPBACK,
        }
    }
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

    /// Allows at most `most` connections from this machine, its reserve among them: each takes a descriptor, which those
    /// through Tor do not.
    pub fn limit_loopback(&self, most: usize) {
        self.permits.limit_loopback(most);
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
