//! What a host asks for at the end: that the room be wiped.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::post;
use http::StatusCode;
use serde::Serialize;

use super::credentials::Credentials;
use super::exchange::{HandlerResult, json, read_body};
use crate::http::site::{ChargedRoom, Site};
use crate::protocol;

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/rooms/{room}/wipe", post(wipe))
}

/// The answer. The room ends after it.
#[derive(Serialize)]
struct Wiping {
    address: bool,
}

async fn wipe(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    credentials: Credentials,
    request: Request,
) -> HandlerResult {
    let (confirm, address) = protocol::body::wipe(&read_body(&site, request).await?)?;
    let guest = room.join_stateless(credentials.hello()).await?.welcome.guest.id;
    site.wiping.ask_as(&room, guest, &confirm, address).await?;
    Ok(json(StatusCode::ACCEPTED, &Wiping { address }))
}
