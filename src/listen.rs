//! Accepting: every way in ends as the same [`Connection`].

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};

/// Anything bytes flow over in both directions.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// One accepted connection. Beyond this point nothing knows about Tor.
pub struct Connection {
    /// The bytes.
    pub io: Box<dyn Io>,
    /// Where they come from.
    pub peer: Peer,
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
