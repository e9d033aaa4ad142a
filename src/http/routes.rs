//! The routes: which handler a request gets, the guard before all of them, the headers after.

mod noscript;
mod rooms;

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use self::rooms::credentials::check_query;
use super::error::Problem;
use super::index;
use super::language;
use super::site::{ChargedRoom, Site, unknown_connection};
use crate::language::Language;
use crate::listen::ConnectInfo;
use crate::transport::websocket::upgrade;

/// The routes, with the guard before and the headers after all of them.
pub fn router(site: Arc<Site>) -> Router {
    let later = index::later_names().fold(Router::new(), |routes, name| {
        routes.route(&format!("/{name}"), get(move |query, headers| later(name.clone(), query, headers)))
    });
    Router::new()
        .merge(later)
        .route("/", get(document))
        .route("/chat", any(chat))
        .route("/health", get(health))
        .merge(noscript::routes())
        .merge(rooms::routes())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard))
        .layer(middleware::map_response(add_headers))
        .with_state(site)
}

async fn document(State(site): State<Arc<Site>>, request: Request) -> Response {
    let doors = site.room.doors().unwrap_or_default();
    let language = request.extensions().get().copied().unwrap_or_default();
    index::respond(language, request.headers(), request.extensions().get(), &doors)
}

/// What the document runs once a guest needs it.
async fn later(name: String, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    match index::later(&name, query.as_deref().unwrap_or_default(), &headers) {
        Some(script) => script,
        None => not_found().await.into_response(),
    }
}

/// For a load balancer that asks whether to send guests here, and for the page at another door of the room, which may not read
/// the answer but learns that there is one. A closing room says no, on connections that it still has, and to such a page
/// nothing.
async fn health(State(site): State<Arc<Site>>) -> Response {
    let is_well = !site.closing.is_cancelled() && site.room.takes_guests();
    let status = if is_well { StatusCode::NO_CONTENT } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut response = status.into_response();
    if site.room.doors().is_some() {
        response.headers_mut().insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    }
    response
}

async fn chat(State(site): State<Arc<Site>>, ChargedRoom(room): ChargedRoom, request: Request) -> Response {
    let context = upgrade::Context {
        rooms: Arc::clone(&site.rooms),
        room,
        settings: Arc::clone(&site.settings),
        tasks: site.tasks.clone(),
        closing: site.closing.clone(),
    };
    if let Err(problem) = check_query(request.uri()) {
        return problem.into_response();
    }
    upgrade::upgrade(request, context).unwrap_or_else(|refused| {
        let mut response = Problem::new(refused.status(), refused.sentence()).into_response();
        response.headers_mut().extend(refused.headers());
        response
    })
}

async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "There is nothing here; the room is at \"/\".")
}

async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address has no such method; the header Allow says which ones it has.",
    )
}

async fn guard(State(site): State<Arc<Site>>, mut request: Request, next: Next) -> Response {
    let Some(info) = request.extensions().get::<ConnectInfo>() else {
        return unknown_connection().into_response();
    };
    match site.hosts.check(info.peer, request.method(), request.uri(), request.headers()) {
        Ok(authority) => {
            let language = language::of(request.headers(), Some(&authority));
            request.extensions_mut().insert(authority);
            request.extensions_mut().insert(language);
            in_language(next.run(request).await, language)
        }
        Err(problem) => in_language(problem.into_response(), language::of(request.headers(), None)),
    }
}

/// The same answer; a problem has its sentence in this language.
fn in_language(mut response: Response, language: Language) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    if language != Language::English {
        let translated = problem.translated(language).into_response();
        *response.body_mut() = translated.into_body();
    }
    language::mark(response.headers_mut(), language);
    response
}

/// Which sites' pages a browser lets have an answer, even one that they cannot read (Fetch, section 3.7).
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The headers of every response that does not set them itself.
const HEADERS: [(HeaderName, &str); 7] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (RESOURCE_POLICY, "same-origin"),
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
