//! Extractors: the room in the path, and the guest that a request acts as.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderName, StatusCode, Uri};

use crate::http::error::Problem;
use crate::http::fields::Fields;
use crate::http::site::{Site, room_name};
use crate::protocol::{Hello, Token};

/// What a browser's `EventSource` sends when it connects again.
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The name of the room in the path, which exists.
pub(super) struct RoomPath(pub(super) String);

impl FromRequestParts<Arc<Site>> for RoomPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let room = room_name(parts, site).await;
        site.rooms.check_name(&room)?;
        Ok(Self(room))
    }
}

/// The credentials of a request to a room that exists, and the fields of its query.
pub(super) struct Credentials {
    pub(super) token: Token,
    pub(super) query: Fields,
}

impl Credentials {
    /// The hello of a request, without a cursor.
    pub(super) fn hello(&self) -> Hello {
        Hello { token: Some(self.token.clone()), ..Hello::default() }
    }
}

impl FromRequestParts<Arc<Site>> for Credentials {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let RoomPath(room) = RoomPath::from_request_parts(parts, site).await?;
        let query = Fields::parse(parts.uri.query().unwrap_or_default());
        let token = parts.headers.get(AUTHORIZATION).map(|value| bearer(value.to_str().unwrap_or_default()));
        let token = token
            .flatten()
            .ok_or_else(|| unauthorized(&format!("Take a seat first, with POST /rooms/{room}/guests;")))?;
        let token = Token::parse(token).map_err(|_| {
            unauthorized("A token has the 43 characters of an earlier answer; without one, take a new seat;")
        })?;
        Ok(Self { token, query })
    }
}

/// Refuses a token, a name or a text in the query, whatever else the request is: an address can be linked to, is kept in
/// histories and is easily copied, and who follows a link must not act.
///
/// # Errors
/// 400, with where it belongs.
pub(in super::super) fn check_query(uri: &Uri) -> Result<(), Problem> {
    let query = Fields::parse(uri.query().unwrap_or_default());
    let sentence = if query.text("token").is_some() {
        "A token does not belong in an address; send it as \"Authorization: Bearer …\", and in a hello on a WebSocket."
    } else if query.text("name").is_some() {
        "A name does not belong in an address; send it in a body, with POST …/guests or PATCH …/guests/me."
    } else if query.text("text").is_some() {
        "A text does not belong in an address, whether it is said or searched for; send it in a body."
    } else {
        return Ok(());
    };
    Err(Problem::new(StatusCode::BAD_REQUEST, sentence))
}

/// The credentials of RFC 6750, section 2.1.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn unauthorized(beginning: &str) -> Problem {
    let sentence = format!("{beginning} send its \"token\" as \"Authorization: Bearer …\".");
    Problem::new(StatusCode::UNAUTHORIZED, sentence)
}
