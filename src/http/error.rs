//! Answers for what cannot be had: `application/problem+json` (RFC 9457).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use crate::protocol::{Code, Refusal};

/// After how many seconds it is worth asking again, where it is.
const RETRY_AFTER_SECONDS: &str = "10";

/// A problem, with a sentence that says what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The protocol's code, where it has one for this.
    pub code: Option<Code>,
    /// What is wrong here and what to do.
    pub detail: String,
}

impl Problem {
    /// A problem with this status and this sentence.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, code: None, detail: detail.into() }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.code {
            Code::UnknownRoom => StatusCode::NOT_FOUND,
            Code::NameTaken | Code::TakenOver => StatusCode::CONFLICT,
            Code::RoomFull | Code::NotKept => StatusCode::SERVICE_UNAVAILABLE,
            Code::TextEmpty | Code::TextTooLong | Code::TextControl => StatusCode::UNPROCESSABLE_ENTITY,
            Code::NameEmpty | Code::NameTooLong | Code::NameForbidden => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, code: Some(refusal.code), detail: refusal.message }
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
        let mut response = Response::new(Body::from(format!("{problem}\n")));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.status {
            // RFC 9110, section 11.6.1, and RFC 6750, section 3
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
            }
            _ => {}
        }
        response
    }
}
