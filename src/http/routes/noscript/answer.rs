//! Answers of the chat without JavaScript: documents, refusals in their place, and redirects.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};

use crate::http::error::Problem;
use crate::transport::noscript::documents;
use crate::transport::noscript::markup::{self, Look};

/// A document that looks so.
pub(super) fn document(look: Look, status: StatusCode, body: impl Into<Body>) -> Response {
    answer(markup::content_security_policy(look), status, body)
}

fn answer(policy: &'static str, status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    // With "no-referrer" browsers send "Origin: null" with a form (Fetch, "serializing a request origin").
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

/// A document that the browser remembers with what was written into it, for a reload and for Back, and asks for anew
/// otherwise. Of one that is `no-store` Firefox forgets that.
pub(super) fn remembered(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// A refusal in place of a document; the browser asks again by itself.
pub(super) fn refused(look: Look, problem: impl Into<Problem>) -> Response {
    let problem = problem.into();
    let mut response = document(look, problem.status, documents::refused(look, &problem.detail));
    problem.add_retry_after(response.headers_mut());
    response
}

/// A refusal of a form that could not be read, in its place; the browser does not ask again by itself, and its Back brings the
/// form with what was written.
pub(super) fn unread(look: Look, problem: impl Into<Problem>) -> Response {
    let problem = problem.into();
    let mut response = document(look, problem.status, documents::unread(look, &problem.detail));
    problem.add_retry_after(response.headers_mut());
    response
}

/// A refusal with the way to the entry; the browser does not ask again by itself.
pub(super) fn outside(look: Look, sentence: &str) -> Response {
    document(look, StatusCode::FORBIDDEN, documents::outside(look, sentence))
}

/// A redirect to an address relative to the request's, since what stands before it may be a prefix.
pub(super) fn see_other(location: &str) -> Response {
    let mut response = answer(markup::REDIRECT_SECURITY_POLICY, StatusCode::SEE_OTHER, Body::empty());
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
