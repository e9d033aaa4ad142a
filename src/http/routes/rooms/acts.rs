//! What hosts and moderators do, over HTTP: acts, the use of a link, and the hosts' log.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{get, post};
use http::{Method, StatusCode};
use serde::Serialize;

use super::credentials::Credentials;
use super::exchange::{HandlerResult, idempotency_key, json, json_text, logged, read_body};
use crate::http::body;
use crate::http::site::{ChargedRoom, Site};
use crate::hub::Room;
use crate::log::Restriction;
use crate::log::state::{ActLine, Invitation};
use crate::protocol::event::WaitingGuest;
use crate::protocol::{self, Act, Code, MessageId, Refusal, Role};

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/rooms/{room}/acts", get(acts).post(act))
        .route("/rooms/{room}/claims", post(claim))
        .route("/rooms/{room}/held", get(held))
        .route("/rooms/{room}/waiting", get(waiting))
}

/// What `GET /rooms/{room}/acts` answers with.
#[derive(Serialize)]
struct Acts {
    acts: VecDeque<ActLine>,
    muted: Vec<Restriction>,
    banned: Vec<Restriction>,
    /// For hosts alone: they have names.
    #[serde(skip_serializing_if = "Option::is_none")]
    invitations: Option<Vec<InvitationLine>>,
}

/// An invitation, without its secret.
#[derive(Serialize)]
struct InvitationLine {
    id: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    closed: bool,
    name: String,
    single_use: bool,
    used: bool,
    guests: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
}

/// What `GET /rooms/{room}/waiting` answers with.
#[derive(Serialize)]
struct Waiting {
    count: usize,
    guests: Vec<WaitingGuest>,
}

/// The answer to `HEAD` for what hosts and moderators see.
async fn head(room: &Room, credentials: &Credentials) -> HandlerResult {
    check_sees(room.peek(&credentials.token).await?)?;
    Ok(json_text(StatusCode::OK, body::not_made()))
}

fn check_sees(role: Role) -> Result<(), Refusal> {
    match role {
        Role::Guest => {
            let sentence = "Only a host or a moderator of this room can see that.";
            Err(Refusal::new(Code::NotAllowed, sentence))
        }
        _ => Ok(()),
    }
}

async fn waiting(ChargedRoom(room): ChargedRoom, method: Method, credentials: Credentials) -> HandlerResult {
    if method == Method::HEAD {
        return head(&room, &credentials).await;
    }
    let guest = room.join_stateless(credentials.hello()).await?.welcome.guest.id;
    let guests = room.waiting_for(guest).await?;
    Ok(json(StatusCode::OK, &Waiting { count: guests.len(), guests }))
}

async fn acts(ChargedRoom(room): ChargedRoom, method: Method, credentials: Credentials) -> HandlerResult {
    if method == Method::HEAD {
        return head(&room, &credentials).await;
    }
    let guest = room.join_stateless(credentials.hello()).await?.welcome.guest.id;
    let state = room.state().await?;
    check_sees(state.role(guest))?;
    let line = |one: &Invitation| InvitationLine {
        id: one.id(),
        closed: one.closed,
        name: one.name.clone(),
        single_use: one.single_use,
        used: one.used,
        guests: state.gate.came_by(one.id()),
        until: one.until,
    };
    let list = || state.gate.invitations().iter().map(line).collect();
    let invitations = (state.role(guest) == Role::Host).then(list);
    Ok(json(
        StatusCode::OK,
        &Acts { acts: state.acts, muted: state.muted, banned: state.banned, invitations },
    ))
}

async fn held(ChargedRoom(room): ChargedRoom, method: Method, credentials: Credentials) -> HandlerResult {
    if method == Method::HEAD {
        return head(&room, &credentials).await;
    }
    let guest = room.join_stateless(credentials.hello()).await?.welcome.guest.id;
    Ok(json(StatusCode::OK, &room.held(guest).await?.event()))
}

async fn act(
    state: State<Arc<Site>>,
    room: ChargedRoom,
    credentials: Credentials,
    request: Request,
) -> HandlerResult {
    do_act(state, room, credentials, request, protocol::body::act).await
}

async fn claim(
    state: State<Arc<Site>>,
    room: ChargedRoom,
    credentials: Credentials,
    request: Request,
) -> HandlerResult {
    let claim = |body: &str, key: Option<&str>| {
        protocol::body::claim(body, key).map(|(id, link)| (id, Act::claim(&link)))
    };
    do_act(state, room, credentials, request, claim).await
}

/// Does the act that `read` finds in a body and the idempotency key.
async fn do_act(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    credentials: Credentials,
    request: Request,
    read: impl FnOnce(&str, Option<&str>) -> Result<(MessageId, Act), Refusal>,
) -> HandlerResult {
    let key = idempotency_key(&request);
    let (id, act) = read(&read_body(&site, request).await?, key.as_deref())?;
    let guest = room.join_stateless(credentials.hello()).await?.welcome.guest.id;
    let done = room.act_stateless(guest, id.clone(), act).await?;
    Ok(logged(&id, done))
}
