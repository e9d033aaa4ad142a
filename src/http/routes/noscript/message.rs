//! The document of one message, and what its forms do.

use axum::response::Response;
use http::Method;

use super::answer::{document_with, head, refused, see_other};
use super::form::Form;
use super::guest_form::SeatedForm;
use super::seat::resume;
use super::session::{PageRoom, Session, prove, random_number};
use crate::http::fields::Fields;
use crate::hub::annotated::Annotated;
use crate::hub::{Published, Room};
use crate::language::english;
use crate::protocol::act::Target;
use crate::protocol::act_members::checked;
use crate::protocol::{
    Act, Code, Emoji, GuestId, HistoryRequest, MessageId, NUMBER_LIMIT, Name, Refusal, Role, Say, Token,
};
use crate::transport::noscript::markup::Look;
use crate::transport::noscript::message::{message_id, normalise, say};
use crate::transport::noscript::message_page::{MessagePage, message_page};
use crate::transport::noscript::phrases;

/// What became of a form, as the address of the page says it.
const DONE: [(&str, &str); 5] = [
    ("reply", english("Your answer is said.")),
    ("waits", phrases::WAITS),
    ("edit", english("The message is changed.")),
    ("react", english("It is done.")),
    ("delete", english("The message is deleted.")),
];

/// The page.
pub(super) async fn page(
    PageRoom(room): PageRoom,
    session: Session,
    method: Method,
    fields: Fields,
) -> Response {
    let Some(token) = session.token.clone() else { return see_other("../page") };
    if method == Method::HEAD {
        return head(session.language, &room, &token, Look::Host).await;
    }
    let of = fields.text("of").and_then(|of| of.parse().ok()).unwrap_or(0);
    let done = fields.text("done").and_then(|done| DONE.iter().find(|(name, _)| *name == done));
    let form = Form { of, ..Form::default() };
    shown(&room, &session, &token, &form, done.map(|(_, sentence)| session.language.say(sentence)), None)
        .await
}

/// Does what a form asks for.
pub(super) async fn submit(seated: SeatedForm) -> Response {
    let SeatedForm { room, session, token, form, guest } = seated;
    match done(&room, guest.id, &form).await {
        Ok(done) => see_other(&format!("message?of={}&done={done}", form.of)),
        Err(refusal) => shown(&room, &session, &token, &form, None, Some(refusal)).await,
    }
}

/// Does it; returns the first half of one of [`DONE`].
async fn done(room: &Room, guest: GuestId, form: &Form) -> Result<&'static str, Refusal> {
    let (name, emoji) = form.action.split_once(' ').unwrap_or((&form.action, ""));
    let text = normalise(&form.text);
    let (done, act) = match name {
        "reply" => {
            let said = say(&form.number, &text, room.limits().message_bytes)?;
            let said = Say { reply: Some(form.of).filter(|of| (1..NUMBER_LIMIT).contains(of)), ..said };
            return room
                .publish_stateless(guest, said)
                .await
                .map(|Published { held, .. }| if held { "waits" } else { "reply" });
        }
        "react" => ("react", Act::React { message: form.of, emoji: Emoji::parse(emoji) }),
        "edit" => ("edit", Act::Edit { message: form.of, text: text.clone() }),
        "delete" => ("delete", Act::Delete { messages: vec![form.of], own: false }),
        _ => {
            let sentence = "That form is not one of this page. Load the page again.";
            return Err(Refusal::new(Code::WrongKind, sentence));
        }
    };
    let id = message_id(&form.number, &format!("{}\n{}\n{text}", form.of, form.action))?;
    room.act_stateless(guest, id, checked(act)?).await.map(|_| done)
}

/// Erases all that a guest has said; one whose seat is gone takes it once more for that. Returns who it is.
pub(super) async fn erase(
    room: &Room,
    name: Option<&Name>,
    token: &Token,
    guest: Option<GuestId>,
) -> Result<GuestId, Refusal> {
    let guest = match guest {
        Some(guest) => guest,
        None => resume(room, name, token).await?.join.welcome.guest.id,
    };
    let target = Target { of: guest, name: None };
    let id = MessageId::parse(&random_number())?;
    room.act_stateless(guest, id, Act::DeleteAll { target }).await.map(|_| guest)
}

/// The page, with what became of a form.
async fn shown(
    room: &Room,
    session: &Session,
    token: &Token,
    form: &Form,
    done: Option<&str>,
    refusal: Option<Refusal>,
) -> Response {
    let found = async {
        let welcome = resume(room, session.name.as_ref(), token).await?.join.welcome;
        let before = form.of.saturating_add(1).min(NUMBER_LIMIT - 1);
        let page = room.history(HistoryRequest::before(before, 1)).await?;
        let message = page.messages.into_iter().find(|message| message.record.seq == form.of);
        Ok::<_, Refusal>((welcome, message))
    };
    let (welcome, message) = match found.await {
        Ok(found) => found,
        Err(refusal) => return refused(session.language, Look::Host, refusal),
    };
    let guest = &welcome.guest;
    let own = message.as_ref().is_some_and(|message| message.record.author == guest.id);
    let young = |message: &Annotated| {
        let age = welcome.clock.saturating_sub(message.record.at);
        welcome.limits.edit_seconds > 0 && age <= welcome.limits.edit_seconds
    };
    let (number, problem) = (random_number(), refusal.map(|refusal| session.problem(refusal)));
    let kept = |action: &str| Some(form.text.as_str()).filter(|_| form.action == action);
    let content = message_page(&MessagePage {
        language: session.language,
        guest,
        of: form.of,
        message: message.as_ref(),
        may_edit: own && message.as_ref().is_some_and(young),
        may_delete: own || welcome.policy.role(guest.id) > Role::Guest,
        form: &number,
        proof: &prove(token, &number),
        done,
        note: problem.as_ref().map(|problem| problem.detail.as_str()),
        reply: kept("reply").unwrap_or_default(),
        edit: kept("edit"),
    });
    document_with(session.language, Look::Host, problem.as_ref(), content)
}
