//! How a connection learns that it has lost the seat, and why.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::protocol::{Code, Refusal};

/// Tells a connection that it has lost the seat, and why.
#[derive(Debug, Clone, Default)]
pub(super) struct SeatLoss {
    lost: CancellationToken,
    /// Why, if it is not that the guest has it elsewhere.
    reason: Arc<OnceLock<Refusal>>,
}

impl SeatLoss {
    /// Another connection of the guest has taken the seat over, or the guest has left.
    pub(super) fn take_over(&self) {
        self.lost.cancel();
    }

    /// A full room gave the seat to another circuit.
    pub(super) fn evict(&self, doors: &Arc<[String]>) {
        let sentence =
            "The room is full, and this seat went to a guest on another circuit. Come back a little later.";
        self.expel(Refusal { doors: Arc::clone(doors), ..Refusal::new(Code::RoomFull, sentence) });
    }

    /// The guest has lost the seat for this reason.
    pub(super) fn expel(&self, reason: Refusal) {
        let _ = self.reason.set(reason);
        self.lost.cancel();
    }

    /// Completes when the seat is lost.
    pub(super) fn lost(&self) -> impl Future<Output = ()> + Send + use<> {
        self.lost.clone().cancelled_owned()
    }

    /// The last event for the connection.
    pub(super) fn refusal(&self) -> Refusal {
        let moved = || {
            Refusal::new(Code::TakenOver, "This guest came in on another connection, so this one is closed.")
        };
        self.reason.get().cloned().unwrap_or_else(moved)
    }

    #[cfg(test)]
    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }
}
