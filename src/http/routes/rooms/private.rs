//! Private messages over HTTP, and the note that a guest is writing.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::routing::post;
use http::StatusCode;

use super::credentials::Credentials;
use super::exchange::{HandlerResult, idempotency_key, json, read_body};
use crate::http::site::{ChargedRoom, Site};
use crate::protocol;

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/rooms/{room}/private", post(whisper)).route("/rooms/{room}/typing", post(typing))
}

async fn whisper(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    credentials: Credentials,
    request: Request,
) -> HandlerResult {
    let key = idempotency_key(&request);
    let body = read_body(&site, request).await?;
    let whisper = protocol::body::whisper(&body, key.as_deref(), room.limits().message_bytes)?;
    let guest = room.join_stateless(credentials.hello()).await?.welcome.guest.id;
    let id = whisper.id.clone();
    let number = room.whisper_stateless(guest, whisper).await?;
    Ok(json(StatusCode::CREATED, &serde_json::json!({ "id": id.as_str(), "number": number })))
}

/// Says nothing of whether the others are told.
async fn typing(ChargedRoom(room): ChargedRoom, credentials: Credentials) -> HandlerResult {
    if let Some(join) = room.touch(&credentials.token).await? {
        room.typing_stateless(join.welcome.guest.id);
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
