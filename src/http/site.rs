//! The state that all handlers share.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::guard::Hosts;
use super::index::Index;
use crate::config::ListenSettings;
use crate::hub::Room;

/// The room and everything else that handlers use.
pub struct Site {
    /// The room.
    pub room: Room,
    /// The document at `/`.
    pub index: Index,
    /// The names under which the room answers.
    pub hosts: Hosts,
    /// Deadlines and limits.
    pub settings: Arc<ListenSettings>,
    /// The tasks of upgraded connections.
    pub tasks: TaskTracker,
    /// Cancelled when the room closes.
    pub closing: CancellationToken,
}
