//! The onion listener: accepts rendezvous circuits and the streams on them.
//!
//! Refusals look to a client as C Tor's do by default, so that they do not tell this program from others. In C Tor
//! that is `handle_hs_exit_conn` (`core/or/connection_edge.c`) with `hs_service_set_conn_addr_port`
//! (`feature/hs/hs_service.c`):
//!
//! - A stream to an unknown port ends with the reason `DONE`, and the circuit lives. tor(1) says otherwise of
//!   `HiddenServiceAllowUnknownPorts`; what C Tor 0.4.9 does is seen by a test that asks both.
//! - A stream over the limit ends with `DONE` too, and the circuit lives, because
//!   `HiddenServiceMaxStreamsCloseCircuit` is 0.
//!
//! `DONE` is therefore also the reason when no connection permit is left: any other would be given by this program
//! alone.

mod stream;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::stream::OnionStream;
use super::rendezvous::{Introduction, RendezvousCircuit, StreamRequest};
use super::{ConnectionLimiter, Peer};

/// The most circuits that may be under construction to their rendezvous points. Introductions beyond it are dropped;
/// their clients try again by themselves. Building one costs a few round trips, and every stranger can ask for it.
const PENDING_CIRCUITS_MAX: usize = 64;

/// The most rendezvous circuits that may be open, with or without streams. Introductions beyond it are dropped.
const CIRCUITS_MAX: usize = 4096;

/// Accepts circuits, and connections on them, until `shutdown` or until `introductions` ends.
///
/// Each circuit is one task of this loop, numbered in the order of arrival. When the loop ends they end:
/// no further streams, while those handed on live until their holders drop them.
pub async fn accept<I: Introduction>(
    mut introductions: mpsc::Receiver<I>,
    limiter: ConnectionLimiter,
    streams_per_circuit: usize,
    service_port: u16,
    shutdown: CancellationToken,
) {
    let pending = Arc::new(Semaphore::new(PENDING_CIRCUITS_MAX));
    let mut circuits = JoinSet::new();
    let mut number = 0;
    loop {
        let introduction = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(_ended) = circuits.join_next() => continue,
            introduction = introductions.recv() => match introduction {
                Some(introduction) => introduction,
                None => break,
            },
        };
        let Ok(permit) = Arc::clone(&pending).try_acquire_owned() else {
            tracing::debug!("an introduction was dropped: too many circuits are being built");
            continue;
        };
        if circuits.len() >= CIRCUITS_MAX {
            tracing::debug!("an introduction was dropped: too many circuits are open");
            continue;
        }
        number += 1;
        let circuit = Circuit {
            limiter: limiter.clone(),
            peer: Peer::Circuit(number),
            service_port,
            streams: Arc::new(Semaphore::new(streams_per_circuit.min(Semaphore::MAX_PERMITS))),
        };
        circuits.spawn(circuit.run(introduction, permit));
    }
    circuits.shutdown().await;
}

/// One rendezvous circuit.
struct Circuit {
    limiter: ConnectionLimiter,
    peer: Peer,
    service_port: u16,
    /// One permit for each stream that may be open.
    streams: Arc<Semaphore>,
}

impl Circuit {
    async fn run(self, introduction: impl Introduction, pending: OwnedSemaphorePermit) {
        let Some(mut circuit) = introduction.rendezvous().await else { return };
        drop(pending);
        while let Some(request) = circuit.next().await {
            if request.port() == Some(self.service_port) {
                self.stream(request).await;
            } else {
                request.refuse().await;
            }
        }
        // The client has closed the circuit; its streams end by themselves.
    }

    async fn stream(&self, request: impl StreamRequest) {
        let Ok(stream_permit) = Arc::clone(&self.streams).try_acquire_owned() else {
            return request.refuse().await;
        };
        let Some(permit) = self.limiter.try_acquire(self.peer.circuit()) else {
            return request.refuse().await;
        };
        match request.accept().await {
            Ok(io) => self.limiter.accept(OnionStream::new(io, stream_permit), self.peer, permit),
            Err(error) => tracing::debug!(%error, "a stream ended before it began"),
        }
    }
}

#[cfg(test)]
mod tests;
