//! How a connection learns that it has lost the seat, and why.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use crate::protocol::{Code, Refusal};

/// Tells a connection that it has lost the seat, and why.
#[derive(Debug, Clone, Default)]
pub(super) struct SeatLoss {
    lost: CancellationToken,
    evicted: Arc<AtomicBool>,
}

impl SeatLoss {
    /// Another connection of the guest has taken the seat over, or the guest has left.
    pub(super) fn take_over(&self) {
        self.lost.cancel();
    }

    /// A full room gave the seat to another circuit.
    pub(super) fn evict(&self) {
        self.evicted.store(true, Ordering::Relaxed);
        self.lost.cancel();
    }

    /// Completes when the seat is lost.
    pub(super) fn lost(&self) -> impl Future<Output = ()> + Send + use<> {
        self.lost.clone().cancelled_owned()
    }

    /// The last event for the connection.
    pub(super) fn refusal(&self) -> Refusal {
        if self.evicted.load(Ordering::Relaxed) {
            return Refusal::new(
                Code::RoomFull,
                "The room is full, and this seat went to a guest on another circuit. Come back a little later.",
            );
        }
        Refusal::new(Code::TakenOver, "This guest came in on another connection, so this one is closed.")
    }

    #[cfg(test)]
    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }
}
