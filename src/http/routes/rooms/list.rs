//! The rooms of this address that are listed.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::{Method, StatusCode};
use serde::Serialize;

use super::exchange::{json, json_text};
use crate::http::body;
use crate::http::site::Site;
use crate::protocol::event::RoomLine;

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/rooms", get(rooms))
}

/// What `GET /rooms` answers with.
#[derive(Serialize)]
struct List {
    rooms: Vec<RoomLine>,
}

/// Takes no seat: who looks for a room has none yet.
async fn rooms(State(site): State<Arc<Site>>, method: Method) -> Response {
    if method == Method::HEAD {
        return json_text(StatusCode::OK, body::not_made());
    }
    json(StatusCode::OK, &List { rooms: site.rooms.lines() })
}
