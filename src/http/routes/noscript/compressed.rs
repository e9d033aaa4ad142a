//! Documents that end are compressed: half of what a guest without scripts receives are styles.
//!
//! The document of messages is not, because that would tell by its length what several guests' messages have in common with
//! each other. In these documents stands what the room says and what their own reader wrote; no other guest's text is in them.

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, VARY};

use crate::http::index::{accepts_gzip, compress};

/// A shorter document would gain nothing, in bytes.
const SHORTEST: u64 = 1024;

/// A longer one is none of these, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Compresses the response where that is of use and the browser takes it.
pub(super) async fn compressed(request: Request, next: Next) -> Response {
    let accepted = accepts_gzip(request.headers());
    let mut response = next.run(request).await;
    // The document of messages has no length.
    let length = response.body().size_hint().exact().unwrap_or_default();
    if !(SHORTEST..=LONGEST).contains(&length) {
        return response;
    }
    response.headers_mut().append(VARY, HeaderValue::from_name(ACCEPT_ENCODING));
    if !accepted {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(document) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(head, Body::empty());
    };
    head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from(compress(&document)))
}
