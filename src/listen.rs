//! Accepting: every way in ends as the same [`Connection`].

pub mod onion;
pub mod rendezvous;
pub mod tcp;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Anything bytes flow over in both directions.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// One accepted connection. Beyond this point nothing knows about Tor.
pub struct Connection {
    /// The bytes.
    pub io: Box<dyn Io>,
    /// Where they come from.
    pub peer: Peer,
    /// The place it takes among the allowed connections, given back when this is dropped.
    pub place: Place,
}

/// Where a connection comes from.
///
/// A circuit is a budget to charge, never an identity: one person can have many, and it says nothing about
/// who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A rendezvous circuit, numbered by this process in the order of arrival.
    Circuit(u64),
    /// This machine.
    Loopback(SocketAddr),
}

/// Where every listener brings its connections: counts them, refuses those over the limit, hands on the
/// rest. Cheap to clone.
#[derive(Clone)]
pub struct Entrance {
    places: Arc<Semaphore>,
    inside: mpsc::UnboundedSender<Connection>,
}

/// One place among the allowed connections.
#[derive(Debug)]
pub struct Place(#[allow(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Entrance {
    /// An entrance for at most `connections` open at once, and the end at which they come out. The channel
    /// needs no bound of its own: whatever waits in it holds a place.
    pub fn new(connections: usize) -> (Self, mpsc::UnboundedReceiver<Connection>) {
        let (inside, outcome) = mpsc::unbounded_channel();
        (Self { places: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))), inside }, outcome)
    }

    /// A place for one more connection, or `None` when all are taken: then refuse, do not wait.
    pub fn place(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok().map(Place)
    }

    /// Hands a connection on. It is dropped, and so closed, when the room is closing.
    pub fn enter(&self, io: impl Io, peer: Peer, place: Place) {
        let _ = self.inside.send(Connection { io: Box::new(io), peer, place });
    }
}
