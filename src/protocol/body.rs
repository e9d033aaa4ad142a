//! What a guest sends in the body of a request: the members of a frame, without its `type`.

use data_encoding::HEXLOWER;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::act::Act;
use super::entering;
use super::id::MessageId;
use super::identity::Identity;
use super::json;
use super::name::Name;
use super::private::Whisper;
use super::refusal::{Code, Refusal};
use super::request::{Hello, Say, cursor, invite, reply};
use super::text::check_text;
use super::token::Token;

/// How a sentence about a body begins.
const BODY: &str = "The body";

/// A request to join: `name`, `token`, or `identity` in place of both, the cursor, `password` and `invite`, all optional.
///
/// # Errors
/// What `docs/protocol.md` lists for `hello`.
pub fn hello(text: &str) -> Result<Hello, Refusal> {
    let members = json::object(BODY, text)?;
    Ok(Hello {
        name: json::optional_text(&members, "name")?.map(Name::parse).transpose()?,
        token: json::optional_text(&members, "token")?.map(Token::parse).transpose()?,
        cursor: cursor(&members)?,
        password: entering::of_hello(&members)?,
        invite: invite(&members)?,
        identity: Identity::from_members(&members)?,
        ..Hello::default()
    })
}

/// A message: `text`, `reply` if it answers one, and its id, which is the member `id` or `key`, the value of `Idempotency-Key`; if both are
/// there they are the same.
///
/// # Errors
/// What `docs/protocol.md` lists for `say`.
pub fn say(text: &str, key: Option<&str>, message_bytes: usize) -> Result<Say, Refusal> {
    let members = json::object(BODY, text)?;
    let id = id(&members, key, "A message")?;
    let text = json::text(&members, "text").and_then(|text| check_text(text, message_bytes));
    match text.and_then(|text| Ok((text, reply(&members)?))) {
        Ok((text, reply)) => Ok(Say { id, text: text.to_owned(), reply }),
        Err(refusal) => Err(refusal.about(Some(id))),
    }
}

/// A message for one other guest: `to`, `text` and its id, which is given as that of a message.
///
/// # Errors
/// What `docs/protocol.md` lists for `whisper`.
pub fn whisper(text: &str, key: Option<&str>, message_bytes: usize) -> Result<Whisper, Refusal> {
    let members = json::object(BODY, text)?;
    let id = id(&members, key, "A private message")?;
    Whisper::from_members(id.clone(), &members, message_bytes).map_err(|refusal| refusal.about(Some(id)))
}

/// An act and its id, which is given as that of a message.
///
/// # Errors
/// What `docs/protocol.md` lists for `act`.
pub fn act(text: &str, key: Option<&str>) -> Result<(MessageId, Act), Refusal> {
    let members = json::object(BODY, text)?;
    let id = id(&members, key, "An act")?;
    match Act::from_members(&members) {
        Ok(act) => Ok((id, act)),
        Err(refusal) => Err(refusal.about(Some(id))),
    }
}

/// The secret of a link that gives a role, `link`, and the id of its use, which may be given as that of a message. Otherwise it
/// follows from the link: a link is used once, so what is sent again is the same use.
///
/// # Errors
/// What `docs/protocol.md` lists for `claim`.
pub fn claim(text: &str, key: Option<&str>) -> Result<(MessageId, Token), Refusal> {
    let members = json::object(BODY, text)?;
    let given = match (members.get("id"), key) {
        (None | Some(Value::Null), None) => None,
        _ => Some(id(&members, key, "A claim")?),
    };
    match json::text(&members, "link").and_then(|link| Token::parse_as("link", link)) {
        Ok(link) => Ok((given.map_or_else(|| id_of_claim(&link), Ok)?, link)),
        Err(refusal) => Err(refusal.about(given)),
    }
}

/// The id of the use of a link. Guests are told of it with the act, so it gives away nothing of the link.
fn id_of_claim(link: &Token) -> Result<MessageId, Refusal> {
    let digest = Sha256::new().chain_update("onionroom claim 1\n").chain_update(link.encode()).finalize();
    Ok(MessageId::parse(&HEXLOWER.encode(&digest[..16]))?)
}

/// The member `text`, which is not blank.
///
/// # Errors
/// `wrong_kind`, `text_empty`.
pub fn text(text: &str) -> Result<String, Refusal> {
    let members = json::object(BODY, text)?;
    match json::text(&members, "text")? {
        text if text.trim().is_empty() => Err(Refusal::new(Code::TextEmpty, "The text is empty.")),
        text => Ok(text.to_owned()),
    }
}

fn id(members: &Map<String, Value>, key: Option<&str>, what: &str) -> Result<MessageId, Refusal> {
    let id = match (json::optional_text(members, "id")?, key.map(unquoted)) {
        (Some(id), Some(key)) if id != key => {
            return Err(Refusal::new(
                Code::BadId,
                "The member \"id\" and the header Idempotency-Key name the same thing; give one of them, or the \
                 same value in both.",
            ));
        }
        (Some(id), _) => id,
        (None, Some(key)) => key,
        (None, None) => {
            return Err(Refusal::new(
                Code::MissingField,
                format!(
                    "{what} needs an id of your choice, in the header Idempotency-Key or as the member \"id\": if the \
                     answer gets lost, send it again with the same id and it will not be done twice."
                ),
            ));
        }
    };
    Ok(MessageId::parse(id)?)
}

/// That the room be wiped: its title as `confirm`, and whether the `address` goes too.
///
/// # Errors
/// `missing_field` or `wrong_kind`.
pub fn wipe(text: &str) -> Result<(String, bool), Refusal> {
    let members = json::object(BODY, text)?;
    let address = match members.get("address") {
        None => false,
        Some(Value::Bool(address)) => *address,
        Some(_) => {
            return Err(Refusal::new(Code::WrongKind, "The member \"address\" must be true or false."));
        }
    };
    Ok((json::text(&members, "confirm")?.to_owned(), address))
}

/// Another name: `name`.
///
/// # Errors
/// What `docs/protocol.md` lists for `rename`.
pub fn rename(text: &str) -> Result<Name, Refusal> {
    Name::parse(json::text(&json::object(BODY, text)?, "name")?)
}

/// The header's draft makes it a quoted string (RFC 9651, section 3.3.3); most programs send it bare.
fn unquoted(key: &str) -> &str {
    key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_given_once_or_twice_the_same() {
        let said = |body, key| say(body, key, 100).map(|say| say.id.as_str().to_owned());
        let code = |body, key| said(body, key).unwrap_err().code;
        assert_eq!(said(r#"{"text":"x","id":"a"}"#, None).unwrap(), "a");
        assert_eq!(said(r#"{"text":"x"}"#, Some("a")).unwrap(), "a");
        assert_eq!(said(r#"{"text":"x"}"#, Some("\"a\"")).unwrap(), "a");
        assert_eq!(said(r#"{"text":"x","id":"a"}"#, Some("a")).unwrap(), "a");
        assert_eq!(code(r#"{"text":"x","id":"a"}"#, Some("b")), Code::BadId);
        assert_eq!(code(r#"{"text":"x"}"#, None), Code::MissingField);
        assert_eq!(code(r#"{"text":"x"}"#, Some("")), Code::BadId);
        assert_eq!(code(r#"{"id":"a"}"#, None), Code::MissingField);
    }

    #[test]
    fn a_claim_needs_no_id_and_is_the_same_again() {
        let body = |link: &str| format!("{{\"link\":\"{link}\"}}");
        let (one, two) = ("A".repeat(43), "B".repeat(42) + "A");
        let id = |link: &str, key| claim(&body(link), key).unwrap().0.as_str().to_owned();
        assert_eq!(id(&one, None), id(&one, None));
        assert_ne!(id(&one, None), id(&two, None));
        assert_eq!(id(&one, Some("\"mine\"")), "mine");
        assert_eq!(claim(&body(&one), Some("")).unwrap_err().code, Code::BadId);
        assert_eq!(claim("{\"id\":7,\"link\":\"x\"}", None).unwrap_err().code, Code::WrongKind);
        assert_eq!(claim("{}", None).unwrap_err().code, Code::MissingField);
    }

    #[test]
    fn the_rules_are_those_of_the_frames() {
        assert_eq!(hello("{}").unwrap(), Hello::default());
        assert_eq!(hello(r#"{"name":" Ann "}"#).unwrap().name.unwrap(), Name::parse("Ann").unwrap());
        assert_eq!(hello("[]").unwrap_err().code, Code::NotAnObject);
        assert!(hello("x").unwrap_err().message.starts_with("The body is JSON"));
        assert_eq!(rename("{}").unwrap_err().code, Code::MissingField);
        assert_eq!(wipe(r#"{"confirm":"Tea"}"#).unwrap(), ("Tea".to_owned(), false));
        assert_eq!(wipe(r#"{"confirm":"Tea","address":true}"#).unwrap(), ("Tea".to_owned(), true));
        assert_eq!(wipe(r#"{"address":true}"#).unwrap_err().code, Code::MissingField);
        assert_eq!(wipe(r#"{"confirm":"Tea","address":1}"#).unwrap_err().code, Code::WrongKind);
        assert_eq!(say(r#"{"text":"  ","id":"a"}"#, None, 9).unwrap_err().code, Code::TextEmpty);
    }
}
