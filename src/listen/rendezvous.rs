//! What guests on Tor arrive through: introductions, rendezvous circuits and the streams on them.
//!
//! Arti's types cannot be constructed outside Arti, so the accept loop knows them only by these small traits,
//! which [`crate::tor`] implements, and is tested without a network. The words are those of the
//! [rendezvous specification](https://spec.torproject.org/rend-spec/protocol-overview.html).

use std::future::Future;
use std::io;

use super::Io;

/// Somebody's client asks, through an introduction point, to be met at a rendezvous point.
///
/// Dropping it refuses; the client is not told and tries again by itself.
pub trait Introduction: Send + 'static {
    /// What comes of it.
    type Circuit: RendezvousCircuit;

    /// Builds the circuit to the rendezvous point: a round trip through Tor, seconds on a bad day. `None`
    /// when it cannot be built.
    fn meet(self) -> impl Future<Output = Option<Self::Circuit>> + Send;
}

/// A circuit with one client at its far end. It closes when it and all its streams are dropped.
pub trait RendezvousCircuit: Send + 'static {
    /// A request for one more stream.
    type Request: StreamRequest;

    /// The next request, or `None` once the circuit is gone.
    fn next(&mut self) -> impl Future<Output = Option<Self::Request>> + Send;
}

/// The client asks for a stream.
pub trait StreamRequest: Send + 'static {
    /// The bytes in both directions.
    type Stream: Io;

    /// The port that is asked for; `None` when this is no `RELAY_BEGIN` at all.
    fn port(&self) -> Option<u16>;

    /// Answers `RELAY_CONNECTED`.
    ///
    /// # Errors
    /// When the circuit is gone.
    fn accept(self) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Answers `RELAY_END` with the reason `DONE`, the only one that C Tor's onion services give.
    fn refuse(self) -> impl Future<Output = ()> + Send;
}
