//! Light, dark, high contrast and less space, in a cookie of the browser, which all rooms of the address get.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::answer::see_other;
use super::guest_form::own_form;
use super::session::{self, PageRoom, Session};
use crate::http::site::Site;
use crate::transport::noscript::markup::Look;
use crate::transport::noscript::theme::Theme;

/// Has the documents of the answer look as this browser's guest has chosen.
pub(super) async fn themed(request: Request, next: Next) -> Response {
    let theme = session::theme(request.headers(), request.extensions());
    theme.during(next.run(request)).await
}

/// Switches one of them.
pub(super) async fn submit(
    State(site): State<Arc<Site>>,
    PageRoom(room): PageRoom,
    session: Session,
    request: Request,
) -> Response {
    match own_form(&site, &room, &session, Look::Room, request).await {
        Ok((_, form)) => {
            let mut response = see_other("../page");
            session.keep_theme(&mut response, Theme::now().switched(&form.action));
            response
        }
        Err(response) => *response,
    }
}
