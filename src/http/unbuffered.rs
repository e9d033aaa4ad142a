//! Responses that do not end, as proxies must treat them.

use axum::response::Response;
use http::{HeaderName, HeaderValue};

/// What nginx, and others after it, look at before they collect a response
/// ([`proxy_buffering`](https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering)).
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// A response of which each part is to go on at once.
pub(super) fn unbuffered(mut response: Response) -> Response {
    response.headers_mut().insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}
