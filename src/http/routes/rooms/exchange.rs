//! What the handlers share: bodies that are read, and answers in JSON.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use crate::http::body;
use crate::http::error::Problem;
use crate::http::site::Site;
use crate::hub::Done;
use crate::protocol::{FRAME_BYTES_MAX, MessageId};

const JSON: &str = "application/json";

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(super) type HandlerResult = Result<Response, Problem>;

/// The value of `Idempotency-Key`; one that is no text is no id either.
pub(super) fn idempotency_key(request: &Request) -> Option<String> {
    request.headers().get(IDEMPOTENCY_KEY).map(|key| key.to_str().unwrap_or_default().to_owned())
}

pub(super) async fn read_body(site: &Site, request: Request) -> Result<String, Problem> {
    body::read(request, JSON, FRAME_BYTES_MAX, site.settings.request_head).await
}

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    // Texts and numbers, which serde_json cannot fail to write to memory.
    let text = serde_json::to_string(value).unwrap_or_default();
    json_text(status, Body::from(text + "\n"))
}

pub(super) fn json_text(status: StatusCode, body: Body) -> Response {
    typed(status, JSON, body)
}

pub(super) fn typed(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The answer to what is an entry of the log now, with its place there.
pub(super) fn logged(id: &MessageId, Done { seq, link }: Done) -> Response {
    #[derive(Serialize)]
    struct Logged<'a> {
        id: &'a str,
        seq: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        link: Option<String>,
    }
    let entry = Logged { id: id.as_str(), seq, link: link.map(|link| link.encode()) };
    let mut response = json(StatusCode::CREATED, &entry);
    locate(&mut response, format!("messages?after={}&limit=1", seq - 1));
    response
}

/// The answer to a message that waits until a host or a moderator lets it be said: it has a place, and is not there yet.
pub(super) fn waits(id: &MessageId, seq: u64) -> Response {
    json(StatusCode::ACCEPTED, &serde_json::json!({ "id": id.as_str(), "seq": seq, "held": true }))
}

/// Relative to the request's address, since what stands before it may be a prefix (RFC 9110, section 10.2.2).
pub(super) fn locate(response: &mut Response, place: String) {
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(LOCATION, place);
    }
}
