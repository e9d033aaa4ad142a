//! Arti's introductions, rendezvous circuits and stream requests, as the accept loop knows them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use tor_cell::relaycell::msg::{Connected, End, EndReason};
use tor_hsservice::{RendRequest, StreamRequest as ArtiStreamRequest};
use tor_proto::stream::IncomingStreamRequest;

use crate::listen::rendezvous::{Introduction, RendezvousCircuit, StreamRequest};

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
