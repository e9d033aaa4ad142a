//! The way in through Tor: rendezvous circuits and the streams on them.
//!
//! What a client can tell from outside is kept to what C Tor does by default, so that the room's program is
//! not told apart by how it refuses. In C Tor that is `handle_hs_exit_conn` (`core/or/connection_edge.c`) with
//! `hs_service_set_conn_addr_port` (`feature/hs/hs_service.c`):
//!
//! - A stream to an unknown port ends with the reason `DONE`, and the circuit lives. tor(1) says otherwise of
//!   `HiddenServiceAllowUnknownPorts`; what C Tor 0.4.9 does is seen by a test that asks both.
//! - A stream over the limit ends with `DONE` too, and the circuit lives, because
//!   `HiddenServiceMaxStreamsCloseCircuit` is 0.
//!
//! `DONE` is therefore also what a client gets when the room has no place left: any other reason would be
//! given by this program alone.

mod stream;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::stream::OnionStream;
use super::rendezvous::{Introduction, RendezvousCircuit, StreamRequest};
use super::{Entrance, Peer};

/// How many circuits may be under construction towards their rendezvous points at once. Those over it are
/// dropped; their clients try again by themselves. Building one costs a few round trips and a few relays'
/// work, and anyone may ask for it.
const MEETING_AT_ONCE: usize = 64;

/// How many rendezvous circuits may be open at once, streams or none. Beyond it introductions are dropped.
const CIRCUITS: usize = 4096;

/// Accepts circuits, and connections on them, until `shutdown` or until `introductions` ends.
///
/// Each circuit is one task of this loop, numbered in the order of arrival. When the loop ends they end:
/// no further streams, while those handed on live until their holders drop them.
pub async fn accept<I: Introduction>(
    mut introductions: mpsc::Receiver<I>,
    entrance: Entrance,
    streams_per_circuit: usize,
    service_port: u16,
    shutdown: CancellationToken,
) {
    let meeting = Arc::new(Semaphore::new(MEETING_AT_ONCE));
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
        let Ok(place) = Arc::clone(&meeting).try_acquire_owned() else {
            tracing::debug!("an introduction was dropped: too many circuits are being built");
            continue;
        };
        if circuits.len() >= CIRCUITS {
            tracing::debug!("an introduction was dropped: too many circuits are open");
            continue;
        }
        number += 1;
        let circuit = Circuit {
            entrance: entrance.clone(),
            peer: Peer::Circuit(number),
            service_port,
            streams: Arc::new(Semaphore::new(streams_per_circuit.min(Semaphore::MAX_PERMITS))),
        };
        circuits.spawn(circuit.run(introduction, place));
    }
    circuits.shutdown().await;
}

/// One rendezvous circuit's stay.
struct Circuit {
    entrance: Entrance,
    peer: Peer,
    service_port: u16,
    /// One permit for each stream that may be open.
    streams: Arc<Semaphore>,
}

impl Circuit {
    async fn run(self, introduction: impl Introduction, meeting: OwnedSemaphorePermit) {
        let Some(mut circuit) = introduction.meet().await else { return };
        drop(meeting);
        while let Some(request) = circuit.next().await {
            if request.port() == Some(self.service_port) {
                self.stream(request).await;
            } else {
                request.refuse().await;
            }
        }
        // The circuit is gone at its far end. Its streams see that by themselves.
    }

    async fn stream(&self, request: impl StreamRequest) {
        let Ok(counted) = Arc::clone(&self.streams).try_acquire_owned() else {
            return request.refuse().await;
        };
        let Some(place) = self.entrance.place() else {
            return request.refuse().await;
        };
        match request.accept().await {
            Ok(io) => self.entrance.enter(OnionStream::new(io, counted), self.peer, place),
            Err(error) => tracing::debug!(%error, "a stream ended before it began"),
        }
    }
}

#[cfg(test)]
mod tests;
