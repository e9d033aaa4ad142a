//! What brings the messages again after their connection broke: two documents from the browser's cache, and a style.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use http::{HeaderValue, StatusCode};

use super::answer::document;
use super::parameters::Parameters;
use super::session::Session;
use crate::transport::noscript::connection::{self, KEPT_SECONDS, REACHED};
use crate::transport::noscript::markup::Look;

/// Holds the messages. It is the same document however often it is asked for, so that the cache can answer.
pub(super) async fn connection(
    session: Session,
    Parameters { window, after, language, .. }: Parameters,
) -> Response {
    match session.token {
        Some(_) => {
            let content = connection::connection(language, &window, after);
            kept(document(language, Look::Connection, StatusCode::OK, content))
        }
        None => session.without_cookie(Look::Connection),
    }
}

/// Leads back to [`connection`].
pub(super) async fn reconnect(
    _: Session,
    Parameters { window, after, language, .. }: Parameters,
) -> Response {
    let content = connection::reconnect(language, &window, after);
    kept(document(language, Look::Connection, StatusCode::OK, content))
}

/// The style that comes when the room can be reached.
pub(super) async fn reached(_: Session) -> Response {
    let mut response = Response::new(Body::from(REACHED));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    response
}

/// Kept by the browser, and not asked about again. The language is in the address: the cookies, which change with every renaming, must
/// not make it another document.
fn kept(mut response: Response) -> Response {
    response.headers_mut().remove(VARY);
    if let Ok(value) = HeaderValue::try_from(format!("private, max-age={KEPT_SECONDS}, immutable")) {
        response.headers_mut().insert(CACHE_CONTROL, value);
    }
    response
}
