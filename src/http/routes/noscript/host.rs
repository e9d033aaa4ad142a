//! The page of hosts and moderators, and what its forms do.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{Method, StatusCode};
use zeroize::Zeroizing;

use super::answer::{document, document_with, head, refused, see_other};
use super::form::Form;
use super::guest_form::SeatedForm;
use super::seat::resume;
use super::session::{PageRoom, Session, prove, random_number};
use crate::http::drawings;
use crate::http::site::Site;
use crate::hub::wiping::Wiping;
use crate::hub::{Done, Room};
use crate::protocol::act::{Act, Target};
use crate::protocol::act_members::{checked, password};
use crate::protocol::entering::InvitationRef;
use crate::protocol::request::HistoryRequest;
use crate::protocol::{Code, GuestId, NUMBER_LIMIT, Refusal, Role, Token};
use crate::qr::Drawing;
use crate::transport::noscript::host::{HostPage, host, wiped};
use crate::transport::noscript::made_link::whole;
use crate::transport::noscript::markup::Look;
use crate::transport::noscript::message::message_id;

/// How many of the newest messages the page has.
const MESSAGES: usize = 50;

/// For how many seconds the button mutes that says so.
const MUTED_SECONDS: u64 = 600;

/// The page.
pub(super) async fn page(
    State(site): State<Arc<Site>>,
    PageRoom(room): PageRoom,
    session: Session,
    method: Method,
) -> Response {
    let Some(token) = session.token.clone() else { return see_other("../page") };
    if method == Method::HEAD {
        return head(session.language, &room, &token, Look::Host).await;
    }
    shown((&room, &site.wiping), &session, &token, Ok(None)).await
}

/// Does what a form asks for.
pub(super) async fn submit(State(site): State<Arc<Site>>, seated: SeatedForm) -> Response {
    let SeatedForm { room, session, token, form, guest } = seated;
    if let Some(address) = wipes(&form.action) {
        let asked = site.wiping.ask_as(&room, guest.id, &form.text, address).await;
        return match asked {
            Ok(()) => {
                document(session.language, Look::Host, StatusCode::OK, wiped(session.language, address))
            }
            Err(refusal) => shown((&room, &site.wiping), &session, &token, Err(refusal)).await,
        };
    }
    let done = match act(&form) {
        Ok(act) => do_act(&room, guest.id, &form, act).await,
        Err(refusal) => Err(refusal),
    };
    match done {
        Ok(Done { link: None, .. }) => see_other("host"),
        Ok(Done { link: Some(link), .. }) => {
            let made = Made { link, invites: form.action == "invite" };
            shown((&room, &site.wiping), &session, &token, Ok(Some(made))).await
        }
        Err(refusal) => shown((&room, &site.wiping), &session, &token, Err(refusal)).await,
    }
}

async fn do_act(room: &Room, guest: GuestId, form: &Form, act: Act) -> Result<Done, Refusal> {
    // All of the form, so that what was changed after going back is another act.
    let Form { action, text, name, days, password, once, .. } = form;
    let all = Zeroizing::new(format!("{action}\n{text}\n{name}\n{days}\n{once}\n{password}"));
    let id = message_id(&form.number, &all)?;
    room.act_stateless(guest, id, act).await
}

/// A link that was made.
struct Made {
    link: Token,
    invites: bool,
}

/// The page, with the link that was made, or why something was refused.
async fn shown(
    (room, wiping): (&Room, &Wiping),
    session: &Session,
    token: &Token,
    outcome: Result<Option<Made>, Refusal>,
) -> Response {
    let found = async {
        let welcome = resume(room, session.name.as_ref(), token).await?.join.welcome;
        let state = room.state().await?;
        let request = HistoryRequest::before(NUMBER_LIMIT - 1, MESSAGES);
        let (messages, held) = match state.role(welcome.guest.id) {
            Role::Guest => (Vec::new(), Vec::new()),
            _ => (room.history(request).await?.messages, room.held(welcome.guest.id).await?.messages),
        };
        let waiting = match state.role(welcome.guest.id) {
            Role::Guest => Vec::new(),
            _ => room.waiting_for(welcome.guest.id).await?,
        };
        Ok::<_, Refusal>((welcome, state, messages, held, waiting))
    };
    let (welcome, state, messages, held, waiting) = match found.await {
        Ok(found) => found,
        Err(refusal) => return refused(session.language, Look::Host, refusal),
    };
    let number = random_number();
    let (problem, link) = match outcome {
        Ok(made) => (None, made),
        Err(refusal) => (Some(session.problem(refusal)), None),
    };
    let secret = link.as_ref().map(|made: &Made| made.link.encode());
    let drawing = match &link {
        // Without one the page says the link all the same.
        Some(made) => drawn(&session.origin, room.name(), made).await,
        None => None,
    };
    let content = host(&HostPage {
        language: session.language,
        guest: &welcome.guest,
        state: &state,
        guests: &welcome.guests,
        messages: &messages,
        held: &held,
        clock: welcome.clock,
        form: &number,
        proof: &prove(token, &number),
        note: problem.as_ref().map(|problem| problem.detail.as_str()),
        wipe: wiping.confirmation(),
        room: room.name(),
        link: secret.as_deref(),
        drawing: drawing.as_ref(),
        invites: link.as_ref().is_some_and(|made| made.invites),
        waiting: &waiting,
    });
    document_with(session.language, Look::Host, problem.as_ref(), content)
}

/// The QR code of a link that was made at this origin.
async fn drawn(origin: &str, room: &str, made: &Made) -> Option<Drawing> {
    drawings::draw(whole(origin, room, &made.link.encode(), made.invites)?).await.ok()
}

/// Whether the pressed button wipes the room, and with it the address.
fn wipes(action: &str) -> Option<bool> {
    match action {
        "wipe" => Some(false),
        "wipe_address" => Some(true),
        _ => None,
    }
}

/// For how many seconds a guest is turned away by the button that says so.
const NOT_NOW_SECONDS: u64 = 60;

/// A number of days in seconds; `None` if none is given.
fn days(text: &str) -> Result<Option<u64>, Refusal> {
    let wrong =
        || Refusal::new(Code::TextEmpty, "That is not a number of days. Write digits, or leave it empty.");
    match text.trim() {
        "" => Ok(None),
        text => match text.parse::<u64>() {
            Ok(days) if (1..=3650).contains(&days) => Ok(Some(days * 86_400)),
            _ => Err(wrong()),
        },
    }
}

/// What the pressed button asks for: the name of an act, and the number of a guest or a message after a space.
fn act(form: &Form) -> Result<Act, Refusal> {
    let (name, number) = form.action.split_once(' ').unwrap_or((&form.action, ""));
    let number: u64 = number.parse().unwrap_or(0);
    let target = Target { of: GuestId(number), name: None };
    let role = |role| Act::Role { target: target.clone(), role, link: None };
    let amount = || {
        let wrong =
            || Refusal::new(Code::TextEmpty, "That is not a number. Write digits only, or 0 for none.");
        form.text.trim().parse::<u64>().map_err(|_| wrong())
    };
    let text = form.text.replace("\r\n", "\n").trim().to_owned();
    checked(match name {
        "claim" => {
            let secret = text.rsplit('=').next().unwrap_or_default().trim();
            return Ok(Act::claim(&Token::parse_as("link", secret)?));
        }
        "kick" => Act::Kick { target },
        "mute10" => Act::Mute { target, seconds: Some(MUTED_SECONDS), invitation: false },
        "mute" => Act::Mute { target, seconds: None, invitation: false },
        "unmute" => Act::Unmute { target },
        "ban" => Act::Ban { target, seconds: None, invitation: false },
        "unban" => Act::Unban { target },
        "ban_invitation" => Act::Ban { target, seconds: None, invitation: true },
        "mute_invitation" => Act::Mute { target, seconds: None, invitation: true },
        "approval_on" => Act::Approval { approval: true, present: Vec::new() },
        "approval_off" => Act::Approval { approval: false, present: Vec::new() },
        "admit" => Act::Admit { target, by: None },
        "not_now" => Act::Reject { target, seconds: Some(NOT_NOW_SECONDS) },
        "reject" => Act::Reject { target, seconds: None },
        "invited_on" => Act::InvitedOnly { invited_only: true, present: Vec::new() },
        "invited_off" => Act::InvitedOnly { invited_only: false, present: Vec::new() },
        "password" if form.password.is_empty() => {
            let sentence = "Write the password first; to take it away there is another button.";
            return Err(Refusal::new(Code::TextEmpty, sentence));
        }
        "password" => return password(&form.password),
        "password_off" => return password(""),
        "invite" => Act::Invite {
            name: Some(form.name.clone()),
            single_use: form.once,
            seconds: days(&form.days)?,
            link: None,
        },
        "revoke_invite" => Act::RevokeInvite { invite: Some(InvitationRef::Id(number)) },
        "delete_all" => Act::DeleteAll { target },
        "moderator" => role(Role::Moderator),
        "host" => role(Role::Host),
        "guest" => role(Role::Guest),
        "delete" => Act::Delete { messages: vec![number], own: false },
        "release" => Act::Release { messages: vec![number] },
        "words" => {
            let words = text.lines().map(str::trim).filter(|word| !word.is_empty());
            Act::Words { words: Some(words.map(str::to_owned).collect()), count: None }
        }
        "pin" => Act::Pin { message: number, said: None },
        "unpin" => Act::Unpin,
        "lock" => Act::Lock { locked: true },
        "unlock" => Act::Lock { locked: false },
        "slow" => Act::Slow { seconds: amount()? },
        "cap" => Act::Cap { guests: amount()? },
        "title" => Act::Title { text },
        "topic" => Act::Topic { text },
        "rules" => Act::Rules { text },
        "announce" => Act::Announce { text },
        "link_moderator" => Act::Link { role: Role::Moderator, link: None },
        "link_host" => Act::Link { role: Role::Host, link: None },
        "revoke_links" => Act::RevokeLinks,
        "unreserve" => Act::Unreserve { target },
        "private_on" => Act::Private { private: true },
        "private_off" => Act::Private { private: false },
        "typing_on" => Act::Typing { typing: true },
        "typing_off" => Act::Typing { typing: false },
        "identities_on" => Act::Identities { required: true },
        "identities_off" => Act::Identities { required: false },
        _ => {
            return Err(Refusal::new(
                Code::WrongKind,
                "That form is not one of this page. Load the page again.",
            ));
        }
    })
}
