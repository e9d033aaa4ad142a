//! Traits for introductions, rendezvous circuits and the streams on them.
//!
//! Arti's types cannot be constructed outside Arti, so the accept loop knows them only by these small traits,
//! which [`crate::tor`] implements, and is tested without a network. The words are those of the
//! [rendezvous specification](https://spec.torproject.org/rend-spec/protocol-overview.html).

use std::future::Future;
use std::io;

use super::Io;

/// A client's request, through an introduction point, for a circuit to its rendezvous point.
///
/// Dropping it refuses; the client is not told and tries again by itself.
pub trait Introduction: Send + 'static {
    /// The circuit.
    type Circuit: RendezvousCircuit;

    /// Builds the circuit to the rendezvous point: a round trip through Tor, seconds on a bad day. `None`
    /// when it cannot be built.
    fn rendezvous(self) -> impl Future<Output = Option<Self::Circuit>> + Send;
}

/// A circuit with one client at its far end. It closes when it and all its streams are dropped.
pub trait RendezvousCircuit: Send + 'static {
    /// A request for one more stream.
    type Request: StreamRequest;

    /// The next request, or `None` once the circuit is gone.
    fn next(&mut self) -> impl Future<Output = Option<Self::Request>> + Send;
}

/// A client's request for a stream.
pub trait StreamRequest: Send + 'static {
    /// The bytes in both directions.
    type Stream: Io;

    /// The requested port; `None` when the request is no `RELAY_BEGIN`.
    fn port(&self) -> Option<u16>;

    /// Answers `RELAY_CONNECTED`.
    ///
    /// # Errors
    /// When the circuit is gone.
    fn accept(self) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Answers `RELAY_END` with the reason `DONE`, the only one that C Tor's onion services give.
    fn refuse(self) -> impl Future<Output = ()> + Send;
}
