//! QR codes of links for a page, which has no program of its own to make them.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::routing::post;
use axum::{Extension, Router};
use http::StatusCode;

use super::credentials::Credentials;
use super::exchange::{HandlerResult, json, read_body};
use crate::http::drawings;
use crate::http::site::{ChargedRoom, Site};
use crate::listen::ConnectInfo;
use crate::protocol;

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/rooms/{room}/qr", post(draw))
}

/// Draws a text of the body for a guest. It is kept nowhere: links are secret.
async fn draw(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    Extension(info): Extension<ConnectInfo>,
    credentials: Credentials,
    request: Request,
) -> HandlerResult {
    let text = protocol::body::text(&read_body(&site, request).await?)?;
    let welcome = room.join_stateless(credentials.hello()).await?.welcome;
    drawings::charge(info.peer.circuit(), welcome.policy.role(welcome.guest.id))?;
    Ok(json(StatusCode::OK, &drawings::draw(text).await?))
}
