//! QR codes of links for a page, which has no program of its own to make them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::post;
use http::StatusCode;

use super::credentials::Credentials;
use super::exchange::{HandlerResult, json, read_body};
use crate::http::site::{ChargedRoom, Site};
use crate::protocol::{self, Code, Refusal};
use crate::qr::{Drawing, TEXT_BYTES_MAX};

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/rooms/{room}/qr", post(draw))
}

/// Draws a text of the body for a guest. It is kept nowhere: links are secret.
async fn draw(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    credentials: Credentials,
    request: Request,
) -> HandlerResult {
    let text = protocol::body::text(&read_body(&site, request).await?)?;
    room.join_stateless(credentials.hello()).await?;
    let drawing = Drawing::of(&text).ok_or_else(|| {
        let sentence = format!("A QR code has at most {TEXT_BYTES_MAX} bytes here.");
        Refusal::new(Code::TextTooLong, sentence)
    })?;
    Ok(json(StatusCode::OK, &drawing))
}
