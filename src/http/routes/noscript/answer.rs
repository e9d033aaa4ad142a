//! Answers of the chat without JavaScript: documents, refusals in their place, and redirects.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};

use crate::http::body;
use crate::http::error::Problem;
use crate::http::guard::MOVED;
use crate::http::index::is_plain_origin;
use crate::http::language;
use crate::hub::Room;
use crate::language::{Language, english};
use crate::protocol::Token;
use crate::transport::noscript::documents;
use crate::transport::noscript::markup::{self, Look};

/// What a form is answered with that may be of another site.
pub(super) const NOT_OWN: &str = english("That was not sent from a page of this room, so it was not done.");

/// A document that looks so.
pub(super) fn document(l: Language, look: Look, status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = answer(markup::content_security_policy(look, l), status, body);
    language::mark(response.headers_mut(), l);
    response
}

/// A document that says itself what was refused, if anything was: its status is that of the problem.
pub(super) fn document_with(
    l: Language,
    look: Look,
    problem: Option<&Problem>,
    body: impl Into<Body>,
) -> Response {
    let mut response = document(l, look, problem.map_or(StatusCode::OK, |problem| problem.status), body);
    if let Some(problem) = problem {
        problem.add_retry_after(response.headers_mut());
    }
    response
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

/// The same document, whose forms may also lead to these other doors of the room.
pub(super) fn with_doors(l: Language, mut response: Response, look: Look, doors: &[String]) -> Response {
    let doors: Vec<_> = doors.iter().filter(|door| is_plain_origin(door)).collect();
    if !doors.is_empty() {
        let leads: String = doors.iter().map(|door| format!(" {door}{MOVED}")).collect();
        let policy = markup::content_security_policy(look, l)
            .replace("form-action 'self'", &format!("form-action 'self'{leads}"));
        if let Ok(policy) = HeaderValue::try_from(policy) {
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        }
    }
    response
}

/// A document that the browser remembers with what was written into it, for a reload and for Back, and asks for anew
/// otherwise. Of one that is `no-store` Firefox forgets that.
pub(super) fn remembered(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// A refusal in place of a document; the browser asks again by itself.
pub(super) fn refused(l: Language, look: Look, problem: impl Into<Problem>) -> Response {
    let problem = problem.into().translated(l);
    let mut response = document(l, look, problem.status, documents::refused(l, look, &problem.detail));
    problem.add_retry_after(response.headers_mut());
    response
}

/// A refusal of a form that could not be read, in its place; the browser does not ask again by itself, and its Back brings the
/// form with what was written.
pub(super) fn unread(l: Language, look: Look, problem: impl Into<Problem>) -> Response {
    let problem = problem.into().translated(l);
    let mut response = document(l, look, problem.status, documents::unread(l, look, &problem.detail));
    problem.add_retry_after(response.headers_mut());
    response
}

/// A refusal with the way to the entry; the browser does not ask again by itself.
pub(super) fn outside(l: Language, look: Look, sentence: &str) -> Response {
    document(l, look, StatusCode::FORBIDDEN, documents::outside(l, look, &l.translated(sentence)))
}

/// The answer to `HEAD` in place of a document for a guest with this token, who takes no seat by it and holds none.
pub(super) async fn head(l: Language, room: &Room, token: &Token, look: Look) -> Response {
    match room.peek(token).await {
        Ok(_) => document(l, look, StatusCode::OK, body::not_made()),
        Err(refusal) => refused(l, look, refusal),
    }
}

/// A redirect to an address relative to the request's, since what stands before it may be a prefix.
pub(super) fn see_other(location: &str) -> Response {
    let mut response = answer(markup::REDIRECT_SECURITY_POLICY, StatusCode::SEE_OTHER, Body::empty());
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: Language = Language::English;

    #[test]
    fn forms_may_lead_to_the_one_address_of_each_door_that_is_for_them() {
        let policy = |doors: &[&str]| {
            let doors: Vec<_> = doors.iter().map(|door| (*door).to_owned()).collect();
            let response = with_doors(EN, document(EN, Look::Room, StatusCode::OK, ""), Look::Room, &doors);
            response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
        };
        let alone = markup::content_security_policy(Look::Room, EN);
        assert_eq!(policy(&[]), alone);
        assert_eq!(policy(&["http://a; script-src *", "javascript:"]), alone);
        let allowed = "form-action 'self' http://two.onion/rooms/main/page/moved; ";
        assert_eq!(policy(&["http://two.onion"]), alone.replace("form-action 'self'; ", allowed));
    }
}
