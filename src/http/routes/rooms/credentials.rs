//! Extractors: the room in the path, and the guest that a request acts as.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderName, Method, StatusCode};

use crate::http::error::Problem;
use crate::http::fields::Fields;
use crate::http::site::Site;
use crate::protocol::{Hello, Name, Token};

/// What a browser's `EventSource` sends when it connects again.
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The name of the room in the path, which exists.
pub(super) struct RoomPath(pub(super) String);

impl FromRequestParts<Arc<Site>> for RoomPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        // A name that is not UTF-8 is no room's either.
        let room = Path::<String>::from_request_parts(parts, site).await.map_or(String::new(), |path| path.0);
        site.room.check_name(&room)?;
        Ok(Self(room))
    }
}

/// The credentials of a request, its room and the fields of its query.
pub(super) struct Credentials {
    pub(super) room: String,
    pub(super) token: Token,
    pub(super) query: Fields,
    name: Option<Name>,
}

impl Credentials {
    /// The hello of a request, without a cursor.
    pub(super) fn hello(&self) -> Hello {
        Hello { name: self.name.clone(), token: Some(self.token.clone()), ..Hello::default() }
    }
}

impl FromRequestParts<Arc<Site>> for Credentials {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let RoomPath(room) = RoomPath::from_request_parts(parts, site).await?;
        let query = Fields::parse(parts.uri.query().unwrap_or_default());
        // EventSource cannot set headers. A request that changes something can, and an address with a secret in it is too
        // easily copied.
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        let in_query = query.text("token").filter(|_| reads);
        let token = parts.headers.get(AUTHORIZATION).map(|value| bearer(value.to_str().unwrap_or_default()));
        let token = token.unwrap_or(in_query).ok_or_else(|| {
            unauthorized(&format!("Take a seat first, with POST /rooms/{room}/guests;"), reads)
        })?;
        let token = Token::parse(token).map_err(|_| {
            unauthorized(
                "A token has the 43 characters of an earlier answer; without one, take a new seat;",
                reads,
            )
        })?;
        let name = query.text("name").filter(|_| reads).map(Name::parse).transpose()?;
        Ok(Self { room, token, name, query })
    }
}

/// The credentials of RFC 6750, section 2.1.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn unauthorized(beginning: &str, reads: bool) -> Problem {
    let or = if reads { ", or as ?token=…" } else { "" };
    let sentence = format!("{beginning} send its \"token\" as \"Authorization: Bearer …\"{or}.");
    Problem::new(StatusCode::UNAUTHORIZED, sentence)
}
