//! What guests arrive through: introductions, rendezvous circuits and the streams on them.
//!
//! Arti's types cannot be constructed outside Arti, so the accept loop knows them only by these small traits
//! and is tested without a network. The words are those of the
//! [rendezvous specification](https://spec.torproject.org/rend-spec/protocol-overview.html).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use tor_cell::relaycell::msg::{Connected, End, EndReason};
use tor_hsservice::{RendRequest, StreamRequest as ArtiStreamRequest};
use tor_proto::stream::IncomingStreamRequest;

use crate::listen::Io;

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

/// An introduction as Arti hands it over.
pub struct ArtiIntroduction {
    request: RendRequest,
    /// One more of these lives for each introduction and each circuit.
    guest: Arc<()>,
}

/// A rendezvous circuit of Arti's.
pub struct ArtiCircuit {
    requests: Pin<Box<dyn Stream<Item = ArtiStreamRequest> + Send>>,
    _guest: Arc<()>,
}

impl ArtiIntroduction {
    /// `guest` is kept until the circuit that comes of the request is gone.
    pub(super) fn new(request: RendRequest, guest: Arc<()>) -> Self {
        Self { request, guest }
    }
}

impl Introduction for ArtiIntroduction {
    type Circuit = ArtiCircuit;

    async fn meet(self) -> Option<ArtiCircuit> {
        match self.request.accept().await {
            Ok(requests) => Some(ArtiCircuit { requests: Box::pin(requests), _guest: self.guest }),
            Err(error) => {
                tracing::debug!(%error, "no circuit to the rendezvous point");
                None
            }
        }
    }
}

impl RendezvousCircuit for ArtiCircuit {
    type Request = ArtiStreamRequest;

    async fn next(&mut self) -> Option<ArtiStreamRequest> {
        self.requests.next().await
    }
}

impl StreamRequest for ArtiStreamRequest {
    type Stream = tor_proto::client::stream::DataStream;

    fn port(&self) -> Option<u16> {
        match self.request() {
            IncomingStreamRequest::Begin(begin) => Some(begin.port()),
            _ => None,
        }
    }

    async fn accept(self) -> io::Result<Self::Stream> {
        ArtiStreamRequest::accept(self, Connected::new_empty()).await.map_err(io::Error::other)
    }

    async fn refuse(self) {
        if let Err(error) = self.reject(End::new_with_reason(EndReason::DONE)).await {
            tracing::debug!(%error, "the circuit was gone before a stream could be refused");
        }
    }
}
