//! The HTTP API of a room: members, messages by polling or as events, publishing, and what hosts do.
//!
//! `docs/http.md` describes it in prose, `docs/openapi.json` for programs.

mod acts;
pub(super) mod credentials;
mod exchange;
mod list;
mod private;
mod qr;
mod search;
mod wipe;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use axum::{Extension, Router};
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Serialize;

use self::credentials::{Credentials, LAST_EVENT_ID, RoomPath, check_query};
use self::exchange::{
    HandlerResult, idempotency_key, json, json_text, locate, logged, read_body, typed, waits,
};
use crate::http::body;
use crate::http::site::{ChargedRoom, Site};
use crate::http::unbuffered::unbuffered;
use crate::hub::{Done, Published};
use crate::listen::ConnectInfo;
use crate::listen::budget::HeldBytes;
use crate::protocol::event::{Kept, Limits, RoomName};
use crate::protocol::{self, Code, Guest, HISTORY_DEFAULT, HISTORY_MAX, Hello, Policy, Refusal, Welcome};
use crate::transport::events;
use crate::transport::poll::{self, PollRequest, WAIT_MAX};

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/rooms/{room}", get(room_state))
        .route("/rooms/{room}/guests", post(join))
        .route("/rooms/{room}/guests/me", patch(rename).delete(leave))
        .route("/rooms/{room}/messages", get(poll_messages).post(publish))
        .route("/rooms/{room}/events", get(event_stream))
        .merge(acts::routes())
        .merge(list::routes())
        .merge(private::routes())
        .merge(wipe::routes())
        .merge(search::routes())
        .merge(qr::routes())
        .route_layer(middleware::from_fn(refuse_secrets_in_query))
}

async fn refuse_secrets_in_query(request: Request, next: Next) -> Response {
    match check_query(request.uri()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// What `GET /rooms/{room}` answers with.
#[derive(Serialize)]
struct RoomState<'a> {
    room: RoomName<'a>,
    guests: &'a [Guest],
    count: usize,
    head: u64,
    first: u64,
    clock: u64,
    limits: Limits,
    kept: Kept,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    doors: &'a [String],
    /// There while the room cannot write.
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_available: Option<bool>,
    /// How many guests wait to be let in.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<usize>,
    #[serde(flatten)]
    policy: &'a Policy,
}

async fn room_state(
    ChargedRoom(room): ChargedRoom,
    method: Method,
    credentials: Credentials,
) -> HandlerResult {
    if method == Method::HEAD {
        // HEAD takes no seat, and holds none.
        room.peek(&credentials.token).await?;
        return Ok(json_text(StatusCode::OK, body::not_made()));
    }
    let welcome = room.members(credentials.hello()).await?.welcome;
    let Welcome { count, head, first, clock, limits, kept, .. } = welcome;
    let epoch = welcome.epochs.present();
    let state = RoomState {
        room: RoomName { name: &welcome.room, title: &welcome.title, epoch },
        guests: &welcome.guests,
        count,
        head,
        first,
        clock,
        limits,
        kept,
        doors: &welcome.doors,
        storage_available: (!welcome.storage_available).then_some(false),
        waiting: (welcome.waiting > 0).then_some(welcome.waiting),
        policy: &welcome.policy,
    };
    Ok(json(StatusCode::OK, &state))
}

async fn join(
    State(site): State<Arc<Site>>,
    RoomPath(_): RoomPath,
    ChargedRoom(room): ChargedRoom,
    request: Request,
) -> HandlerResult {
    let body = read_body(&site, request).await?;
    let mut hello = if body.is_empty() { Hello::default() } else { protocol::body::hello(&body)? };
    let cursor = hello.cursor.take();
    room.catch_up(cursor.as_ref()).await?;
    let mut join = room.join_stateless(hello).await?;
    join.welcome.resume(cursor.as_ref());
    let mut response = json(StatusCode::CREATED, &join.welcome.event());
    locate(&mut response, "guests/me".to_owned());
    Ok(response)
}

async fn rename(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    credentials: Credentials,
    request: Request,
) -> HandlerResult {
    let name = protocol::body::rename(&read_body(&site, request).await?)?;
    let join = room.join_stateless(Hello { name: Some(name), ..credentials.hello() }).await?;
    Ok(json(StatusCode::OK, &join.welcome.guest))
}

async fn leave(ChargedRoom(room): ChargedRoom, credentials: Credentials) -> HandlerResult {
    if let Some(join) = room.touch(&credentials.token).await? {
        room.leave(join.welcome.guest.id);
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn poll_messages(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    Extension(info): Extension<ConnectInfo>,
    method: Method,
    credentials: Credentials,
    headers: HeaderMap,
) -> HandlerResult {
    let query = &credentials.query;
    let (cursor, newest, private) = (query.cursor()?, query.newest()?, query.private()?);
    let hello = Hello { cursor, newest, private, ..credentials.hello() };
    let request = PollRequest {
        limit: query.number("limit", 1..=HISTORY_MAX)?.unwrap_or(HISTORY_DEFAULT) as usize,
        wait: Duration::from_secs(query.number("wait", 0..=WAIT_MAX.as_secs())?.unwrap_or(0)),
        place: query.place()?,
        hello,
    };
    if request.place.is_some()
        && ["after", "newest", "wait", "private"].iter().any(|name| query.text(name).is_some())
    {
        let sentence = "\"before\" and \"around\" ask for other messages than the new ones; leave out \"after\", \"newest\", \"wait\" and \"private\".";
        return Err(Refusal::new(Code::WrongKind, sentence).into());
    }
    if method == Method::HEAD {
        room.peek(&credentials.token).await?;
        return Ok(json_text(StatusCode::OK, body::not_made()));
    }
    let mut answer = poll::poll(&room, request, info.permit.budget(), &site.closing).await?;
    let (tag, permit) = (answer.tag(), answer.take_permit());
    let mut response = match matches(&headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => json_text(StatusCode::OK, Body::from(answer.encode())),
    };
    if let Some(permit) = permit {
        response.extensions_mut().insert(HeldBytes::new(permit));
    }
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    Ok(response)
}

async fn publish(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    credentials: Credentials,
    request: Request,
) -> HandlerResult {
    let key = idempotency_key(&request);
    let body = read_body(&site, request).await?;
    let say = protocol::body::say(&body, key.as_deref(), room.limits().message_bytes)?;
    let guest = room.join_stateless(credentials.hello()).await?.welcome.guest.id;
    let id = say.id.clone();
    Ok(match room.publish_stateless(guest, say).await? {
        Published { seq, held: false } => logged(&id, Done { seq, link: None }),
        Published { seq, held: true } => waits(&id, seq),
    })
}

async fn event_stream(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    method: Method,
    credentials: Credentials,
    headers: HeaderMap,
) -> HandlerResult {
    // Checked in any case: a request is not good or bad by what else is in it.
    let asked = credentials.query.cursor()?;
    let (newest, private) = (credentials.query.newest()?, credentials.query.private()?);
    let (cursor, private) = match headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) {
        Some(id) => {
            let (cursor, newer) = events::cursor(id.to_str().unwrap_or_default())?;
            (Some(cursor), newer.or(private))
        }
        None => (asked, private),
    };
    let body = match method {
        Method::HEAD => {
            room.peek(&credentials.token).await?;
            body::not_made()
        }
        _ => {
            let hello = Hello { cursor, newest, private, ..credentials.hello() };
            Body::from_stream(events::open(&room, hello, site.closing.clone()).await?)
        }
    };
    Ok(unbuffered(typed(StatusCode::OK, events::CONTENT_TYPE, body)))
}

/// Whether one of the tags in `If-None-Match` is this one: weak comparison (RFC 9110, section 13.1.2).
fn matches(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let lines = headers.get_all(IF_NONE_MATCH).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|given| given.trim() == "*" || opaque(given) == opaque(tag))
}
