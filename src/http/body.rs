//! Request bodies: read whole, with a limit and a deadline. And the body that a response to `HEAD` has.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use futures_util::{StreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use tokio::time::timeout;

use super::error::Problem;
use crate::listen::ConnectInfo;

/// Reads a body of this media type, as text; an empty body needs no type. Meanwhile its bytes are held of the circuit's
/// budget.
///
/// # Errors
/// 415 for another type, 413 for more than `limit` bytes, 408 if it takes longer than `deadline`, 400 if it
/// breaks off or is not UTF-8.
pub(super) async fn read(
    request: Request,
    media_type: &str,
    limit: usize,
    deadline: Duration,
) -> Result<String, Problem> {
    if request.body().is_end_stream() {
        return Ok(String::new());
    }
    if !is(request.headers(), media_type) {
        let sentence = format!("Send this as \"Content-Type: {media_type}\"; nothing else is read here.");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence));
    }
    let too_large = || {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("A body may have at most {limit} bytes here."))
    };
    if request.body().size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let length = request.body().size_hint().upper().map_or(limit, |upper| limit.min(upper as usize));
    let info = request.extensions().get::<ConnectInfo>().cloned();
    let mut parts = request.into_body().into_data_stream();
    let read = async {
        let _held = match &info {
            Some(info) => Some(info.permit.budget().hold(length).await),
            None => None,
        };
        let mut bytes = Vec::with_capacity(length);
        while let Some(part) = parts.next().await {
            let part = part
                .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The body broke off; send it again."))?;
            if bytes.len() + part.len() > limit {
                return Err(too_large());
            }
            bytes.extend(part);
        }
        String::from_utf8(bytes)
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The body is not UTF-8; encode it as that."))
    };
    timeout(deadline, read).await.unwrap_or_else(|_| {
        let sentence = "The body took too long to arrive; send it again.";
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, sentence))
    })
}

/// The body of a response to `HEAD` where the one to `GET` is not made: empty, and of an unknown length, because a
/// `Content-Length` would have to be that of the response to `GET` (RFC 9110, section 8.6).
pub(super) fn not_made() -> Body {
    Body::from_stream(stream::empty::<Result<Bytes, Infallible>>())
}

/// Whether the content type is this one; its parameters do not count (RFC 9110, section 8.3.1).
fn is(headers: &HeaderMap, media_type: &str) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|given| given.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
}
