//! Who asks, and for what: the room in the path, the token, the query.

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderName, Method, StatusCode, Uri};

use crate::http::error::Problem;
use crate::http::routes::Site;
use crate::protocol::request::Cursor;
use crate::protocol::{Code, Hello, NUMBER_LIMIT, Name, Refusal, Token};

/// What a browser's `EventSource` sends when it connects again.
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The room in the path, which exists.
pub(super) struct InRoom(pub(super) String);

impl FromRequestParts<Arc<Site>> for InRoom {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        // A name that is not even UTF-8 is no room's either.
        let room = Path::<String>::from_request_parts(parts, site).await.map_or(String::new(), |path| path.0);
        site.room.check_name(&room)?;
        Ok(Self(room))
    }
}

/// Somebody with a token, and what stands in their query.
pub(super) struct Caller {
    pub(super) room: String,
    pub(super) token: Token,
    pub(super) query: Query,
    name: Option<Name>,
}

impl Caller {
    /// As a hello without a cursor.
    pub(super) fn hello(&self) -> Hello {
        Hello { name: self.name.clone(), token: Some(self.token.clone()), ..Hello::default() }
    }
}

impl FromRequestParts<Arc<Site>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let InRoom(room) = InRoom::from_request_parts(parts, site).await?;
        let query = Query::of(&parts.uri);
        // EventSource cannot set headers. A request that changes something can, and an address with a secret in
        // it is too easily copied.
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

/// The query, decoded (URL standard, section 5.1); of a name that is there twice the first counts.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    fn of(uri: &Uri) -> Self {
        Self(form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// A whole number within `range`, if it is there.
    pub(super) fn number(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse().ok().filter(|number| digits && range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(Refusal::new(
                Code::WrongKind,
                format!("\"{name}\" must be a whole number from {} to {}.", range.start(), range.end()),
            )),
        }
    }

    /// `after`, with the `epoch` it is of.
    pub(super) fn cursor(&self) -> Result<Option<Cursor>, Refusal> {
        let epoch = self.text("epoch").map(str::to_owned);
        Ok(self.number("after", 0..=NUMBER_LIMIT - 1)?.map(|after| Cursor { after, epoch }))
    }
}
