//! A form of a guest who has entered.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;

use super::answer::{NOT_OWN, outside, refused, unread};
use super::form::Form;
use super::seat::resume;
use super::session::{NO_COOKIE, Session};
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
    let form = Form::read(site, room, request).await.map_err(|mut problem| {
        if problem.status == StatusCode::PAYLOAD_TOO_LARGE {
            let bytes = room.limits().message_bytes;
            problem.detail =
                format!("A message may have at most {bytes} bytes; this one has far more. Say it in parts.");
        }
        Box::new(unread(look, problem))
    })?;
    let Some(token) = session.token.clone() else { return Err(Box::new(outside(look, NO_COOKIE))) };
    match session.is_own_form(&token, &form.number, &form.proof) {
        true => Ok((token, form)),
        false => Err(Box::new(outside(look, NOT_OWN))),
    }
}

/// The same, and the guest, who has their seat again.
pub(super) async fn own_form_seated(
    site: &Site,
    room: &Room,
    session: &Session,
    look: Look,
    request: Request,
) -> Result<(Token, Form, Guest), Box<Response>> {
    let (token, form) = own_form(site, room, session, look, request).await?;
    match resume(room, session.name.as_ref(), &token).await {
        Ok(resumed) => Ok((token, form, resumed.join.welcome.guest)),
        Err(refusal) => Err(Box::new(refused(look, refusal))),
    }
}
