//! The room for programs that make requests: who is here, messages asked for or listened to, one said.
//!
//! `docs/http.md` is the same in prose, `docs/openapi.json` for programs.

mod caller;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;

use self::caller::{Caller, InRoom, LAST_EVENT_ID};
use super::Site;
use crate::http::body;
use crate::http::error::Problem;
use crate::protocol::event::{Kept, Limits, RoomName};
use crate::protocol::{self, FRAME_BYTES_MAX, Guest, Hello, Welcome};
use crate::transport::events;
use crate::transport::poll::{self, LIMIT_DEFAULT, LIMIT_MAX, PollRequest, WAIT_MAX};

const JSON: &str = "application/json";

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

type Answered = Result<Response, Problem>;

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/rooms/{room}", get(show))
        .route("/rooms/{room}/guests", post(arrive))
        .route("/rooms/{room}/guests/me", patch(rename).delete(leave))
        .route("/rooms/{room}/messages", get(read).post(say))
        .route("/rooms/{room}/events", get(listen))
}

/// What `GET /rooms/{room}` answers with.
#[derive(Serialize)]
struct Shown<'a> {
    room: RoomName<'a>,
    guests: &'a [Guest],
    count: usize,
    head: u64,
    first: u64,
    clock: u64,
    limits: Limits,
    kept: Kept,
}

async fn show(State(site): State<Arc<Site>>, method: Method, caller: Caller) -> Answered {
    if method == Method::HEAD {
        // Who only keeps their seat need not cost a list of everybody.
        site.room.join_stateless(caller.hello()).await?;
        return Ok(json_text(StatusCode::OK, Body::empty()));
    }
    let Welcome { room, title, epoch, guests, count, head, first, clock, limits, kept, .. } =
        site.room.members(caller.hello()).await?.welcome;
    let room = RoomName { name: &room, title: &title, epoch: &epoch };
    Ok(json(StatusCode::OK, &Shown { room, guests: &guests, count, head, first, clock, limits, kept }))
}

async fn arrive(State(site): State<Arc<Site>>, InRoom(room): InRoom, request: Request) -> Answered {
    let body = read_body(&site, request).await?;
    let hello = if body.is_empty() { Hello::default() } else { protocol::body::hello(&body)? };
    let visit = site.room.join_stateless(hello).await?;
    let mut response = json(StatusCode::CREATED, &visit.welcome.event());
    locate(&mut response, format!("/rooms/{room}/guests/me"));
    Ok(response)
}

async fn rename(State(site): State<Arc<Site>>, caller: Caller, request: Request) -> Answered {
    let name = protocol::body::rename(&read_body(&site, request).await?)?;
    let visit = site.room.join_stateless(Hello { name: Some(name), ..caller.hello() }).await?;
    Ok(json(StatusCode::OK, &visit.welcome.guest))
}

async fn leave(State(site): State<Arc<Site>>, caller: Caller) -> Answered {
    if let Some(visit) = site.room.touch(&caller.token).await? {
        site.room.leave(visit.welcome.guest.id);
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn read(State(site): State<Arc<Site>>, caller: Caller, headers: HeaderMap) -> Answered {
    let request = PollRequest {
        limit: caller
            .query
            .number("limit", 1..=LIMIT_MAX as u64)?
            .map_or(LIMIT_DEFAULT, |limit| limit as usize),
        wait: Duration::from_secs(caller.query.number("wait", 0..=WAIT_MAX.as_secs())?.unwrap_or(0)),
        hello: Hello { cursor: caller.query.cursor()?, ..caller.hello() },
    };
    let answer = poll::poll(&site.room, request, &site.closing).await?;
    let tag = answer.tag();
    let mut response = match matches(&headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => json_text(StatusCode::OK, Body::from(answer.encode())),
    };
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    Ok(response)
}

#[derive(Serialize)]
struct Said<'a> {
    id: &'a str,
    seq: u64,
}

async fn say(State(site): State<Arc<Site>>, caller: Caller, request: Request) -> Answered {
    let key = request.headers().get(IDEMPOTENCY_KEY).cloned();
    let key = key.as_ref().map(|key| key.to_str().unwrap_or_default());
    let body = read_body(&site, request).await?;
    let say = protocol::body::say(&body, key, site.room.limits().message_bytes)?;
    let guest = site.room.join_stateless(caller.hello()).await?.welcome.guest.id;
    let id = say.id.clone();
    let seq = site.room.publish_stateless(guest, say).await?;
    let mut response = json(StatusCode::CREATED, &Said { id: id.as_str(), seq });
    locate(&mut response, format!("/rooms/{}/messages?after={}&limit=1", caller.room, seq - 1));
    Ok(response)
}

async fn listen(
    State(site): State<Arc<Site>>,
    method: Method,
    caller: Caller,
    headers: HeaderMap,
) -> Answered {
    let cursor = match headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) {
        Some(id) => Some(events::cursor(id.to_str().unwrap_or_default())?),
        None => caller.query.cursor()?,
    };
    let body = match method {
        // Who only asks whether there is something takes no seat from anybody.
        Method::HEAD => Body::empty(),
        _ => {
            let hello = Hello { cursor, ..caller.hello() };
            Body::from_stream(events::open(&site.room, hello, site.closing.clone()).await?)
        }
    };
    Ok(typed(StatusCode::OK, events::CONTENT_TYPE, body))
}

async fn read_body(site: &Site, request: Request) -> Result<String, Problem> {
    body::read(request, JSON, FRAME_BYTES_MAX, site.settings.request_head).await
}

/// Whether one of the tags in `If-None-Match` is this one: weak comparison (RFC 9110, section 13.1.2).
fn matches(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let lines = headers.get_all(IF_NONE_MATCH).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|given| given.trim() == "*" || opaque(given) == opaque(tag))
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    // Texts and numbers, which serde_json cannot fail to write to memory.
    let text = serde_json::to_string(value).unwrap_or_default();
    json_text(status, Body::from(text + "\n"))
}

fn json_text(status: StatusCode, body: Body) -> Response {
    typed(status, JSON, body)
}

fn typed(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn locate(response: &mut Response, place: String) {
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(LOCATION, place);
    }
}
