//! Light, dark, high contrast and less space, in a cookie of the browser, which all rooms of the address get.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use super::answer::see_other;
use super::guest_form::OwnForm;
use super::session;
use crate::transport::noscript::theme::Theme;

/// Has the documents of the answer look as this browser's guest has chosen.
pub(super) async fn themed(request: Request, next: Next) -> Response {
    let theme = session::theme(request.headers(), request.extensions());
    theme.during(next.run(request)).await
}

/// Switches one of them.
pub(super) async fn submit(OwnForm { session, form, .. }: OwnForm) -> Response {
    let mut response = see_other("../page");
    session.keep_theme(&mut response, Theme::now().switched(&form.action));
    response
}
