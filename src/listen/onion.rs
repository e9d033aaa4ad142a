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

//!
//! What a stranger can ask for without a stream is bounded, and never at the cost of the next introduction:
//!
//! - A circuit under construction has a deadline. When too many are, no introduction is refused: the next waits where
//!   introductions with proof of work go first, until the oldest construction has had its time, and takes its place.
//! - A circuit without an open stream ends after a time. When too many are, the one that has been without for longest
//!   ends. Circuits with streams need no limit of their own: each stream has a connection permit.

mod stream;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use self::stream::{OnionStream, OpenStreams};
use super::oldest::{Membership, OldestFirst};
use super::rendezvous::{Introduction, RendezvousCircuit, StreamRequest};
use super::{ConnectionLimiter, Peer};
use crate::config::OnionSettings;

/// The most circuits that may be under construction to their rendezvous points. Building one costs a few round trips,
/// and every stranger can ask for it. With [`PENDING_LEAST`] it lets 85 introductions a second pass even when none of
/// their circuits can be built; three introduction points pass on 75 by default.
const PENDING_CIRCUITS_MAX: usize = 256;

/// How long the construction of a circuit may take before a newer one can take its place. Through the public network
/// it takes one or two seconds.
const PENDING_LEAST: Duration = Duration::from_secs(3);

/// How long the construction of a circuit may take at all. C Tor's clients wait about as long for it.
const RENDEZVOUS_TIMEOUT: Duration = Duration::from_secs(30);

/// The most circuits that may be without an open stream.
const IDLE_CIRCUITS_MAX: usize = 1024;

/// What applies to every circuit.
#[derive(Debug, Clone)]
pub struct CircuitLimits {
    /// The port that streams may ask for.
    port: u16,
    /// How many streams a circuit may have open at once.
    streams: usize,
    /// How long a circuit may be without an open stream.
    idle: Duration,
}

impl CircuitLimits {
    /// Those of the settings.
    pub fn new(settings: &OnionSettings) -> Self {
        Self { port: settings.port, streams: settings.streams_per_circuit, idle: settings.idle_circuit }
    }
}

/// Accepts circuits, and connections on them, until `shutdown` or until `introductions` ends.
///
/// An introduction is received only when its circuit can be built at once: the sender holds back the others, and can
/// order them.
///
/// Each circuit is one task of this loop, numbered in the order of arrival. When the loop ends they end:
/// no further streams, while those handed on live until their holders drop them.
pub async fn accept<I: Introduction>(
    mut introductions: mpsc::Receiver<I>,
    limiter: ConnectionLimiter,
    limits: CircuitLimits,
    shutdown: CancellationToken,
) {
    let pending = OldestFirst::new(PENDING_CIRCUITS_MAX);
    let idle = OldestFirst::new(IDLE_CIRCUITS_MAX);
    let mut circuits = JoinSet::new();
    let mut number = 0;
    loop {
        let introduction = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(_ended) = circuits.join_next() => continue,
            introduction = async {
                pending.oldest_had(PENDING_LEAST).await;
                introductions.recv().await
            } => match introduction {
                Some(introduction) => introduction,
                None => break,
            },
        };
        number += 1;
        let circuit = Circuit {
            limiter: limiter.clone(),
            peer: Peer::Circuit(number),
            streams: OpenStreams::new(limits.streams),
            idle: Arc::clone(&idle),
            limits: limits.clone(),
        };
        circuits.spawn(circuit.run(introduction, pending.enter()));
    }
    circuits.shutdown().await;
}

/// One rendezvous circuit.
struct Circuit {
    limiter: ConnectionLimiter,
    peer: Peer,
    streams: Arc<OpenStreams>,
    /// The circuits without an open stream.
    idle: Arc<OldestFirst>,
    limits: CircuitLimits,
}

/// The time of a circuit without an open stream. A refused stream does not prolong it.
struct IdleTime {
    place: Membership,
    end: Instant,
}

impl IdleTime {
    /// Returns when the circuit is to end.
    async fn over(&self) {
        tokio::select! {
            () = self.place.evicted() => tracing::debug!("too many circuits are idle; the oldest of them ends"),
            () = sleep_until(self.end) => {}
        }
    }
}

impl Circuit {
    async fn run(self, introduction: impl Introduction, pending: Membership) {
        let built = tokio::select! {
            built = timeout(RENDEZVOUS_TIMEOUT, introduction.rendezvous()) => built,
            () = pending.evicted() => return tracing::debug!("too many circuits are being built; the oldest is given up"),
        };
        let circuit = match built {
            Ok(Some(circuit)) => circuit,
            Ok(None) => return,
            Err(_) => return tracing::debug!("a circuit was not built in time"),
        };
        drop(pending);
        self.serve(circuit).await;
    }

    /// Accepts streams until the client closes the circuit or has none open for too long. Streams that are open end by
    /// themselves.
    async fn serve(&self, mut circuit: impl RendezvousCircuit) {
        let mut idle = None;
        loop {
            if self.streams.none() {
                idle.get_or_insert_with(|| self.idle_time());
            } else {
                idle = None;
            }
            let request = tokio::select! {
                request = circuit.next() => request,
                () = over(idle.as_ref()) => return,
                () = self.streams.all_closed(), if idle.is_none() => continue,
            };
            match request {
                Some(request) if request.port() == Some(self.limits.port) => self.stream(request).await,
                Some(request) => request.refuse().await,
                None => return,
            }
        }
    }

    fn idle_time(&self) -> IdleTime {
        IdleTime { place: self.idle.enter(), end: Instant::now() + self.limits.idle }
    }

    async fn stream(&self, request: impl StreamRequest) {
        let Some(stream_permit) = self.streams.try_open() else {
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

/// Returns when the idle time is over; never without one.
async fn over(idle: Option<&IdleTime>) {
    match idle {
        Some(idle) => idle.over().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod flood_tests;
#[cfg(test)]
mod tests;
