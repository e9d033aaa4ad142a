//! Identities: what the entry's form says of one, the page of a guest's own name, and what its form does.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};

use super::answer::{document, document_with, head, refused, see_other};
use super::form::Form;
use super::guest_form::SeatedForm;
use super::seat::resume;
use super::session::{PageRoom, Session, prove, random_number};
use crate::hub::Room;
use crate::protocol::identity::{key_file, key_file_name, read_key_file};
use crate::protocol::{Act, Code, Hello, Identity, Name, Refusal, Token};
use crate::transport::noscript::identity::{IdentityPage, identity};
use crate::transport::noscript::markup::Look;
use crate::transport::noscript::message::message_id;

/// The hello of the entry's form, for a guest with this token where it names no identity.
pub(super) fn hello(form: &Form, token: Token) -> Result<Hello, Refusal> {
    if !form.passphrase.is_empty() {
        let identity = Some(Identity::parse(&form.name, &form.passphrase)?);
        return Ok(Hello { identity, ..Hello::default() });
    }
    let token = if form.key.trim().is_empty() { token } else { read_key_file(&form.key)? };
    let name = (!form.name.trim().is_empty()).then(|| Name::parse(&form.name)).transpose()?;
    Ok(Hello { name, token: Some(token), ..Hello::default() })
}

/// The page.
pub(super) async fn page(PageRoom(room): PageRoom, session: Session, method: Method) -> Response {
    let Some(token) = session.token.clone() else { return see_other("../page") };
    if method == Method::HEAD {
        return head(session.language, &room, &token, Look::Host).await;
    }
    shown(&room, &session, &token, None).await
}

/// Does what the form asks for.
pub(super) async fn submit(seated: SeatedForm) -> Response {
    let SeatedForm { room, session, token, form, guest } = seated;
    let act = match form.action.as_str() {
        "key" => return saved(&session, &token, &key_file_name(guest.id)),
        "reserve" => Ok(Act::Reserve { name: None, under: None }),
        "release" => Ok(Act::ReleaseName),
        _ => Err(Refusal::new(Code::WrongKind, "That form is not one of this page. Load the page again.")),
    };
    let done = async {
        let id = message_id(&form.number, &form.action)?;
        room.act_stateless(guest.id, id, act?).await
    };
    match done.await {
        Ok(_) => see_other("identity"),
        Err(refusal) => shown(&room, &session, &token, Some(refusal)).await,
    }
}

/// The key file, to be saved; as every answer it is kept in no cache.
fn saved(session: &Session, token: &Token, name: &str) -> Response {
    let mut response = document(session.language, Look::Host, StatusCode::OK, Body::from(key_file(token)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}

async fn shown(room: &Room, session: &Session, token: &Token, refusal: Option<Refusal>) -> Response {
    let found = async {
        let guest = resume(room, session.name.as_ref(), token).await?.join.welcome.guest;
        Ok::<_, Refusal>((guest, room.state().await?.reserved))
    };
    let (guest, reserved) = match found.await {
        Ok(found) => found,
        Err(refusal) => return refused(session.language, Look::Host, refusal),
    };
    let (number, problem) = (random_number(), refusal.map(|refusal| session.problem(refusal)));
    let content = identity(&IdentityPage {
        language: session.language,
        guest: &guest,
        reserved: reserved.of(guest.id).map(|own| &own.name),
        form: &number,
        proof: &prove(token, &number),
        note: problem.as_ref().map(|problem| problem.detail.as_str()),
    });
    document_with(session.language, Look::Host, problem.as_ref(), content)
}
