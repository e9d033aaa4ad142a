//! The chat without JavaScript: which document an address gets, and what a form does.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use data_encoding::HEXLOWER;
use futures_util::stream::unfold;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY};
use http::{HeaderValue, Method, StatusCode, Uri};

use super::Site;
use crate::http::body;
use crate::http::error::Problem;
use crate::protocol::{Code, Hello, MAIN_ROOM, Name, Refusal, Token, Welcome};
use crate::transport::page::documents::{self, Composer};
use crate::transport::page::markup::{self, Look};
use crate::transport::page::stream::Stream;
use crate::transport::page::{self, REFRESH_SECONDS};

/// The content type of forms (HTML, section 4.10.22.7).
const FORM: &str = "application/x-www-form-urlencoded";

/// What a form's body may have beside the text: names, values, the wanted name.
const FORM_BYTES: usize = 4 * 1024;

/// The routes.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/rooms/{room}/page", get(room))
        .route("/rooms/{room}/page/messages", get(messages))
        .route("/rooms/{room}/page/say", get(composer).post(say))
}

/// What may stand after the "?" of these addresses.
#[derive(Debug, Default)]
struct Query {
    token: Option<Token>,
    after: Option<u64>,
    plain: Option<u32>,
}

impl Query {
    fn read(uri: &Uri) -> Self {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match &*name {
                "token" => query.token = Token::parse(&value).ok(),
                "after" => query.after = value.parse().ok(),
                "plain" => {
                    let [shortest, usual, longest] = REFRESH_SECONDS;
                    query.plain = Some(value.parse().unwrap_or(usual).clamp(shortest, longest));
                }
                _ => {}
            }
        }
        query
    }

    /// The guest of this address in this room; without a token, the way to get one.
    fn hello(&self, room: String) -> Result<Hello, Box<Response>> {
        match &self.token {
            Some(token) => Ok(Hello { room: Some(room), token: Some(token.clone()), ..Hello::default() }),
            None if room == MAIN_ROOM => Err(Box::new(with_a_token(&room))),
            None => Ok(Hello { room: Some(room), ..Hello::default() }),
        }
    }
}

async fn room(State(site): State<Arc<Site>>, Path(room): Path<String>, uri: Uri) -> Response {
    let hello = match Query::read(&uri).hello(room) {
        Ok(hello) => hello,
        Err(response) => return *response,
    };
    match site.room.join_stateless(hello).await {
        Ok(visit) => document(StatusCode::OK, documents::room(&visit.welcome)),
        Err(refusal) => turned_away(Look::Room, refusal),
    }
}

async fn messages(
    State(site): State<Arc<Site>>,
    Path(room): Path<String>,
    method: Method,
    uri: Uri,
) -> Response {
    // Who only asks whether there is something takes no seat from anybody.
    if method == Method::HEAD {
        return document(StatusCode::OK, Body::empty());
    }
    let query = Query::read(&uri);
    let hello = match query.hello(room) {
        Ok(hello) => hello,
        Err(response) => return *response,
    };
    let stream = match query.plain {
        Some(seconds) => site
            .room
            .join_stateless(hello)
            .await
            .map(|visit| Stream::once(&site.room, &visit, query.after, seconds)),
        None => site.room.join(hello).await.map(|entered| {
            let (heartbeat, closing) = (site.settings.idle_ping, site.closing.clone());
            Stream::live(&site.room, entered, query.after, heartbeat, closing)
        }),
    };
    match stream {
        Ok(stream) => {
            let parts = unfold(stream, |mut stream| async {
                stream.next().await.map(|part| (Ok::<_, Infallible>(part), stream))
            });
            document(StatusCode::OK, Body::from_stream(parts))
        }
        Err(refusal) => turned_away(Look::Messages, refusal),
    }
}

async fn composer(State(site): State<Arc<Site>>, Path(room): Path<String>, uri: Uri) -> Response {
    let hello = match Query::read(&uri).hello(room) {
        Ok(hello) => hello,
        Err(response) => return *response,
    };
    match site.room.join_stateless(hello).await {
        Ok(visit) => filled(&visit.welcome, Composer { form: &random(), ..Composer::default() }, None),
        Err(refusal) => turned_away(Look::Composer, refusal),
    }
}

/// What a form holds when it is sent.
#[derive(Debug, Default)]
struct Form {
    number: String,
    text: String,
    name: String,
    rename: bool,
}

async fn say(State(site): State<Arc<Site>>, Path(room): Path<String>, request: Request) -> Response {
    let mut hello = match Query::read(request.uri()).hello(room.clone()) {
        Ok(hello) => hello,
        Err(response) => return *response,
    };
    let form = match Form::read(&site, request).await {
        Ok(form) => form,
        Err(problem) => return turned_away(Look::Composer, problem),
    };
    let unnamed = hello.clone();
    let wanted = form.rename.then(|| Name::parse(&form.name)).transpose();
    let entered = match wanted {
        Ok(name) => {
            hello.name = name;
            site.room.join_stateless(hello).await
        }
        Err(refusal) => Err(refusal),
    };
    let (welcome, refusal) = match entered {
        Ok(visit) => (visit.welcome, None),
        // The name was refused: as who they are, then.
        Err(refusal) => match site.room.join_stateless(unnamed).await {
            Ok(visit) => (visit.welcome, Some(refusal)),
            Err(refusal) => return turned_away(Look::Composer, refusal),
        },
    };
    let done = match refusal {
        Some(refusal) => Err(refusal),
        None if form.rename => Ok(()),
        None => match page::say(&form.number, &form.text, site.room.limits().message_bytes) {
            Ok(say) => site.room.publish_stateless(welcome.guest.id, say).await.map(|_| ()),
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
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body.as_bytes()) {
            match &*name {
                "form" => form.number = value.into_owned(),
                "text" => form.text = value.into_owned(),
                "name" => form.name = value.into_owned(),
                "do" => form.rename = value == "rename",
                _ => {}
            }
        }
        Ok(form)
    }
}

/// The form for this guest, with what is wrong with what it held.
fn filled(welcome: &Welcome, composer: Composer<'_>, refusal: Option<Refusal>) -> Response {
    let token = welcome.token.encode();
    let problem = refusal.map(Problem::from);
    let note = problem.as_ref().map(|problem| match problem.code {
        Some(Code::TooFast) => format!("{} What you wrote is still here.", problem.detail),
        _ => problem.detail.clone(),
    });
    let (name, note) = (welcome.guest.name.as_str(), note.as_deref());
    let composer = Composer { token: &token, name, note, ..composer };
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.status);
    let mut response = document(status, documents::composer(&composer));
    if let Some(problem) = problem {
        problem.tell_wait(response.headers_mut());
    }
    response
}

/// Sends the browser to the room's address with a fresh token, wherever it came from.
fn with_a_token(room: &str) -> Response {
    match Token::random() {
        Ok(token) => see_other(&format!("/rooms/{room}/page?token={}", token.encode())),
        Err(_) => turned_away(
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

fn turned_away(look: Look, problem: impl Into<Problem>) -> Response {
    let Problem { status, detail, .. } = problem.into();
    document(status, documents::turned_away(look, &detail))
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

/// A number for a form, in hexadecimal. Without randomness it is the same each time, which costs a text that is
/// said twice and nothing else.
fn random() -> String {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    HEXLOWER.encode(&bytes)
}
