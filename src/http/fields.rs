//! The fields of a query or of a form: `application/x-www-form-urlencoded` (URL standard, section 5.1).
//!
//! axum's `Query` and `Form` reject a repeated field, and answer a malformed one with a text of their own. Here the
//! first of a repeated field counts, and a refusal is a sentence that names the field and its range.

use std::convert::Infallible;
use std::ops::RangeInclusive;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::protocol::request::Cursor;
use crate::protocol::{Code, HISTORY_MAX, NUMBER_LIMIT, Place, Refusal};

/// Decoded fields, in their order.
#[derive(Debug)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Decodes a query without its "?", or the body of a form. Never fails: what is not UTF-8 is replaced.
    pub fn parse(encoded: &str) -> Self {
        Self(form_urlencoded::parse(encoded.as_bytes()).into_owned().collect())
    }

    /// The value of the first field with this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// A whole number within `range`, if the field is there.
    ///
    /// # Errors
    /// `wrong_kind`, with the name and the range.
    pub fn number(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Refusal> {
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

    /// The cursor: `after`, with the `epoch` it belongs to.
    ///
    /// # Errors
    /// As [`Fields::number`].
    pub fn cursor(&self) -> Result<Option<Cursor>, Refusal> {
        let after = self.number("after", 0..=NUMBER_LIMIT - 1)?;
        Ok(after.map(|after| Cursor { after, epoch: self.epoch() }))
    }

    /// Which messages are wanted that are not the new ones, with the `epoch` of the number: those `before` one, or `around` one.
    ///
    /// # Errors
    /// As [`Fields::number`], or `wrong_kind` for both.
    pub fn place(&self) -> Result<Option<(Place, Option<String>)>, Refusal> {
        let before = self.number("before", 1..=NUMBER_LIMIT - 1)?;
        let around = self.number("around", 1..=NUMBER_LIMIT - 1)?;
        let place = match (before, around) {
            (Some(_), Some(_)) => {
                let sentence = "One of \"before\" and \"around\" says which messages; leave out the other.";
                return Err(Refusal::new(Code::WrongKind, sentence));
            }
            (before, around) => before.map(Place::Before).or(around.map(Place::Around)),
        };
        Ok(place.map(|place| (place, self.epoch())))
    }

    fn epoch(&self) -> Option<String> {
        self.text("epoch").map(str::to_owned)
    }

    /// The newest private message that was read: `private`.
    ///
    /// # Errors
    /// As [`Fields::number`].
    pub fn private(&self) -> Result<Option<u64>, Refusal> {
        self.number("private", 0..=NUMBER_LIMIT - 1)
    }

    /// How many of the newest messages are wanted: `newest`.
    ///
    /// # Errors
    /// As [`Fields::number`].
    pub fn newest(&self) -> Result<Option<usize>, Refusal> {
        Ok(self.number("newest", 0..=HISTORY_MAX)?.map(|newest| newest as usize))
    }
}

/// The fields of the request's query.
impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_repeated_field_counts() {
        let fields = Fields::parse("name=Ann+Lee&name=Bob&text=%C3%BC%26&empty=");
        assert_eq!(fields.text("name"), Some("Ann Lee"));
        assert_eq!(
            (fields.text("text"), fields.text("empty"), fields.text("none")),
            (Some("ü&"), Some(""), None)
        );
    }

    #[test]
    fn numbers_are_whole_and_within_their_range() {
        let fields = Fields::parse("one=1&big=101&signed=%2B5&word=x&none=");
        assert_eq!(fields.number("one", 1..=100), Ok(Some(1)));
        assert_eq!(fields.number("absent", 1..=100), Ok(None));
        for name in ["big", "signed", "word", "none"] {
            let refusal = fields.number(name, 1..=100).unwrap_err();
            assert_eq!(refusal.message, format!("\"{name}\" must be a whole number from 1 to 100."));
        }
    }
}
