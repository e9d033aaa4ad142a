//! What a guest sends, decoded and checked.

use serde_json::{Map, Value};

use super::act::{Act, LinkHash};
use super::entering;
use super::id::MessageId;
use super::identity::Identity;
use super::json::{self, missing, optional_number_within as within};
use super::name::Name;
use super::passphrase::Passphrase;
use super::private::Whisper;
use super::refusal::{Code, Refusal};
use super::search::SearchRequest;
use super::text::check_text;
use super::token::Token;
use super::{HISTORY_DEFAULT, HISTORY_MAX, NUMBER_LIMIT};
use crate::language::Language;

/// One frame from a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The first frame: joins the room.
    Hello(Hello),
    /// A message for the room.
    Say(Say),
    /// A message for one other guest.
    Whisper(Whisper),
    /// The guest is writing something.
    Typing,
    /// What a host or a moderator does.
    Act(MessageId, Act),
    /// The secret of a link that gives a role.
    Claim(MessageId, Token),
    /// Who waits to be let in.
    Waiting,
    /// A change of name.
    Rename(Name),
    /// Other messages than those that follow, answered with a page of the history.
    History(HistoryRequest),
    /// The messages that have something, answered with the newest of them.
    Search(SearchRequest),
    /// The messages that wait for a host or a moderator, answered with a list of them.
    Held,
    /// Answered with a pong.
    Ping,
    /// The guest gives up the seat.
    Leave,
}

/// The first frame of a guest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hello {
    /// The wanted name; the room suggests one if there is none.
    pub name: Option<Name>,
    /// The wanted room.
    pub room: Option<String>,
    /// The token of an earlier welcome.
    pub token: Option<Token>,
    /// The newest message the guest has.
    pub cursor: Option<Cursor>,
    /// The newest private message the guest has, or 0 for none; without it they are sent none.
    pub private: Option<u64>,
    /// Of the messages after the cursor only so many of the newest, at most [`HISTORY_MAX`].
    pub newest: Option<usize>,
    /// The room's password.
    pub password: Option<Passphrase>,
    /// The secret of an invitation or of a link that gives a role, as its hash.
    pub invite: Option<LinkHash>,
    /// The identity that the guest comes in with, in place of a token and a name.
    pub identity: Option<Identity>,
    /// Whether name and token are those of an identity: then the name is reserved for it.
    pub keeps: bool,
    /// The language of a name that the room suggests. No frame has it; it is that of the request, and forgotten with it.
    pub language: Language,
}

/// A request for messages beside one that the guest has, or knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRequest {
    /// Which messages.
    pub place: Place,
    /// At most so many of them, from 1 to [`HISTORY_MAX`].
    pub limit: usize,
}

/// Where the messages of a page are, by sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The newest with lower ones.
    Before(u64),
    /// The oldest with higher ones.
    After(u64),
    /// The nearest to this one, and the one that has it.
    Around(u64),
}

impl HistoryRequest {
    /// The newest messages before one.
    pub fn before(before: u64, limit: usize) -> Self {
        Self { place: Place::Before(before), limit }
    }

    fn from_members(members: &Map<String, Value>) -> Result<Self, Refusal> {
        let before = within(members, "before", 1..=NUMBER_LIMIT - 1)?.map(Place::Before);
        let after = within(members, "after", 0..=NUMBER_LIMIT - 1)?.map(Place::After);
        let around = within(members, "around", 1..=NUMBER_LIMIT - 1)?.map(Place::Around);
        let mut places = before.into_iter().chain(after).chain(around);
        let place = places.next().ok_or_else(|| missing("before"))?;
        if places.next().is_some() {
            let sentence =
                "One of \"before\", \"after\" and \"around\" says which messages; leave out the others.";
            return Err(Refusal::new(Code::WrongKind, sentence));
        }
        let limit = within(members, "limit", 1..=HISTORY_MAX)?.unwrap_or(HISTORY_DEFAULT) as usize;
        Ok(Self { place, limit })
    }
}

/// A position in the room's messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The newest sequence number the guest has.
    pub after: u64,
    /// The epoch of the welcome that `after` comes from.
    pub epoch: Option<String>,
}

/// A message for the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    /// Chosen by the guest's program, new for each message.
    pub id: MessageId,
    /// The text.
    pub text: String,
    /// The message that it answers, by its sequence number.
    pub reply: Option<u64>,
}

impl Request {
    /// Decodes one text frame; a text may have at most `message_bytes` bytes.
    ///
    /// # Errors
    /// What `docs/protocol.md` lists, with the frame's id if it has a usable one. Never panics.
    pub fn decode(frame: &str, message_bytes: usize) -> Result<Self, Refusal> {
        let members = json::object("A frame", frame)?;
        let id = members.get("id").and_then(Value::as_str).and_then(|id| MessageId::parse(id).ok());
        Self::from_members(&members, message_bytes).map_err(|refusal| refusal.about(id))
    }

    fn from_members(members: &Map<String, Value>, message_bytes: usize) -> Result<Self, Refusal> {
        match json::text(members, "type")? {
            "hello" => Ok(Request::Hello(Hello {
                name: json::optional_text(members, "name")?.map(Name::parse).transpose()?,
                room: json::optional_text(members, "room")?.map(str::to_owned),
                token: json::optional_text(members, "token")?.map(Token::parse).transpose()?,
                cursor: cursor(members)?,
                private: json::optional_number(members, "private")?,
                newest: within(members, "newest", 0..=HISTORY_MAX)?.map(|newest| newest as usize),
                password: entering::of_hello(members)?,
                invite: invite(members)?,
                identity: Identity::from_members(members)?,
                keeps: false,
                language: Language::English,
            })),
            "say" => Ok(Request::Say(Say {
                id: MessageId::parse(json::text(members, "id")?)?,
                text: check_text(json::text(members, "text")?, message_bytes)?.to_owned(),
                reply: reply(members)?,
            })),
            "whisper" => {
                let id = MessageId::parse(json::text(members, "id")?)?;
                Ok(Request::Whisper(Whisper::from_members(id, members, message_bytes)?))
            }
            "typing" => Ok(Request::Typing),
            "act" => {
                Ok(Request::Act(MessageId::parse(json::text(members, "id")?)?, Act::from_members(members)?))
            }
            "claim" => {
                let link = Token::parse_as("link", json::text(members, "link")?)?;
                Ok(Request::Claim(MessageId::parse(json::text(members, "id")?)?, link))
            }
            "waiting" => Ok(Request::Waiting),
            "rename" => Ok(Request::Rename(Name::parse(json::text(members, "name")?)?)),
            "history" => HistoryRequest::from_members(members).map(Request::History),
            "search" => SearchRequest::from_members(members).map(Request::Search),
            "held" => Ok(Request::Held),
            "ping" => Ok(Request::Ping),
            "leave" => Ok(Request::Leave),
            _ => Err(Refusal::new(
                Code::UnknownType,
                "The member \"type\" must be one of hello, say, whisper, typing, act, claim, waiting, held, rename, history, search, ping, leave.",
            )),
        }
    }
}

/// The member `reply`: the number of an earlier message.
pub(super) fn reply(members: &Map<String, Value>) -> Result<Option<u64>, Refusal> {
    within(members, "reply", 1..=NUMBER_LIMIT - 1)
}

pub(super) fn cursor(members: &Map<String, Value>) -> Result<Option<Cursor>, Refusal> {
    let epoch = json::optional_text(members, "epoch")?.map(str::to_owned);
    Ok(json::optional_number(members, "after")?.map(|after| Cursor { after, epoch }))
}

/// The hash of the secret in the member `invite`.
pub(super) fn invite(members: &Map<String, Value>) -> Result<Option<LinkHash>, Refusal> {
    let secret = json::optional_text(members, "invite")?;
    secret.map(|secret| Token::parse_as("invite", secret).map(|secret| LinkHash::of(&secret))).transpose()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(frame: &str) -> Refusal {
        Request::decode(frame, 10).unwrap_err()
    }

    #[test]
    fn every_kind_of_frame() {
        let decode = |frame| Request::decode(frame, 4096).unwrap();
        assert_eq!(decode(r#"{"type":"ping"}"#), Request::Ping);
        assert_eq!(decode(r#"{"type":"leave","later":"additions"}"#), Request::Leave);
        assert_eq!(
            decode(r#"{"type":"rename","name":" Ann "}"#),
            Request::Rename(Name::parse("Ann").unwrap())
        );
        assert_eq!(decode(r#"{"type":"hello"}"#), Request::Hello(Hello::default()));
        assert_eq!(
            decode(r#"{"type":"hello","name":null,"room":"main","after":41,"epoch":"e"}"#),
            Request::Hello(Hello {
                room: Some("main".into()),
                cursor: Some(Cursor { after: 41, epoch: Some("e".into()) }),
                ..Hello::default()
            })
        );
        assert_eq!(
            decode(r#"{"type":"hello","newest":100}"#),
            Request::Hello(Hello { newest: Some(100), ..Hello::default() })
        );
        for (frame, before, limit) in [
            (r#"{"type":"history","before":7}"#, 7, 200),
            (r#"{"type":"history","before":9007199254740991,"limit":1000}"#, NUMBER_LIMIT - 1, 1000),
        ] {
            assert_eq!(decode(frame), Request::History(HistoryRequest::before(before, limit)));
        }
        for (frame, place) in [
            (r#"{"type":"history","after":0,"limit":9}"#, Place::After(0)),
            (r#"{"type":"history","around":7,"limit":9}"#, Place::Around(7)),
        ] {
            assert_eq!(decode(frame), Request::History(HistoryRequest { place, limit: 9 }));
        }
        assert_eq!(
            decode(r#"{"type":"say","id":"a-1","text":"one\ntwo\t✓"}"#),
            Request::Say(Say {
                id: MessageId::parse("a-1").unwrap(),
                text: "one\ntwo\t✓".into(),
                reply: None
            })
        );
        assert_eq!(
            decode(r#"{"type":"say","id":"a","text":"yes","reply":41}"#),
            Request::Say(Say { id: MessageId::parse("a").unwrap(), text: "yes".into(), reply: Some(41) })
        );
    }

    #[test]
    fn every_kind_of_bad_input_has_its_code() {
        for (frame, code) in [
            ("", Code::NotJson),
            ("hello", Code::NotJson),
            (r#"{"type":"ping"} {}"#, Code::NotJson),
            (r#"{"type":"ping","x":1e999} {}"#, Code::NotJson),
            (r#"{"type":"say","id":"a","text":"\ud800","x":1.}"#, Code::NotJson),
            // JSON by its grammar, but no value.
            (r#"{"type":"ping","x":1e999}"#, Code::WrongKind),
            (r#"{"type":"ping","x":-1E400}"#, Code::WrongKind),
            (r#"{"type":"say","id":"a","text":"\ud800"}"#, Code::WrongKind),
            (r#"{"type":"say","id":"a","text":"\udc00\ud800"}"#, Code::WrongKind),
            (r#"{"type":"ping","\udfff":1}"#, Code::WrongKind),
            ("[]", Code::NotAnObject),
            ("null", Code::NotAnObject),
            ("5", Code::NotAnObject),
            (r#"{"a":[[[[[[[[1]]]]]]]]}"#, Code::TooDeep),
            ("{}", Code::MissingField),
            (r#"{"type":5}"#, Code::WrongKind),
            (r#"{"type":"shout"}"#, Code::UnknownType),
            (r#"{"type":"say","text":"x"}"#, Code::MissingField),
            (r#"{"type":"say","id":"a"}"#, Code::MissingField),
            (r#"{"type":"say","id":7,"text":"x"}"#, Code::WrongKind),
            (r#"{"type":"say","id":"","text":"x"}"#, Code::BadId),
            (r#"{"type":"say","id":"a b","text":"x"}"#, Code::BadId),
            (r#"{"type":"say","id":"a","text":{}}"#, Code::WrongKind),
            (r#"{"type":"say","id":"a","text":""}"#, Code::TextEmpty),
            (r#"{"type":"say","id":"a","text":" \n\t "}"#, Code::TextEmpty),
            (r#"{"type":"say","id":"a","text":"12345678901"}"#, Code::TextTooLong),
            (r#"{"type":"say","id":"a","text":"a\u0000"}"#, Code::TextControl),
            (r#"{"type":"say","id":"a","text":"a\u0085"}"#, Code::TextControl),
            (r#"{"type":"say","id":"a","text":"\u001b[2J"}"#, Code::TextControl),
            (r#"{"type":"say","id":"a","text":"x","reply":0}"#, Code::WrongKind),
            (r#"{"type":"say","id":"a","text":"x","reply":"1"}"#, Code::WrongKind),
            (r#"{"type":"act","id":"a","act":"edit","text":"x"}"#, Code::MissingField),
            (r#"{"type":"act","id":"a","act":"edit","message":1,"text":" "}"#, Code::TextEmpty),
            (r#"{"type":"act","id":"a","act":"react","message":1}"#, Code::MissingField),
            (r#"{"type":"act","id":"a","act":"react","message":1,"emoji":"👎"}"#, Code::WrongKind),
            (r#"{"type":"hello","after":-1}"#, Code::WrongKind),
            (r#"{"type":"hello","after":1.5}"#, Code::WrongKind),
            (r#"{"type":"hello","after":9007199254740992}"#, Code::WrongKind),
            (r#"{"type":"hello","newest":1001}"#, Code::WrongKind),
            (r#"{"type":"hello","token":"short"}"#, Code::WrongKind),
            (r#"{"type":"history"}"#, Code::MissingField),
            (r#"{"type":"history","before":0}"#, Code::WrongKind),
            (r#"{"type":"history","before":5,"limit":0}"#, Code::WrongKind),
            (r#"{"type":"history","before":5,"after":4}"#, Code::WrongKind),
            (r#"{"type":"history","around":0}"#, Code::WrongKind),
            (r#"{"type":"history","before":5,"limit":1001}"#, Code::WrongKind),
            (r#"{"type":"rename","name":" "}"#, Code::NameEmpty),
        ] {
            assert_eq!(refusal(frame).code, code, "{frame}");
        }
        assert_eq!(
            refusal(&format!(r#"{{"type":"say","id":"{}","text":"x"}}"#, "a".repeat(65))).code,
            Code::BadId
        );
    }

    #[test]
    fn a_refusal_carries_the_id_of_the_frame() {
        assert_eq!(refusal(r#"{"type":"say","id":"a1","text":""}"#).id.unwrap().as_str(), "a1");
        assert_eq!(refusal(r#"{"type":"say","id":"a 1","text":""}"#).id, None);
    }

    proptest! {
        #[test]
        fn decoding_never_panics(frame in ".*") {
            let _ = Request::decode(&frame, 100);
        }

        #[test]
        fn decoding_json_never_panics(
            kind in "hello|say|rename|history|search|held|ping|leave|other",
            text in any::<String>(), name in any::<String>(), id in any::<String>(), after in any::<i64>(),
        ) {
            let frame = serde_json::json!({
                "type": kind, "text": text, "name": name, "id": id, "after": after, "before": after, "newest": after,
            });
            let _ = Request::decode(&frame.to_string(), 100);
        }

        #[test]
        fn what_may_be_said_arrives_as_it_was_said(text in "[^\\p{Cc}]{1,80}", id in "[A-Za-z0-9_-]{1,64}") {
            prop_assume!(!text.chars().all(char::is_whitespace));
            let frame = serde_json::json!({ "type": "say", "id": id, "text": text }).to_string();
            let expected = Request::Say(Say { id: MessageId::parse(&id).unwrap(), text, reply: None });
            prop_assert_eq!(Request::decode(&frame, 4096).unwrap(), expected);
        }
    }
}
