//! What brings the messages again after their connection broke: two documents from the browser's cache, and a style.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use super::answer::document;
use super::parameters::Parameters;
use super::session::Session;
use crate::transport::noscript::connection::{self, KEPT_SECONDS, REACHED};
use crate::transport::noscript::markup::Look;

/// Holds the messages. It is the same document however often it is asked for, so that the cache can answer.
pub(super) async fn connection(session: Session, Parameters { window, after, .. }: Parameters) -> Response {
    match session.token {
        Some(_) => kept(document(Look::Connection, StatusCode::OK, connection::connection(&window, after))),
        None => session.without_cookie(Look::Connection),
    }
}

/// Leads back to [`connection`].
pub(super) async fn reconnect(_: Session, Parameters { window, after, .. }: Parameters) -> Response {
    kept(document(Look::Connection, StatusCode::OK, connection::reconnect(&window, after)))
}

/// The style that comes when the room can be reached.
pub(super) async fn reached(_: Session) -> Response {
    let mut response = Response::new(Body::from(REACHED));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    response
}

/// Kept by the browser, and not asked about again.
fn kept(mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::try_from(format!("private, max-age={KEPT_SECONDS}, immutable")) {
        response.headers_mut().insert(CACHE_CONTROL, value);
    }
    response
}
