//! The page where a guest writes to another one privately, and what its form does.

use axum::response::Response;
use http::Method;

use super::answer::{document_with, head, refused, see_other};
use super::form::Form;
use super::guest_form::SeatedForm;
use super::seat::resume;
use super::session::{PageRoom, Session, prove, random_number};
use crate::http::fields::Fields;
use crate::hub::Room;
use crate::protocol::secret::Secret;
use crate::protocol::{Code, GuestId, Hello, Refusal, Token, Whisper};
use crate::transport::noscript::markup::Look;
use crate::transport::noscript::message::{message_id, say};
use crate::transport::noscript::private::{PrivatePage, private};

/// The page, with the guest chosen whom the address names.
pub(super) async fn page(
    PageRoom(room): PageRoom,
    session: Session,
    fields: Fields,
    method: Method,
) -> Response {
    let Some(token) = session.token.clone() else { return see_other("../page") };
    if method == Method::HEAD {
        return head(session.language, &room, &token, Look::Host).await;
    }
    let to = fields.text("to").unwrap_or_default();
    shown(&room, &session, &token, Form { to: to.to_owned(), ..Form::default() }, None).await
}

/// Sends what the form has.
pub(super) async fn submit(SeatedForm { room, session, token, form, guest }: SeatedForm) -> Response {
    match send(&room, guest.id, &form).await {
        Ok(to) => see_other(&format!("private?to={}", to.0)),
        Err(refusal) => shown(&room, &session, &token, form, Some(refusal)).await,
    }
}

async fn send(room: &Room, guest: GuestId, form: &Form) -> Result<GuestId, Refusal> {
    let nothing = || Refusal::new(Code::MissingField, "Choose the guest whom the message is for.");
    let to = chosen(form).ok_or_else(nothing)?;
    let text = say(&form.number, &form.text, room.limits().message_bytes)?.text;
    // The same text to another guest is another message.
    let id = message_id(&form.number, &format!("{}\n{text}", to.0))?;
    room.whisper_stateless(guest, Whisper { id, to, text: Secret::new(text) }).await?;
    Ok(to)
}

fn chosen(form: &Form) -> Option<GuestId> {
    form.to.parse().ok().map(GuestId)
}

/// The page, with what the form had, and why it was refused.
async fn shown(
    room: &Room,
    session: &Session,
    token: &Token,
    form: Form,
    refusal: Option<Refusal>,
) -> Response {
    let found = async {
        // Under the name that the guest had.
        resume(room, session.name.as_ref(), token).await?;
        room.members(Hello { token: Some(token.clone()), ..Hello::default() }).await
    };
    let welcome = match found.await {
        Ok(join) => join.welcome,
        Err(refusal) => return refused(session.language, Look::Host, refusal),
    };
    let number = if refusal.is_some() { form.number.clone() } else { random_number() };
    let problem = refusal.map(|refusal| session.problem(refusal));
    let content = private(&PrivatePage {
        language: session.language,
        guest: &welcome.guest,
        guests: &welcome.guests,
        to: chosen(&form),
        text: &form.text,
        form: &number,
        proof: &prove(token, &number),
        note: problem.as_ref().map(|problem| problem.detail.as_str()),
        is_off: welcome.policy.no_private,
    });
    document_with(session.language, Look::Host, problem.as_ref(), content)
}
