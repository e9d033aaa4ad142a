//! The end of a guest's time in the room.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::answer::{outside, see_other};
use super::guest_form::own_form;
use super::message;
use super::session::{PageRoom, Session};
use crate::http::site::Site;
use crate::transport::noscript::markup::Look;

/// Gives the seat up, and lets the browser forget the guest.
pub(super) async fn leave(
    State(site): State<Arc<Site>>,
    PageRoom(room): PageRoom,
    session: Session,
    request: Request,
) -> Response {
    let (token, form) = match own_form(&site, &room, &session, Look::Room, request).await {
        Ok(form) => form,
        Err(response) => return *response,
    };
    match room.touch(&token).await {
        Ok(join) => {
            let mut guest = join.as_ref().map(|join| join.welcome.guest.id);
            if form.action == "erase" {
                match message::erase(&room, session.name.as_ref(), &token, guest).await {
                    Ok(erased) => guest = Some(erased),
                    Err(refusal) => return outside(session.language, Look::Room, &refusal.message),
                }
            }
            if let Some(guest) = guest {
                room.leave(guest);
            }
            let mut response = see_other("../page");
            session.forget(&mut response);
            response
        }
        Err(refusal) => outside(session.language, Look::Room, &refusal.message),
    }
}
