//! Requests: a line of JSON, with `ask` for a question, `act` for an act, or `do` for a task.

use serde_json::{Map, Value};

use super::answer::Failed;
use super::rooms::RoomsRequest;
use super::task::Task;
use crate::protocol::{Act, HISTORY_MAX, NUMBER_LIMIT};

/// How many messages are listed where the question does not say it.
const MESSAGES_DEFAULT: usize = 20;

/// A request of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Something to be told.
    Ask(Question),
    /// Something to be done, by the room itself.
    Act(Act),
    /// Something to be done with the room as a whole.
    Do(Task),
    /// Either of them in another room than the main one, which has this name.
    In(String, Box<Request>),
    /// Something about the rooms of this address.
    Rooms(RoomsRequest),
}

/// What the host can ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// The room as it is.
    Status,
    /// Who is here.
    Guests,
    /// Who is a host or a moderator.
    Roles,
    /// Who is muted, banned or was put out.
    Bans,
    /// Which names are reserved.
    Names,
    /// What hosts and moderators have done.
    Log,
    /// What waits for a host or a moderator, and the words that are kept out.
    Held,
    /// Who waits to be let in.
    Waiting,
    /// Who is invited.
    Invitations,
    /// The newest messages before one.
    Messages {
        /// Those with lower numbers than this.
        before: u64,
        /// At most so many of the newest of them.
        limit: usize,
    },
}

impl Request {
    /// Decodes a line; white space around it does not count.
    ///
    /// # Errors
    /// With a code and a sentence that says what would be right.
    pub fn decode(line: &[u8]) -> Result<Self, Failed> {
        let value: Value = serde_json::from_slice(line)
            .map_err(|error| Failed::new("not_json", format!("A request is one line of JSON: {error}.")))?;
        let Value::Object(mut members) = value else {
            let sentence = "A request is a JSON object, such as {\"ask\":\"status\"}.";
            return Err(Failed::new("not_an_object", sentence));
        };
        if let Some(asked) = members.get("rooms") {
            return RoomsRequest::decode(asked, &members).map(Self::Rooms);
        }
        let room = members.remove("room");
        let request = Self::of_a_room(&mut members)?;
        match room {
            None => Ok(request),
            Some(_) if matches!(request, Self::Do(_)) => {
                let sentence = "This is done with all rooms at once; leave \"room\" out, and --room.";
                Err(Failed::new("wrong_kind", sentence))
            }
            Some(Value::String(name)) => Ok(Self::In(name, Box::new(request))),
            Some(_) => Err(Failed::new("wrong_kind", "The member \"room\" must be the name of a room.")),
        }
    }

    fn of_a_room(members: &mut Map<String, Value>) -> Result<Self, Failed> {
        match (members.get("ask"), members.get("act"), members.get("do")) {
            (Some(asked), None, None) => Question::decode(asked, members).map(Self::Ask),
            (None, Some(_), None) => Ok(Self::Act(Act::from_members(members)?)),
            (None, None, Some(_)) => Task::decode(members).map(Self::Do),
            (None, None, None) => Err(Failed::new(
                "missing_field",
                "A request has \"ask\", such as {\"ask\":\"status\"}, \"act\", such as {\"act\":\"unpin\"}, or \"do\".",
            )),
            _ => Err(Failed::new("wrong_kind", "A request has one of \"ask\", \"act\" and \"do\".")),
        }
    }
}

impl Question {
    fn decode(asked: &Value, members: &Map<String, Value>) -> Result<Self, Failed> {
        Ok(match asked.as_str() {
            Some("status") => Self::Status,
            Some("guests") => Self::Guests,
            Some("roles") => Self::Roles,
            Some("bans") => Self::Bans,
            Some("names") => Self::Names,
            Some("log") => Self::Log,
            Some("held") => Self::Held,
            Some("waiting") => Self::Waiting,
            Some("invitations") => Self::Invitations,
            Some("messages") => Self::Messages {
                before: number(members, "before", NUMBER_LIMIT - 1)?.unwrap_or(NUMBER_LIMIT - 1),
                limit: number(members, "limit", HISTORY_MAX)?
                    .map_or(MESSAGES_DEFAULT, |limit| limit as usize),
            },
            _ => {
                let sentence = "The member \"ask\" must be one of status, guests, roles, bans, names, log, held, waiting, invitations, messages.";
                return Err(Failed::new("wrong_kind", sentence));
            }
        })
    }
}

/// A member that may be there: a number from 1 to `most`.
fn number(members: &Map<String, Value>, name: &str, most: u64) -> Result<Option<u64>, Failed> {
    let Some(value) = members.get(name) else { return Ok(None) };
    match value.as_u64().filter(|number| (1..=most).contains(number)) {
        Some(number) => Ok(Some(number)),
        None => {
            Err(Failed::new("wrong_kind", format!("The member {name:?} must be a number from 1 to {most}.")))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_has_a_question_or_an_act() {
        let decode = |line: &str| Request::decode(line.as_bytes());
        assert_eq!(decode(" {\"ask\":\"status\"}\r"), Ok(Request::Ask(Question::Status)));
        assert_eq!(decode("{\"ask\":\"guests\",\"more\":[1]}"), Ok(Request::Ask(Question::Guests)));
        let messages = Question::Messages { before: 7, limit: 20 };
        assert_eq!(decode("{\"ask\":\"messages\",\"before\":7}"), Ok(Request::Ask(messages)));
        assert_eq!(decode("{\"act\":\"slow\",\"seconds\":5}"), Ok(Request::Act(Act::Slow { seconds: 5 })));
        let lock = Request::Act(Act::Lock { locked: true });
        assert_eq!(
            decode("{\"act\":\"lock\",\"locked\":true,\"room\":\"tea\"}"),
            Ok(Request::In("tea".into(), Box::new(lock)))
        );
        let deep = "[".repeat(100_000);
        for (line, code) in [
            ("", "not_json"),
            ("status", "not_json"),
            ("{\"ask\":\"status\"} {}", "not_json"),
            (&deep, "not_json"),
            ("[\"ask\"]", "not_an_object"),
            ("{}", "missing_field"),
            ("{\"act\":\"slow\"}", "missing_field"),
            ("{\"act\":\"nothing\"}", "wrong_kind"),
            ("{\"ask\":\"nothing\"}", "wrong_kind"),
            ("{\"ask\":7}", "wrong_kind"),
            ("{\"ask\":\"status\",\"room\":7}", "wrong_kind"),
            ("{\"rooms\":\"all\"}", "wrong_kind"),
            ("{\"ask\":\"messages\",\"limit\":0}", "wrong_kind"),
            ("{\"ask\":\"messages\",\"before\":-1}", "wrong_kind"),
            ("{\"ask\":\"status\",\"act\":\"unpin\"}", "wrong_kind"),
            ("{\"ask\":\"status\",\"do\":\"backup\"}", "wrong_kind"),
            ("{\"do\":\"confirm\",\"room\":\"tea\"}", "wrong_kind"),
            ("{\"do\":\"nothing\"}", "wrong_kind"),
            ("{\"do\":\"wipe\"}", "missing_field"),
            ("{\"do\":\"wipe\",\"confirm\":\"x\",\"address\":\"yes\"}", "wrong_kind"),
            ("{\"do\":\"backup\",\"path\":\"/x\"}", "missing_field"),
            ("{\"do\":\"backup\",\"path\":\"x\",\"passphrase\":\"five words\"}", "path_relative"),
            ("{\"do\":\"backup\",\"path\":\"/x\",\"passphrase\":7}", "wrong_kind"),
            ("{\"do\":\"backup\",\"path\":\"/x\",\"passphrase\":\"x\",\"progress\":1}", "wrong_kind"),
        ] {
            let failed = decode(line).unwrap_err();
            assert_eq!(failed.code, code, "{}", failed.message);
        }
    }

    #[test]
    fn a_passphrase_is_not_shown() {
        let line = b"{\"do\":\"backup\",\"path\":\"/x\",\"passphrase\":\"five words at random\"}";
        let request = Request::decode(line).unwrap();
        assert!(!format!("{request:?}").contains("five words"), "{request:?}");
    }

    proptest! {
        #[test]
        fn decoding_never_panics(line in any::<Vec<u8>>()) {
            let _ = Request::decode(&line);
        }
    }
}
