//! Arti's introductions, rendezvous circuits and stream requests behind the traits of [`crate::listen::rendezvous`].

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tor_cell::relaycell::msg::{Connected, End, EndReason};
use tor_hsservice::RendRequest;
use tor_proto::client::stream::DataStream;
use tor_proto::stream::IncomingStreamRequest;

use super::guests::{Guests, OpenStream};
use crate::listen::rendezvous::{Introduction, RendezvousCircuit, StreamRequest};

/// An introduction from Arti.
pub struct ArtiIntroduction {
    request: RendRequest,
    guests: Arc<Guests>,
}

/// A rendezvous circuit from Arti.
pub struct ArtiCircuit {
    requests: Pin<Box<dyn Stream<Item = tor_hsservice::StreamRequest> + Send>>,
    guests: Arc<Guests>,
}

/// A request for a stream on an [`ArtiCircuit`].
pub struct ArtiStreamRequest {
    request: tor_hsservice::StreamRequest,
    guests: Arc<Guests>,
}

/// A stream on an [`ArtiCircuit`].
pub struct ArtiStream {
    io: DataStream,
    open: OpenStream,
}

impl ArtiIntroduction {
    /// `guests` counts the streams.
    pub(super) fn new(request: RendRequest, guests: &Arc<Guests>) -> Self {
        Self { request, guests: Arc::clone(guests) }
    }
}

impl Introduction for ArtiIntroduction {
    type Circuit = ArtiCircuit;

    async fn rendezvous(self) -> Option<ArtiCircuit> {
        match self.request.accept().await {
            Ok(requests) => Some(ArtiCircuit { requests: Box::pin(requests), guests: self.guests }),
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
        let request = self.requests.next().await?;
        Some(ArtiStreamRequest { request, guests: Arc::clone(&self.guests) })
    }
}

impl StreamRequest for ArtiStreamRequest {
    type Stream = ArtiStream;

    fn port(&self) -> Option<u16> {
        match self.request.request() {
            IncomingStreamRequest::Begin(begin) => Some(begin.port()),
            _ => None,
        }
    }

    async fn accept(self) -> io::Result<ArtiStream> {
        let io = self.request.accept(Connected::new_empty()).await.map_err(io::Error::other)?;
        Ok(ArtiStream { io, open: self.guests.opened() })
    }

    async fn refuse(self) {
        if let Err(error) = self.request.reject(End::new_with_reason(EndReason::DONE)).await {
            tracing::debug!(%error, "the circuit was gone before a stream could be refused");
        }
    }
}

impl AsyncRead for ArtiStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = AsyncRead::poll_read(Pin::new(&mut self.io), context, buffer);
        if buffer.filled().len() > before {
            self.open.moved();
        }
        read
    }
}

impl AsyncWrite for ArtiStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = AsyncWrite::poll_write(Pin::new(&mut self.io), context, bytes);
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.open.moved();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.io), context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_shutdown(Pin::new(&mut self.io), context)
    }
}
