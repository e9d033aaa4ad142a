//! Problem responses: `application/problem+json` (RFC 9457).

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{self, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::language::Language;
use crate::protocol::secret::Secret;
use crate::protocol::{Code, Refusal};

/// `Retry-After` where a seat or the disk must become free first.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// A problem, with a sentence that says what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The protocol's code, where it has one for this.
    pub code: Option<Code>,
    /// What is wrong here and what to do.
    pub detail: String,
    /// How long to wait before the request would be accepted, where that is known.
    pub retry_after: Option<Duration>,
    /// The room's other doors, where it is full at this one.
    pub doors: Arc<[String]>,
    /// The token to ask again with, where the room has made one for the guest.
    pub token: Option<Secret>,
}

impl Problem {
    /// A problem with this status and this sentence.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER);
        Self { status, code: None, detail: detail.into(), retry_after, doors: Arc::default(), token: None }
    }

    /// The same problem, with its sentence in another language.
    pub fn translated(self, language: Language) -> Self {
        let detail = language.translated(&self.detail).into_owned();
        Self { detail, ..self }
    }

    /// Adds `Retry-After` (RFC 9110, section 10.2.3): whole seconds, rounded up.
    pub fn add_retry_after(&self, headers: &mut HeaderMap) {
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds as u64));
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.code {
            Code::UnknownRoom | Code::NotHere => StatusCode::NOT_FOUND,
            Code::NameTaken | Code::NameReserved | Code::TakenOver => StatusCode::CONFLICT,
            Code::RoomFull | Code::StorageUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Code::TooFast | Code::SlowMode => StatusCode::TOO_MANY_REQUESTS,
            Code::NotAllowed | Code::Banned | Code::Muted | Code::Locked | Code::NotHeld => {
                StatusCode::FORBIDDEN
            }
            Code::TextEmpty | Code::TextTooLong | Code::TextControl | Code::NotConfirmed => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Code::Waiting | Code::PasswordNeeded | Code::PasswordWrong | Code::InvitationNeeded => {
                StatusCode::FORBIDDEN
            }
            Code::IdentityWrong | Code::IdentityNeeded => StatusCode::FORBIDDEN,
            Code::BadPassphrase => StatusCode::UNPROCESSABLE_ENTITY,
            Code::NameEmpty | Code::NameTooLong | Code::NameForbidden => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::BAD_REQUEST,
        };
        let problem = Self::new(status, refusal.message);
        Self {
            code: Some(refusal.code),
            retry_after: refusal.retry_after.or(problem.retry_after),
            doors: refusal.doors,
            token: refusal.token,
            ..problem
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Problem");
        let mut problem = serde_json::json!({
            "type": "about:blank",
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(code) = self.code {
            problem["code"] = code.as_str().into();
        }
        if let Some(token) = &self.token {
            problem["token"] = token.text().into();
        }
        if !self.doors.is_empty() {
            problem["doors"] = self.doors[..].into();
        }
        let mut response = Response::new(Body::from(format!("{problem}\n")));
        // Where the guest's language is known, it is answered again in that.
        response.extensions_mut().insert(self.clone());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        self.add_retry_after(headers);
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 11.6.1, and RFC 6750, section 3
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
