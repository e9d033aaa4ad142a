//! What the rooms of one address share: what circuits may do over all of them, how often secrets may be tried, whose turn it is to
//! search, and the seats.

use std::sync::Arc;

use super::budgets::charge_opening;
use super::command::rate_limited;
use super::facts::Changed;
use super::searches::Searches;
use super::seats::Seats;
use super::shared_circuits::SharedCircuits;
use crate::config::RoomSettings;
use crate::passwords::Attempts;
use crate::protocol::{CircuitId, Refusal};

pub use super::facts::Facts;

/// What the rooms of one address share. A room that is alone has one of its own.
pub struct House {
    pub(super) changed: Changed,
    pub(super) circuits: SharedCircuits,
    pub(super) seats: Seats,
    /// How often passwords and passphrases may be tried.
    pub(super) attempts: Arc<Attempts>,
    /// Whose turn it is to search.
    pub(super) searches: Arc<Searches>,
}

impl House {
    /// For rooms that have so many seats together.
    pub fn new(seats: usize) -> Self {
        Self {
            changed: Changed::default(),
            circuits: SharedCircuits::default(),
            seats: Seats::new(seats),
            attempts: Arc::default(),
            searches: Arc::default(),
        }
    }

    /// Completes when the [`Facts`] of a room have changed since this completed last. For one caller.
    pub async fn changed(&self) {
        self.changed.told().await;
    }

    /// Says that something is to be told of a room.
    pub fn tell(&self) {
        self.changed.tell();
    }

    /// Charges the opening of a closed room with these settings to a circuit: as much as a join.
    ///
    /// # Errors
    /// `too_fast`, with how long to wait.
    pub fn charge_opening(&self, room: &RoomSettings, circuit: CircuitId) -> Result<(), Refusal> {
        charge_opening(&self.circuits, room, circuit).map_err(rate_limited)
    }
}

impl Default for House {
    fn default() -> Self {
        Self::new(usize::MAX / 2)
    }
}
