//! The routes of the chat without JavaScript: documents, and what the form does.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use data_encoding::HEXLOWER;
use futures_util::stream::unfold;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};

use crate::http::body;
use crate::http::error::Problem;
use crate::http::fields::Fields;
use crate::http::site::{ChargedRoom, Site};
use crate::protocol::{Code, Hello, MAIN_ROOM, Name, Refusal, Token, Welcome};
use crate::transport::noscript::documents::{self, Composer};
use crate::transport::noscript::markup::{self, Look};
use crate::transport::noscript::message;
use crate::transport::noscript::refresh::REFRESH_SECONDS;
use crate::transport::noscript::stream::Stream;

/// The content type of forms (HTML, section 4.10.22.7).
const FORM: &str = "application/x-www-form-urlencoded";

/// What the body of a form may have beside the text: names of fields, the requested name.
const FORM_BYTES: usize = 4 * 1024;

/// The routes.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/rooms/{room}/page", get(room))
        .route("/rooms/{room}/page/messages", get(messages))
        .route("/rooms/{room}/page/say", get(composer).post(submit))
}

/// The query of these addresses. A malformed field counts as absent: a refusal would take the place of the chat.
#[derive(Debug, Default)]
struct Parameters {
    token: Option<Token>,
    after: Option<u64>,
    plain: Option<u32>,
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let fields = Fields::from_request_parts(parts, state).await?;
        let [shortest, usual, longest] = REFRESH_SECONDS;
        Ok(Self {
            token: fields.text("token").and_then(|token| Token::parse(token).ok()),
            after: fields.text("after").and_then(|after| after.parse().ok()),
            plain: fields.text("plain").map(|plain| plain.parse().unwrap_or(usual).clamp(shortest, longest)),
        })
    }
}

impl Parameters {
    /// The hello of this guest in this room; without a token, the redirect to an address with one.
    fn hello(&self, room: String) -> Result<Hello, Box<Response>> {
        match &self.token {
            Some(token) => Ok(Hello { room: Some(room), token: Some(token.clone()), ..Hello::default() }),
            None if room == MAIN_ROOM => Err(Box::new(with_a_token(&room))),
            None => Ok(Hello { room: Some(room), ..Hello::default() }),
        }
    }
}

async fn room(ChargedRoom(room): ChargedRoom, Path(name): Path<String>, parameters: Parameters) -> Response {
    let hello = match parameters.hello(name) {
        Ok(hello) => hello,
        Err(response) => return *response,
    };
    match room.join_stateless(hello).await {
        Ok(join) => document(StatusCode::OK, documents::room(&join.welcome)),
        Err(refusal) => refused(Look::Room, refusal),
    }
}

async fn messages(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    Path(name): Path<String>,
    method: Method,
    parameters: Parameters,
) -> Response {
    // HEAD takes no seat.
    if method == Method::HEAD {
        return document(StatusCode::OK, Body::empty());
    }
    let hello = match parameters.hello(name) {
        Ok(hello) => hello,
        Err(response) => return *response,
    };
    let stream = match parameters.plain {
        Some(seconds) => {
            room.join_stateless(hello).await.map(|join| Stream::once(&room, &join, parameters.after, seconds))
        }
        None => room.join(hello).await.map(|join| {
            let (heartbeat, closing) = (site.settings.idle_ping, site.closing.clone());
            Stream::live(&room, join, parameters.after, heartbeat, closing)
        }),
    };
    match stream {
        Ok(stream) => {
            let parts = unfold(stream, |mut stream| async {
                stream.next().await.map(|part| (Ok::<_, Infallible>(part), stream))
            });
            document(StatusCode::OK, Body::from_stream(parts))
        }
        Err(refusal) => refused(Look::Messages, refusal),
    }
}

async fn composer(
    ChargedRoom(room): ChargedRoom,
    Path(name): Path<String>,
    parameters: Parameters,
) -> Response {
    let hello = match parameters.hello(name) {
        Ok(hello) => hello,
        Err(response) => return *response,
    };
    match room.join_stateless(hello).await {
        Ok(join) => filled(&join.welcome, Composer { form: &random(), ..Composer::default() }, None),
        Err(refusal) => refused(Look::Composer, refusal),
    }
}

/// The fields of the form.
#[derive(Debug, Default)]
struct Form {
    number: String,
    text: String,
    name: String,
    rename: bool,
}

async fn submit(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    Path(name): Path<String>,
    parameters: Parameters,
    request: Request,
) -> Response {
    let mut hello = match parameters.hello(name) {
        Ok(hello) => hello,
        Err(response) => return *response,
    };
    let form = match Form::read(&site, request).await {
        Ok(form) => form,
        Err(problem) => return refused(Look::Composer, problem),
    };
    let unnamed = hello.clone();
    let wanted = form.rename.then(|| Name::parse(&form.name)).transpose();
    let joined = match wanted {
        Ok(name) => {
            hello.name = name;
            room.join_stateless(hello).await
        }
        Err(refusal) => Err(refusal),
    };
    let (welcome, refusal) = match joined {
        Ok(join) => (join.welcome, None),
        // The name was refused: join under the present one.
        Err(refusal) => match room.join_stateless(unnamed).await {
            Ok(join) => (join.welcome, Some(refusal)),
            Err(refusal) => return refused(Look::Composer, refusal),
        },
    };
    let done = match refusal {
        Some(refusal) => Err(refusal),
        None if form.rename => Ok(()),
        None => match message::say(&form.number, &form.text, room.limits().message_bytes) {
            Ok(say) => room.publish_stateless(welcome.guest.id, say).await.map(|_| ()),
            Err(refusal) => Err(refusal),
        },
    };
    let wanted = (form.rename && done.is_err()).then_some(form.name.as_str());
    let kept = Composer { form: &form.number, text: &form.text, wanted, ..Composer::default() };
    match done {
        Ok(()) if form.rename && !form.text.is_empty() => filled(&welcome, kept, None),
        Ok(()) => see_other(&format!("say?token={}#text", welcome.token.encode())),
        Err(refusal) => filled(&welcome, kept, Some(refusal)),
    }
}

impl Form {
    /// # Errors
    /// As [`body::read`].
    async fn read(site: &Site, request: Request) -> Result<Self, Problem> {
        // Each byte may be written as three; a text that is a little too long shall be refused with it kept.
        let limit = 2 * 3 * site.room.limits().message_bytes + FORM_BYTES;
        let body = body::read(request, FORM, limit, site.settings.request_head).await?;
        let fields = Fields::parse(&body);
        let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
        let rename = fields.text("do") == Some("rename");
        Ok(Self { number: text("form"), text: text("text"), name: text("name"), rename })
    }
}

/// The form for this guest, with its content and the refusal of it.
fn filled(welcome: &Welcome, composer: Composer<'_>, refusal: Option<Refusal>) -> Response {
    let token = welcome.token.encode();
    let problem = refusal.map(Problem::from);
    let note = problem.as_ref().map(|problem| match problem.code {
        Some(Code::TooFast) => format!("{} What you wrote is still here.", problem.detail),
        _ => problem.detail.clone(),
    });
    let (name, note) = (welcome.guest.name.as_str(), note.as_deref());
    let composer = Composer { token: &token, name, guest: Some(welcome.guest.id), note, ..composer };
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.status);
    let mut response = document(status, documents::composer(&composer));
    if let Some(problem) = problem {
        problem.add_retry_after(response.headers_mut());
    }
    response
}

/// Redirects the browser to the room's address with a new token.
fn with_a_token(room: &str) -> Response {
    match Token::random() {
        Ok(token) => see_other(&format!("/rooms/{room}/page?token={}", token.encode())),
        Err(_) => refused(
            Look::Room,
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The operating system gives no randomness."),
        ),
    }
}

fn see_other(location: &str) -> Response {
    let mut response = document(StatusCode::SEE_OTHER, Body::empty());
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn refused(look: Look, problem: impl Into<Problem>) -> Response {
    let Problem { status, detail, .. } = problem.into();
    document(status, documents::refused(look, &detail))
}

fn document(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    // With "no-referrer" browsers send "Origin: null" with a form (Fetch, "serializing a request origin").
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if let Ok(policy) = HeaderValue::try_from(markup::CONTENT_SECURITY_POLICY.as_str()) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A random number for a form, in hexadecimal. Without randomness it is the same each time, and a text that is sent from two
/// forms is one message.
fn random() -> String {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    HEXLOWER.encode(&bytes)
}
