//! Where a switch between languages sets the cookie. It leads back to one of the room's own pages, and nowhere else.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::answer::see_other;
use super::form::FORM;
use super::session::Session;
use crate::http::body;
use crate::http::fields::Fields;
use crate::http::site::Site;
use crate::language::Language;
use crate::transport::noscript::switch::leads_back;

/// The most that a switch sends, in bytes.
const BYTES_MAX: usize = 256;

/// Keeps the language that the form names; one that is not spoken changes nothing. It needs no proof, because it tells nothing, and
/// the guard lets no other site send it.
pub(super) async fn set(State(site): State<Arc<Site>>, session: Session, request: Request) -> Response {
    let Ok(body) = body::read(request, FORM, BYTES_MAX, site.settings.request_head).await else {
        return see_other("../page");
    };
    let fields = Fields::parse(&body);
    let mut response = see_other(&leads_back(fields.text("back").unwrap_or_default()));
    if let Some(language) = fields.text("language").and_then(Language::from_code) {
        session.keep_language(&mut response, language);
    }
    response
}
