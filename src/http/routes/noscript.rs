//! The routes of the chat without JavaScript: documents, and what the forms do.
//!
//! A GET shows, and resumes a seat at most; whatever else is done takes a POST that is proved to be from a page of the room
//! itself. [`session`] has the cookies and that proof, [`form`] reads forms, [`answer`] makes responses.

mod answer;
mod compressed;
mod connection;
mod form;
mod found;
mod guest_form;
mod host;
mod identity;
mod language;
mod leaving;
mod look;
mod message;
mod moved;
mod parameters;
mod private;
mod seat;
mod seen;
mod session;
mod waiting;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware;
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::stream::unfold;
use http::header::CONNECTION;
use http::{HeaderValue, Method, StatusCode};

use self::answer::{
    NOT_OWN, document, document_with, head, outside, refused, remembered, see_other, with_doors,
};
use self::form::Form;
use self::guest_form::own_form;
use self::parameters::Parameters;
use self::seat::{Resumed, resume};
use self::session::{PageRoom, Session, guest_of, number, prove, random_number, window};
use crate::http::error::Problem;
use crate::http::fields::Fields;
use crate::http::guard::MOVED;
use crate::http::site::Site;
use crate::http::unbuffered::unbuffered;
use crate::hub::{Published, Room};
use crate::language::{Language, english};
use crate::protocol::{Code, Guest, GuestId, Hello, Name, Refusal, Token};
use crate::transport::noscript as transport;
use crate::transport::noscript::documents::{self, Composer, Doors};
use crate::transport::noscript::entry::{self as entry_page, Entry};
use crate::transport::noscript::markup::Look;
use crate::transport::noscript::phrases;
use crate::transport::noscript::stream::{Live, Stream};

/// What the entry says where a browser keeps no cookie.
const COOKIES_BLOCKED: &str = english(
    "Your browser did not keep the room's cookie, so the room would not know you again. Allow \
                               cookies for this address in the browser's settings, or open it in a window that is not \
                               blocking them, and enter again.",
);

/// The routes.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/rooms/{room}/page", get(page))
        .route("/rooms/{room}/page/enter", get(to_page).post(enter))
        .route("/rooms/{room}/page/waiting", get(waiting::page))
        .route("/rooms/{room}/page/connection", get(connection::connection))
        .route("/rooms/{room}/page/reconnect", get(connection::reconnect))
        .route("/rooms/{room}/page/reached", get(connection::reached))
        .route("/rooms/{room}/page/messages", get(messages))
        .route("/rooms/{room}/page/continue", post(go_on))
        .route("/rooms/{room}/page/say", get(composer).post(submit))
        .route("/rooms/{room}/page/host", get(host::page).post(host::submit))
        .route("/rooms/{room}/page/message", get(message::page).post(message::submit))
        .route("/rooms/{room}/page/identity", get(identity::page).post(identity::submit))
        .route("/rooms/{room}/page/search", get(found::page).post(found::submit))
        .route("/rooms/{room}/page/context", get(found::context))
        .route("/rooms/{room}/page/private", get(private::page).post(private::submit))
        .route("/rooms/{room}/page/look", get(to_page).post(look::submit))
        .route("/rooms/{room}/page/language", get(to_page).post(language::set))
        .route("/rooms/{room}/page/leave", post(leaving::leave))
        .route("/rooms/{room}/page/moved", get(to_page).post(moved::moved))
        .route("/rooms/{room}/page/arrive", get(to_page).post(moved::arrive))
        .layer(middleware::from_fn(look::themed))
        .layer(middleware::from_fn(compressed::compressed))
}

/// The room for a guest who has entered, the entry for a visitor who has not.
async fn page(
    State(site): State<Arc<Site>>,
    PageRoom(room): PageRoom,
    session: Session,
    fields: Fields,
) -> Response {
    let message = found::meant(&fields);
    match &session.token {
        Some(token) if matches!(room.waits(token).await, Ok(Some(_))) => see_other("page/waiting"),
        // A link to a message.
        Some(_) if message.is_some() => see_other(&message.map(found::place_of).unwrap_or_default()),
        Some(token) => {
            let window = window(token, random_number());
            let doors = site.room.doors().unwrap_or_default();
            let (origins, name) = (&doors[..], session.name.as_ref().map_or("", Name::as_str));
            let doors = Doors { origins, path: MOVED, token: &token.encode(), name };
            let lines = site.rooms.lines();
            let mut seen = session.seen.clone();
            // Only a page of the room itself leads from one to the next.
            if let Some(from) = fields.text("from").filter(|_| session.is_vouched()) {
                seen.look(&lines, from);
            }
            let links = seen.links(&lines, &session.room);
            let content = documents::room(session.language, &session.front.title, &window, &links, &doors);
            let mut response = with_doors(
                session.language,
                document(session.language, Look::Room, StatusCode::OK, content),
                Look::Room,
                origins,
            );
            if !links.is_empty() {
                seen.look(&lines, &session.room);
                session.keep_seen(&mut response, &seen);
            }
            response
        }
        None => entry(&room, &session, &found::address("page/enter", message), "", None),
    }
}

/// The entry again, with the name that was entered and why it was refused.
fn entry_again(room: &Room, session: &Session, name: &str, problem: impl Into<Problem>) -> Response {
    entry(room, session, "enter", name, Some(session.problem(problem)))
}

/// The entry; `action` is where its form leads.
fn entry(room: &Room, session: &Session, action: &str, name: &str, problem: Option<Problem>) -> Response {
    let Some(secret) = session.entry.clone().or_else(|| Token::random().ok()) else {
        return refused(session.language, Look::Room, no_randomness());
    };
    let form = random_number();
    let (title, kept, proof) = (&*session.front.title, session.front.kept, prove(&secret, &form));
    let note = problem.as_ref().map(|problem| problem.detail.as_str());
    let doors = problem.as_ref().map_or(&[][..], |problem| &problem.doors);
    let content = entry_page::entry(&Entry {
        language: session.language,
        title,
        kept,
        action,
        form: &form,
        proof: &proof,
        name,
        note,
        doors,
        needs: room.needs(),
    });
    let mut response = document_with(session.language, Look::Entry, problem.as_ref(), content);
    if session.entry.is_none() {
        session.keep_entry(&mut response, &secret);
    }
    response
}

async fn to_page(_: Session) -> Response {
    see_other("../page")
}

/// Takes a seat: under the token of the cookie, that of an identity, or a new one.
async fn enter(
    State(site): State<Arc<Site>>,
    PageRoom(room): PageRoom,
    session: Session,
    fields: Fields,
    request: Request,
) -> Response {
    let form = match Form::read(&site, &room, request).await {
        Ok(form) => form,
        Err(problem) => return entry_again(&room, &session, "", problem),
    };
    if session.entry.is_none() && session.token.is_none() {
        let problem = Problem::new(StatusCode::FORBIDDEN, COOKIES_BLOCKED);
        return entry_again(&room, &session, &form.name, problem);
    }
    let own = |secret| session.is_own_form(secret, &form.number, &form.proof);
    if !session.entry.iter().chain(&session.token).any(own) {
        return outside(session.language, Look::Room, NOT_OWN);
    }
    // The same guest where the form is sent again because its answer was lost: an invitation may be used up by then.
    let known = session.token.clone().or_else(|| session.entry.as_ref().and_then(guest_of));
    let Some(token) = known else {
        return entry_again(&room, &session, &form.name, no_randomness());
    };
    let hello = match waiting::hello(&form, token.clone()) {
        Ok(hello) => room.identify(hello).await,
        Err(refusal) => Err(refusal),
    };
    let hello = match hello {
        Ok(hello) => hello,
        Err(refusal) => return entry_again(&room, &session, &form.name, refusal),
    };
    // That of an identity, if the form names one.
    let token = hello.token.clone().unwrap_or(token);
    let name = hello.name.clone();
    match room.join_stateless(hello).await {
        Ok(join) => {
            let mut response = see_other(&found::address("../page", found::meant(&fields)));
            session.keep(&mut response, &join.welcome.token, &join.welcome.guest.name);
            response
        }
        Err(refusal) if refusal.code == Code::Waiting => waiting::begin(&session, &token, name.as_ref()),
        Err(refusal) => entry_again(&room, &session, &form.name, refusal),
    }
}

async fn messages(
    State(site): State<Arc<Site>>,
    PageRoom(room): PageRoom,
    session: Session,
    method: Method,
    Parameters { window: number, after, language: l, plain }: Parameters,
) -> Response {
    let Some(token) = session.token.clone() else { return session.without_cookie(Look::Messages) };
    // HEAD takes no seat, and holds none.
    if method == Method::HEAD {
        return head(l, &room, &token, Look::Messages).await;
    }
    if let Some(seconds) = plain {
        let joined = resume(&room, session.name.as_ref(), &token).await;
        let stream = joined.map(|resumed| Stream::once(l, &room, &resumed.join, after, seconds, &number));
        return streamed(l, stream);
    }
    let window = window(&token, number);
    let Some(claim) = site.noscript.windows.claim(&token, &window.number).await else {
        return closing(document(l, Look::Messages, StatusCode::OK, documents::held_elsewhere(l, &window)));
    };
    let (heartbeat, closes) = (site.settings.idle_ping, site.closing.clone());
    let lost_name = match resume(&room, session.name.as_ref(), &token).await {
        Ok(resumed) => resumed.lost_name,
        Err(refusal) => return refused(l, Look::Messages, refusal),
    };
    let joined = room.join(Hello { token: Some(token), ..Hello::default() }).await;
    let live = Live { window, claim, heartbeat, lost_name, closing: closes };
    streamed(l, joined.map(|join| Stream::live(l, &room, join, after, live)))
}

fn streamed(l: Language, stream: Result<Stream, Refusal>) -> Response {
    match stream {
        Ok(stream) => {
            let parts = unfold(stream, |mut stream| async {
                stream.next().await.map(|part| (Ok::<_, Infallible>(part), stream))
            });
            unbuffered(closing(document(l, Look::Messages, StatusCode::OK, Body::from_stream(parts))))
        }
        Err(refusal) => refused(l, Look::Messages, refusal),
    }
}

/// Ends the connection after this response, so that a stream that was taken over holds none.
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Lets a window take over from another.
async fn go_on(State(site): State<Arc<Site>>, session: Session, request: Request) -> Response {
    let (token, form) = match own_form(&site, &site.room, &session, Look::Messages, request).await {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let window = number(Some(&form.number));
    site.noscript.windows.permit(&token, &window);
    see_other(&transport::connection::address(session.language, &window, None))
}

/// The form, with the name that the guest has. Where they have no seat it is taken anew, as by the messages, so that both say
/// the same, whichever comes first.
async fn composer(PageRoom(room): PageRoom, session: Session, method: Method) -> Response {
    let Some(token) = &session.token else { return session.without_cookie(Look::Composer) };
    if method == Method::HEAD {
        return head(session.language, &room, token, Look::Composer).await;
    }
    match resume(&room, session.name.as_ref(), token).await {
        Ok(Resumed { join, lost_name }) => {
            let Guest { id, name, .. } = &join.welcome.guest;
            let note =
                lost_name.map(|lost| phrases::lost_name(session.language, lost.as_str(), name.as_str()));
            let (name, guest, note) = (name.as_str(), Some(*id), note.as_deref());
            filled(
                &session,
                token,
                Composer { name, guest, note, form: &random_number(), ..Composer::default() },
                None,
            )
        }
        Err(refusal) => refused(session.language, Look::Composer, refusal),
    }
}

async fn submit(
    State(site): State<Arc<Site>>,
    PageRoom(room): PageRoom,
    session: Session,
    request: Request,
) -> Response {
    let (token, form) = match own_form(&site, &room, &session, Look::Composer, request).await {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let l = session.language;
    let (welcome, lost_name) = match resume(&room, session.name.as_ref(), &token).await {
        Ok(resumed) => (resumed.join.welcome, resumed.lost_name),
        Err(refusal) => return refused(session.language, Look::Composer, refusal),
    };
    if let Some(lost) = lost_name.filter(|_| !form.rename) {
        // Under another name than the guest believes to have, nothing is published before they know.
        let Guest { id, name, .. } = &welcome.guest;
        let lost = phrases::lost_name(l, lost.as_str(), name.as_str());
        let note = format!("{lost} {}", l.say("Send it again to say it under that name."));
        let (guest, name) = (Some(*id), name.as_str());
        let (form, text) = (form.number.as_str(), form.text.as_str());
        return filled(
            &session,
            &token,
            Composer { name, guest, form, text, note: Some(&note), ..Composer::default() },
            None,
        );
    }
    let done = match form.rename {
        true => rename(&room, &token, &form.name).await,
        false => match say(&room, welcome.guest.id, &form).await {
            Ok(Published { held: true, .. }) => {
                let Guest { id, name, .. } = &welcome.guest;
                let (name, number, note) = (name.as_str(), random_number(), Some(l.say(phrases::WAITS)));
                let composer =
                    Composer { name, guest: Some(*id), form: &number, note, ..Composer::default() };
                return filled(&session, &token, composer, None);
            }
            said => said.map(|_| welcome.guest.name.clone()),
        },
    };
    let wanted = (form.rename && done.is_err()).then_some(form.name.as_str());
    let name = done.as_ref().unwrap_or(&welcome.guest.name);
    let (name, guest) = (name.as_str(), Some(welcome.guest.id));
    let kept = Composer { name, guest, form: &form.number, text: &form.text, wanted, ..Composer::default() };
    let mut response = match done.as_ref() {
        Ok(_) if form.rename && !form.text.is_empty() => filled(&session, &token, kept, None),
        Ok(_) => see_other("say#here"),
        Err(refusal) => filled(&session, &token, kept, Some(refusal.clone())),
    };
    if form.rename && done.is_ok() {
        session.keep_name(&mut response, done.as_ref().unwrap_or(&welcome.guest.name));
    }
    response
}

async fn rename(room: &Room, token: &Token, wanted: &str) -> Result<Name, Refusal> {
    let name = Some(Name::parse(wanted)?);
    let hello = Hello { name, token: Some(token.clone()), ..Hello::default() };
    Ok(room.join_stateless(hello).await?.welcome.guest.name)
}

async fn say(room: &Room, guest: GuestId, form: &Form) -> Result<Published, Refusal> {
    let say = transport::message::say(&form.number, &form.text, room.limits().message_bytes)?;
    room.publish_stateless(guest, say).await
}

/// The form for this guest, with its content and the refusal of it.
fn filled(session: &Session, token: &Token, composer: Composer<'_>, refusal: Option<Refusal>) -> Response {
    let l = session.language;
    let problem = refusal.map(|refusal| session.problem(refusal));
    let note = problem.as_ref().map(|problem| match problem.code {
        Some(Code::TooFast) => format!("{} {}", problem.detail, l.say("What you wrote is still here.")),
        _ => problem.detail.clone(),
    });
    let (proof, note) = (prove(token, composer.form), note.as_deref().or(composer.note));
    let composer = Composer { language: l, proof: &proof, note, ..composer };
    remembered(document_with(l, Look::Composer, problem.as_ref(), documents::composer(&composer)))
}

fn no_randomness() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The operating system gives no randomness.")
}
