//! The frames of guests: a first byte that chooses the limit on texts, then the frame.

use onionroom::protocol::text::check_text;
use onionroom::protocol::{
    Act, HISTORY_MAX, HistoryRequest, MessageId, NUMBER_LIMIT, Place, Refusal, Request, SEARCH_MAX, Whisper,
};
use serde_json::{Value, json};

/// Limits on texts, in bytes.
const LIMITS: [usize; 4] = [4096, 1, 32_000, 10];

/// Decoding never panics; what was decoded decodes from its own encoding, too; a refusal's id is one.
pub fn run(data: &[u8]) {
    let Some((first, frame)) = data.split_first() else { return };
    let Ok(frame) = std::str::from_utf8(frame) else { return };
    let limit = LIMITS[usize::from(*first) % LIMITS.len()];
    match Request::decode(frame, limit) {
        Ok(request) if has_secrets(&request) => {}
        Ok(Request::Search(search)) => {
            assert!((1..=SEARCH_MAX).contains(&(search.limit as u64)));
            assert!(search.before.is_none_or(|before| (1..NUMBER_LIMIT).contains(&before)));
        }
        Ok(request) => {
            if let Request::Say(say) = &request {
                assert!(check_text(&say.text, limit).is_ok());
            }
            let again = Request::decode(&encode(&request).to_string(), limit);
            assert_eq!(again.as_ref(), Ok(&request), "encoded, it is another request");
        }
        Err(refusal) => check_refusal(&refusal),
    }
}

/// A refusal has a sentence of bounded length, and an id that is one or none.
pub(crate) fn check_refusal(refusal: &Refusal) {
    assert!((1..1000).contains(&refusal.message.len()), "{}", refusal.message);
    if let Some(id) = &refusal.id {
        assert!(MessageId::parse(id.as_str()).is_ok());
    }
}

/// Whether a request has what is not kept as it came: a password, or the secret of an invitation.
fn has_secrets(request: &Request) -> bool {
    match request {
        Request::Hello(hello) => hello.password.is_some() || hello.invite.is_some(),
        Request::Act(_, act) => matches!(act, Act::Password { .. }),
        _ => false,
    }
}

fn encode(request: &Request) -> Value {
    match request {
        Request::Hello(hello) => {
            let cursor = hello.cursor.as_ref();
            assert!(cursor.is_none_or(|cursor| cursor.after < NUMBER_LIMIT));
            json!({
                "type": "hello",
                "name": hello.name.as_ref().map(|name| name.as_str()),
                "room": hello.room,
                "token": hello.token.as_ref().map(|token| token.encode()),
                "after": cursor.map(|cursor| cursor.after),
                "epoch": cursor.and_then(|cursor| cursor.epoch.as_deref()),
                "newest": hello.newest,
                "private": hello.private,
            })
        }
        Request::History(HistoryRequest { place, limit }) => {
            let (name, seq) = match place {
                Place::Before(before) => ("before", before),
                Place::After(after) => ("after", after),
                Place::Around(seq) => ("around", seq),
            };
            assert!(*seq < NUMBER_LIMIT && *limit as u64 <= HISTORY_MAX);
            json!({ "type": "history", name: seq, "limit": limit })
        }
        Request::Search(_) => unreachable!("what is searched for is not kept as it came"),
        Request::Say(say) => {
            let mut members = json!({ "type": "say", "id": say.id.as_str(), "text": say.text });
            if let Some(reply) = say.reply {
                members["reply"] = reply.into();
            }
            members
        }
        Request::Act(id, act) => {
            // An act is stored in the form in which it is asked for.
            let mut members: Value = serde_json::from_slice(&act.encode()).expect("an act is JSON");
            assert_eq!(Act::decode(&act.encode()).as_ref(), Some(act));
            (members["type"], members["id"]) = ("act".into(), id.as_str().into());
            members
        }
        Request::Claim(id, link) => json!({ "type": "claim", "id": id.as_str(), "link": link.encode() }),
        Request::Whisper(Whisper { id, to, text }) => {
            json!({ "type": "whisper", "id": id.as_str(), "to": to.0, "text": text.text() })
        }
        Request::Typing => json!({ "type": "typing" }),
        Request::Rename(name) => json!({ "type": "rename", "name": name.as_str() }),
        Request::Held => json!({ "type": "held" }),
        Request::Waiting => json!({ "type": "waiting" }),
        Request::Ping => json!({ "type": "ping" }),
        Request::Leave => json!({ "type": "leave" }),
    }
}
