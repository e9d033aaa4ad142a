//! The state that all handlers share.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::Problem;
use super::guard::Hosts;
use super::index::Index;
use crate::config::ListenSettings;
use crate::hub::Room;
use crate::listen::ConnectInfo;

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

/// The room as the circuit of a request reaches it: what is asked of it is charged to that circuit.
pub struct ChargedRoom(pub Room);

impl FromRequestParts<Arc<Site>> for ChargedRoom {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let info = parts.extensions.get::<ConnectInfo>().ok_or_else(unknown_connection)?;
        Ok(Self(site.room.on(info.peer.circuit())))
    }
}

/// The problem of a request that no listener accepted; the server itself is at fault.
pub(super) fn unknown_connection() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "A request came from nowhere.")
}
