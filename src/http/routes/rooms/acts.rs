//! What hosts and moderators do, over HTTP: acts, the use of a link, and the hosts' log.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{get, post};
use http::{Method, StatusCode};
use serde::Serialize;

use super::credentials::Credentials;
use super::exchange::{HandlerResult, idempotency_key, json, json_text, locate, read_body};
use crate::http::body;
use crate::http::site::{ChargedRoom, Site};
use crate::hub::{Done, Room};
use crate::log::Restriction;
use crate::log::state::ActLine;
use crate::protocol::{self, Act, Code, MessageId, Refusal, Role};

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/rooms/{room}/acts", get(acts).post(act)).route("/rooms/{room}/claims", post(claim))
}

/// What `GET /rooms/{room}/acts` answers with.
#[derive(Serialize)]
struct Acts {
    acts: VecDeque<ActLine>,
    muted: Vec<Restriction>,
    banned: Vec<Restriction>,
}

async fn acts(ChargedRoom(room): ChargedRoom, method: Method, credentials: Credentials) -> HandlerResult {
    if method == Method::HEAD {
        return Ok(json_text(StatusCode::OK, body::not_made()));
    }
    let guest = room.join_stateless(credentials.hello()).await?.welcome.guest.id;
    let state = room.state().await?;
    if state.role(guest) < Role::Moderator {
        let sentence = "Only a host or a moderator of this room can see that.";
        return Err(Refusal::new(Code::NotAllowed, sentence).into());
    }
    Ok(json(StatusCode::OK, &Acts { acts: state.acts, muted: state.muted, banned: state.banned }))
}

async fn act(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    credentials: Credentials,
    request: Request,
) -> HandlerResult {
    let key = idempotency_key(&request);
    let (id, act) = protocol::body::act(&read_body(&site, request).await?, key.as_deref())?;
    do_act(&room, &credentials, id, act).await
}

async fn claim(
    State(site): State<Arc<Site>>,
    ChargedRoom(room): ChargedRoom,
    credentials: Credentials,
    request: Request,
) -> HandlerResult {
    let key = idempotency_key(&request);
    let (id, link) = protocol::body::claim(&read_body(&site, request).await?, key.as_deref())?;
    do_act(&room, &credentials, id, Act::claim(&link)).await
}

#[derive(Serialize)]
struct Acted<'a> {
    id: &'a str,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

async fn do_act(room: &Room, credentials: &Credentials, id: MessageId, act: Act) -> HandlerResult {
    let guest = room.join_stateless(credentials.hello()).await?.welcome.guest.id;
    let Done { seq, link } = room.act_stateless(guest, id.clone(), act).await?;
    let acted = Acted { id: id.as_str(), seq, link: link.map(|link| link.encode()) };
    let mut response = json(StatusCode::CREATED, &acted);
    locate(&mut response, format!("messages?after={}&limit=1", seq - 1));
    Ok(response)
}
