//! How a guest of another door of the room goes on at this one, without JavaScript.
//!
//! The page at the other door has a form for each door, with the token in its body: so it is in no address, no history, no
//! `Referer` and no log. Any page can have such a form, and a browser of Tor does not say which one sent it, so the form does
//! nothing: it is answered with a page that says who would go on here, and has a form of its own. Only that one takes the seat,
//! and only where this browser has none. A visitor who was sent here by a stranger sees a name that is not theirs, and a link to
//! come in as a new guest.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::answer::{NOT_OWN, document_with, outside, see_other};
use super::form::Form;
use super::seat::resume;
use super::session::{NO_COOKIE, PageRoom, Session, prove, random_number};
use crate::http::error::Problem;
use crate::http::site::Site;
use crate::protocol::{Name, Token};
use crate::transport::noscript::documents::{self, Arrival};
use crate::transport::noscript::markup::Look;

/// Shows who would go on here. Takes no seat, and tells nothing of the room but its title.
pub(super) async fn moved(State(site): State<Arc<Site>>, session: Session, request: Request) -> Response {
    match Form::read(&site, &site.room, request).await {
        // A browser that has a guest here already goes on as that one.
        Ok(form) if session.token.is_none() => asked(&session, &form, None),
        _ => see_other("../page"),
    }
}

/// Takes the seat, in answer to the page that [`moved`] shows and to nothing else.
pub(super) async fn arrive(
    State(site): State<Arc<Site>>,
    PageRoom(room): PageRoom,
    session: Session,
    request: Request,
) -> Response {
    let Ok(form) = Form::read(&site, &room, request).await else { return see_other("../page") };
    let Some(secret) = &session.entry else { return outside(session.language, Look::Room, NO_COOKIE) };
    if !session.is_own_form(secret, &form.number, &form.proof) {
        return outside(session.language, Look::Room, NOT_OWN);
    }
    let Ok(token) = Token::parse(&form.token) else { return see_other("../page") };
    if session.token.is_some() {
        return see_other("../page");
    }
    let name = Name::parse(&form.name).ok();
    match resume(&room, name.as_ref(), &token).await {
        Ok(resumed) => {
            let mut response = see_other("../page");
            session.keep(&mut response, &token, &resumed.join.welcome.guest.name);
            response
        }
        Err(refusal) => asked(&session, &form, Some(session.problem(refusal))),
    }
}

fn asked(session: &Session, form: &Form, problem: Option<Problem>) -> Response {
    let (Ok(token), Some(secret)) =
        (Token::parse(&form.token), session.entry.clone().or_else(|| Token::random().ok()))
    else {
        return see_other("../page");
    };
    let number = random_number();
    let name = Name::parse(&form.name).ok();
    let content = documents::arrival(&Arrival {
        language: session.language,
        title: &session.front.title,
        form: &number,
        proof: &prove(&secret, &number),
        token: &token.encode(),
        name: name.as_ref().map_or("", Name::as_str),
        note: problem.as_ref().map(|problem| problem.detail.as_str()),
        doors: problem.as_ref().map_or(&[][..], |problem| &problem.doors),
    });
    let mut response = document_with(session.language, Look::Entry, problem.as_ref(), content);
    if session.entry.is_none() {
        session.keep_entry(&mut response, &secret);
    }
    response
}
