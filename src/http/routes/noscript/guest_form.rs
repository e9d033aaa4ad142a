//! A form of a guest who has entered.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use http::StatusCode;

use super::answer::{NOT_OWN, outside, refused, unread};
use super::form::Form;
use super::seat::resume;
use super::session::{NO_COOKIE, PageRoom, Session};
use crate::http::site::Site;
use crate::hub::Room;
use crate::protocol::{Guest, Token};
use crate::transport::noscript::markup::Look;

/// The guest of the cookie, and a form that is proved to be from a page of the room; otherwise the refusal.
pub(super) async fn own_form(
    site: &Site,
    room: &Room,
    session: &Session,
    look: Look,
    request: Request,
) -> Result<(Token, Form), Box<Response>> {
    let l = session.language;
    let form = Form::read(site, room, request).await.map_err(|mut problem| {
        if problem.status == StatusCode::PAYLOAD_TOO_LARGE {
            let bytes = room.limits().message_bytes;
            problem.detail =
                format!("A message may have at most {bytes} bytes; this one has far more. Say it in parts.");
        }
        Box::new(unread(l, look, problem))
    })?;
    let Some(token) = session.token.clone() else { return Err(Box::new(outside(l, look, NO_COOKIE))) };
    match session.is_own_form(&token, &form.number, &form.proof) {
        true => Ok((token, form)),
        false => Err(Box::new(outside(l, look, NOT_OWN))),
    }
}

/// Such a form of the page of the room.
pub(super) struct OwnForm {
    pub(super) room: Room,
    pub(super) session: Session,
    pub(super) token: Token,
    pub(super) form: Form,
}

impl OwnForm {
    /// Reads one; `look` is that of a refusal.
    async fn read(request: Request, site: &Arc<Site>, look: Look) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let PageRoom(room) = PageRoom::from_request_parts(&mut parts, site).await?;
        let session = Session::from_request_parts(&mut parts, site).await?;
        let request = Request::from_parts(parts, body);
        let (token, form) = own_form(site, &room, &session, look, request).await.map_err(|answer| *answer)?;
        Ok(Self { room, session, token, form })
    }
}

impl FromRequest<Arc<Site>> for OwnForm {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, Response> {
        Self::read(request, site, Look::Room).await
    }
}

/// Such a form of a page that stands in a tab of its own, whose guest has their seat again.
pub(super) struct SeatedForm {
    pub(super) room: Room,
    pub(super) session: Session,
    pub(super) token: Token,
    pub(super) form: Form,
    pub(super) guest: Guest,
}

impl FromRequest<Arc<Site>> for SeatedForm {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, Response> {
        let OwnForm { room, session, token, form } = OwnForm::read(request, site, Look::Host).await?;
        match resume(&room, session.name.as_ref(), &token).await {
            Ok(resumed) => Ok(Self { room, session, token, form, guest: resumed.join.welcome.guest }),
            Err(refusal) => Err(refused(session.language, Look::Host, refusal)),
        }
    }
}
