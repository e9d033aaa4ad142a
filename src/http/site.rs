//! The state that all handlers share.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use http::StatusCode;
use http::request::Parts;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::Problem;
use super::guard::Hosts;
use crate::config::ListenSettings;
use crate::hub::Room;
use crate::hub::wiping::Wiping;
use crate::listen::ConnectInfo;
use crate::protocol::MAIN_ROOM;
use crate::rooms::Rooms;
use crate::transport::noscript::windows::Windows;

/// The room and everything else that handlers use.
pub struct Site {
    /// The main room.
    pub room: Room,
    /// Takes the requests of hosts that it be wiped.
    pub wiping: Wiping,
    /// All rooms.
    pub rooms: Arc<Rooms>,
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
#[derive(Default)]
pub struct Noscript {
    /// Which windows have streams.
    pub windows: Windows,
}

/// The name of the room in the path of a request, or of the main room where there is none; empty for one that is not UTF-8,
/// which no room is called.
pub async fn room_name(parts: &mut Parts, site: &Arc<Site>) -> String {
    match RawPathParams::from_request_parts(parts, site).await {
        Ok(params) => {
            let room = params.iter().find(|(name, _)| *name == "room");
            room.map_or(MAIN_ROOM, |(_, room)| room).to_owned()
        }
        Err(_) => String::new(),
    }
}

/// The room that the path of a request names, or else the main one, as the circuit of the request reaches it: what is asked of
/// it is charged to that circuit, and answered in the language of the request.
pub struct ChargedRoom(pub Room);

impl FromRequestParts<Arc<Site>> for ChargedRoom {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let name = room_name(parts, site).await;
        let info = parts.extensions.get::<ConnectInfo>().ok_or_else(unknown_connection)?;
        let language = parts.extensions.get().copied().unwrap_or_default();
        Ok(Self(site.rooms.find(&name, info.peer.circuit()).await?.in_language(language)))
    }
}

/// The problem of a request that no listener accepted; the server itself is at fault.
pub(super) fn unknown_connection() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "A request came from nowhere.")
}
