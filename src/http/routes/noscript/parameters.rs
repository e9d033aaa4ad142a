//! The query of the messages.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::session::number;
use crate::http::fields::Fields;
use crate::language::Language;
use crate::transport::noscript::refresh::REFRESH_SECONDS;

/// The query of the messages. A malformed field counts as absent: a refusal would take the place of the chat.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// The number of the window, of letters and digits; empty if there is none.
    pub(super) window: String,
    /// The cursor to begin at.
    pub(super) after: Option<u64>,
    /// The language of the document; that of an address without one is English, whatever the browser prefers.
    pub(super) language: Language,
    /// After how many seconds the document loads again, where it is not streamed.
    pub(super) plain: Option<u32>,
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let fields = Fields::from_request_parts(parts, state).await?;
        let [shortest, usual, longest] = REFRESH_SECONDS;
        Ok(Self {
            window: number(fields.text("window")),
            language: fields.text("in").and_then(Language::from_code).unwrap_or_default(),
            after: fields.text("after").and_then(|after| after.parse().ok()),
            plain: fields.text("plain").map(|plain| plain.parse().unwrap_or(usual).clamp(shortest, longest)),
        })
    }
}
