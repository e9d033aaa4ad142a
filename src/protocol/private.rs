//! Private messages: what a guest asks for, and what both guests are sent.
//!
//! They are in no log and in no ring, so they are no [`Event`](super::Event): nothing that all guests are sent can be one.

use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::id::{GuestId, MessageId};
use super::json::{self, missing};
use super::name::Name;
use super::refusal::Refusal;
use super::secret::Secret;
use super::text::check_text;

/// A message for one other guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whisper {
    /// Chosen by the guest's program, new for each message.
    pub id: MessageId,
    /// The guest whom it is for.
    pub to: GuestId,
    /// The text.
    pub text: Secret,
}

impl Whisper {
    /// Reads the members of a request, except for its id; a text may have at most `message_bytes` bytes.
    ///
    /// # Errors
    /// `missing_field`, `wrong_kind`, and those of [`check_text`].
    pub fn from_members(
        id: MessageId,
        members: &Map<String, Value>,
        message_bytes: usize,
    ) -> Result<Self, Refusal> {
        let to = json::optional_number(members, "to")?.ok_or_else(|| missing("to"))?;
        let text = check_text(json::text(members, "text")?, message_bytes)?;
        Ok(Self { id, to: GuestId(to), text: Secret::new(text.to_owned()) })
    }
}

/// What a guest is sent of their private messages.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs, reason = "docs/protocol.md describes each member")]
pub enum PrivateEvent<'a> {
    /// A message from or to this guest.
    Private {
        number: u64,
        at: u64,
        guest: GuestId,
        name: &'a Name,
        to: GuestId,
        to_name: &'a Name,
        id: &'a str,
        text: &'a str,
    },
    /// What was between these numbers is not kept any more.
    PrivateGap { after: u64, before: u64 },
    /// The room has forgotten all that was exchanged with this guest, or with all.
    PrivateEnd {
        number: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        guest: Option<GuestId>,
    },
    /// The room has the message, under this number.
    Acknowledged { id: &'a str, number: u64 },
}

/// An event for one guest, encoded.
#[derive(Debug)]
pub struct EncodedPrivate {
    /// The type, the member `type` of the JSON.
    pub kind: &'static str,
    /// The guest's cursor after it.
    pub cursor: u64,
    /// The JSON, without a line break. Its memory is cleared.
    pub json: Zeroizing<String>,
}

impl PrivateEvent<'_> {
    /// The member `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Private { .. } => "private",
            Self::PrivateGap { .. } => "private_gap",
            Self::PrivateEnd { .. } => "private_end",
            Self::Acknowledged { .. } => "acknowledged",
        }
    }

    /// The event as one line of JSON, in memory that is cleared.
    pub fn encode(&self) -> Zeroizing<String> {
        let text = if let Self::Private { text, .. } = self { text.len() } else { 0 };
        // With space for what is escaped: memory that grows leaves what it had.
        let mut json = Vec::with_capacity(2 * text + 512);
        // Texts and numbers, which serde_json cannot fail to write to memory.
        let _ = serde_json::to_writer(&mut json, self);
        Zeroizing::new(String::from_utf8(json).unwrap_or_default())
    }

    /// The cursor of a guest who has read it.
    pub fn cursor(&self) -> u64 {
        match self {
            Self::Private { number, .. }
            | Self::PrivateEnd { number, .. }
            | Self::Acknowledged { number, .. } => *number,
            Self::PrivateGap { before, .. } => before - 1,
        }
    }

    /// The event, encoded for its guest.
    pub fn encoded(&self) -> EncodedPrivate {
        EncodedPrivate { kind: self.kind(), cursor: self.cursor(), json: self.encode() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Code, Request};

    #[test]
    fn a_request_has_its_own_type_and_says_for_whom_it_is() {
        let frame = r#"{"type":"whisper","id":"a","to":34,"text":"psst"}"#;
        let whisper =
            Whisper { id: MessageId::parse("a").unwrap(), to: GuestId(34), text: Secret::new("psst".into()) };
        assert_eq!(Request::decode(frame, 100).unwrap(), Request::Whisper(whisper));
        for (frame, code) in [
            (r#"{"type":"whisper","id":"a","text":"psst"}"#, Code::MissingField),
            (r#"{"type":"whisper","id":"a","to":"Bob","text":"psst"}"#, Code::WrongKind),
            (r#"{"type":"whisper","id":"a","to":34,"text":" "}"#, Code::TextEmpty),
            (r#"{"type":"whisper","to":34,"text":"psst"}"#, Code::MissingField),
        ] {
            let refusal = Request::decode(frame, 100).unwrap_err();
            assert_eq!(refusal.code, code, "{frame}");
        }
    }

    #[test]
    fn no_output_for_programmers_has_the_text() {
        let frame = r#"{"type":"whisper","id":"a","to":34,"text":"psst"}"#;
        assert!(!format!("{:?}", Request::decode(frame, 100)).contains("psst"));
    }

    #[test]
    fn events_are_told_apart_by_their_type_and_have_the_cursor() {
        let (name, to_name) = (Name::parse("Ann").unwrap(), Name::parse("Bob").unwrap());
        let event = PrivateEvent::Private {
            number: 7,
            at: 3,
            guest: GuestId(1),
            name: &name,
            to: GuestId(2),
            to_name: &to_name,
            id: "a",
            text: "\"psst\"",
        };
        let json = r#"{"type":"private","number":7,"at":3,"guest":1,"name":"Ann","to":2,"to_name":"Bob","id":"a","text":"\"psst\""}"#;
        assert_eq!((&**event.encode(), event.cursor()), (json, 7));
        let gap = PrivateEvent::PrivateGap { after: 7, before: 10 }.encoded();
        assert_eq!((&**gap.json, gap.cursor), (r#"{"type":"private_gap","after":7,"before":10}"#, 9));
        let end = PrivateEvent::PrivateEnd { number: 11, guest: Some(GuestId(2)) }.encoded();
        assert_eq!(
            (&**end.json, end.kind),
            (r#"{"type":"private_end","number":11,"guest":2}"#, "private_end")
        );
    }
}
