//! A search, over HTTP. What is searched for is in the body: an address is logged, kept in histories and easily copied.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::post;
use axum::{Extension, Router};
use http::StatusCode;
use serde::Serialize;

use super::credentials::Credentials;
use super::exchange::{HandlerResult, json_text, read_body};
use crate::http::site::{ChargedRoom, Site};
use crate::hub::annotated::Annotated;
use crate::hub::reader::BATCH_BYTES;
use crate::listen::ConnectInfo;
use crate::listen::budget::HeldBytes;
use crate::protocol::{Event, SearchRequest};

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/rooms/{room}/search", post(search))
}

/// What `POST /rooms/{room}/search` answers with.
#[derive(Serialize)]
struct Found<'a> {
    before: u64,
    after: u64,
    clock: u64,
    messages: Vec<Event<'a>>,
}

async fn search(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    Extension(info): Extension<ConnectInfo>,
    credentials: Credentials,
    request: Request,
) -> HandlerResult {
    let request = SearchRequest::from_body(&read_body(&site, request).await?)?;
    let mut permit = info.permit.budget().hold(BATCH_BYTES).await;
    let (found, clock) = room.search_stateless(credentials.hello(), request).await?;
    let messages = found.messages.iter().map(Annotated::event).collect();
    let found = Found { before: found.before, after: found.after, clock, messages };
    // Texts and numbers, which serde_json cannot fail to write to memory.
    let text = serde_json::to_string(&found).unwrap_or_default() + "\n";
    permit.shrink(text.len());
    let mut response = json_text(StatusCode::OK, Body::from(text));
    response.extensions_mut().insert(HeldBytes::new(permit));
    Ok(response)
}
