//! The page of a guest who waits to be let in. It loads itself again, and leads into the room when they are.

use axum::response::Response;
use http::{Method, StatusCode};

use super::answer::{document, refused, see_other};
use super::form::Form;
use super::identity;
use super::seat::resume;
use super::session::{PageRoom, Session, prove, random_number};
use crate::http::body;
use crate::http::error::Problem;
use crate::protocol::act::LinkHash;
use crate::protocol::{Code, Hello, Name, Passphrase, Refusal, Token};
use crate::transport::noscript::entry::{Waiting, waiting};
use crate::transport::noscript::markup::Look;

/// The page.
pub(super) async fn page(PageRoom(room): PageRoom, session: Session, method: Method) -> Response {
    let Some(token) = session.token.clone() else { return see_other("../page") };
    if method == Method::HEAD {
        return match room.peek(&token).await {
            Ok(_) => see_other("../page"),
            Err(refusal) => match refusal.code {
                Code::Waiting => document(session.language, Look::Entry, StatusCode::OK, body::not_made()),
                Code::PasswordNeeded | Code::InvitationNeeded => see_other("../page"),
                _ => refused(session.language, Look::Entry, refusal),
            },
        };
    }
    match resume(&room, session.name.as_ref(), &token).await {
        Ok(resumed) => {
            let mut response = see_other("../page");
            session.keep_name(&mut response, &resumed.join.welcome.guest.name);
            response
        }
        Err(refusal) if refusal.code == Code::Waiting => {
            let number = random_number();
            let content = waiting(&Waiting {
                language: session.language,
                title: &session.front.title,
                guest: room.waits(&token).await.ok().flatten(),
                name: session.name.as_ref().map_or("", Name::as_str),
                note: &session.language.translated(&refusal.message),
                form: &number,
                proof: &prove(&token, &number),
            });
            let mut response = document(session.language, Look::Entry, StatusCode::OK, content);
            Problem::from(refusal).add_retry_after(response.headers_mut());
            response
        }
        Err(refusal) if matches!(refusal.code, Code::PasswordNeeded | Code::InvitationNeeded) => {
            // What lets them in is asked for on the entry.
            let mut response = see_other("../page");
            session.forget(&mut response);
            response
        }
        Err(refusal) => refused(session.language, Look::Entry, refusal),
    }
}

/// The hello of the entry's form, under this token.
///
/// # Errors
/// A name, a password, a passphrase, a key or an invitation that is none.
pub(super) fn hello(form: &Form, token: Token) -> Result<Hello, Refusal> {
    let given = Some(&form.password).filter(|text| !text.is_empty());
    let password = given.map(|text| Passphrase::parse("password", text, 1)).transpose()?;
    // A link, or the secret in it.
    let secret = form.invite.rsplit('=').next().unwrap_or_default().trim();
    let invite = (!secret.is_empty()).then(|| Token::parse_as("invite", secret)).transpose()?;
    let invite = invite.map(|secret| LinkHash::of(&secret));
    Ok(Hello { password, invite, ..identity::hello(form, token)? })
}

/// Keeps the guest, and leads to the page on which they wait.
pub(super) fn begin(session: &Session, token: &Token, name: Option<&Name>) -> Response {
    let mut response = see_other("waiting");
    session.keep_token(&mut response, token);
    if let Some(name) = name {
        session.keep_name(&mut response, name);
    }
    response
}
