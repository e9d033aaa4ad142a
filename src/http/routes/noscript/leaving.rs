//! The end of a guest's time in the room.

use axum::response::Response;

use super::answer::{outside, see_other};
use super::guest_form::OwnForm;
use super::message;
use crate::transport::noscript::markup::Look;

/// Gives the seat up, and lets the browser forget the guest.
pub(super) async fn leave(OwnForm { room, session, token, form }: OwnForm) -> Response {
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
