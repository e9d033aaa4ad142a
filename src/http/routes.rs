//! What a request gets.

mod page;
mod rooms;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY,
    SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Origin;
use super::assets::Page;
use super::error::Problem;
use super::guard::{Authority, Hosts};
use crate::config::ListenSettings;
use crate::hub::Room;
use crate::listen::{Io, Place};
use crate::protocol::SUBPROTOCOL;
use crate::transport::handshake::{self, Refused};
use crate::transport::websocket;

/// What the routes need to answer.
pub struct Site {
    /// The room.
    pub room: Room,
    /// The page.
    pub page: Page,
    /// The names under which the room answers.
    pub hosts: Hosts,
    /// Deadlines and limits.
    pub settings: ListenSettings,
    /// The tasks of upgraded connections.
    pub tasks: TaskTracker,
    /// Told when the room closes.
    pub closing: CancellationToken,
}

/// The routes, with the guard before and the headers after all of them.
pub fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/chat", any(chat))
        .merge(page::routes())
        .merge(rooms::routes())
        .fallback(nothing)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard))
        .layer(middleware::map_response(add_headers))
        .with_state(site)
}

async fn page(State(site): State<Arc<Site>>, request: Request) -> Response {
    let authority = request.extensions().get::<Authority>().map_or("", |authority| &authority.0);
    site.page.respond(request.headers(), authority)
}

async fn chat(State(site): State<Arc<Site>>, mut request: Request) -> Response {
    let accepted = match handshake::negotiate(request.method(), request.version(), request.headers()) {
        Ok(accepted) => accepted,
        Err(refused) => return refuse(refused),
    };
    let (Some(upgrade), Some(origin)) =
        (request.extensions_mut().remove::<OnUpgrade>(), request.extensions_mut().remove::<Origin>())
    else {
        return refuse(Refused::Upgrade);
    };
    let tasks = site.tasks.clone();
    tasks.spawn(serve_websocket(upgrade, origin.place, site));

    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::try_from(accepted.accept) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    if accepted.subprotocol {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    response
}

async fn serve_websocket(upgrade: OnUpgrade, place: Arc<Place>, site: Arc<Site>) {
    match upgrade.await.map(Upgraded::downcast::<TokioIo<Box<dyn Io>>>) {
        Ok(Ok(parts)) => {
            let io = parts.io.into_inner();
            websocket::serve(io, parts.read_buf, site.room.clone(), &site.settings, &site.closing).await;
        }
        Ok(Err(_)) => tracing::error!("a connection of an unknown kind was upgraded"),
        Err(error) => tracing::debug!(%error, "a handshake was not completed"),
    }
    drop(place);
}

fn refuse(refused: Refused) -> Response {
    let status = match refused {
        Refused::Method => StatusCode::METHOD_NOT_ALLOWED,
        Refused::Upgrade | Refused::Version => StatusCode::UPGRADE_REQUIRED,
        Refused::Http | Refused::Key | Refused::Subprotocol => StatusCode::BAD_REQUEST,
    };
    let mut response = Problem::new(status, refused.sentence()).into_response();
    let headers = response.headers_mut();
    match refused {
        Refused::Method => {
            headers.insert(ALLOW, HeaderValue::from_static("GET"));
        }
        Refused::Upgrade | Refused::Version => {
            headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(handshake::VERSION));
        }
        Refused::Http | Refused::Key | Refused::Subprotocol => {}
    }
    response
}

async fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "There is nothing here; the room is at \"/\".")
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address has no such method; the header Allow says which ones it has.",
    )
}

async fn guard(State(site): State<Arc<Site>>, mut request: Request, next: Next) -> Response {
    let Some(origin) = request.extensions().get::<Origin>() else {
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "A request came from nowhere.")
            .into_response();
    };
    match site.hosts.check(origin.peer, request.uri(), request.headers()) {
        Ok(authority) => {
            request.extensions_mut().insert(authority);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// What every answer says, unless it says otherwise itself.
const HEADERS: [(HeaderName, &str); 7] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

async fn add_headers(mut response: Response) -> Response {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        for (name, value) in HEADERS {
            response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
        }
    }
    response
}
