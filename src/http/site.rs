//! The state that all handlers share.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::Problem;
use super::guard::Hosts;
use crate::config::{HistorySettings, ListenSettings, RoomSettings};
use crate::hub::Room;
use crate::hub::wiping::Wiping;
use crate::listen::ConnectInfo;
use crate::protocol::event::Kept;
use crate::transport::noscript::windows::Windows;

/// The room and everything else that handlers use.
pub struct Site {
    /// The room.
    pub room: Room,
    /// Takes the requests of hosts that it be wiped.
    pub wiping: Wiping,
    /// What the chat without JavaScript needs beside the room.
    pub noscript: Noscript,
    /// The names under which the room answers.
    pub hosts: Hosts,
    /// Deadlines and limits.
    pub settings: Arc<ListenSettings>,
    /// The tasks of upgraded connections.
    pub tasks: TaskTracker,
    /// Cancelled when the room closes.
    pub closing: CancellationToken,
}

/// What the chat without JavaScript needs beside the room.
pub struct Noscript {
    /// The room's title, for a page that takes no seat.
    pub title: String,
    /// The room's retention, for the same page.
    pub kept: Kept,
    /// Which windows have streams.
    pub windows: Windows,
}

impl Noscript {
    /// For a room with these settings, without windows.
    pub fn new(room: &RoomSettings, history: &HistorySettings) -> Self {
        let kept = Kept { messages: history.messages, days: history.days };
        Self { title: room.title.clone(), kept, windows: Windows::default() }
    }
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
