//! Acts as requests have them: read from the members of a JSON object, and checked.

use serde_json::{Map, Value};

use super::act::{Act, Role, Target};
use super::entering;
use super::id::GuestId;
use super::json;
use super::name::WordReader;
use super::passphrase::Passphrase;
use super::reaction::Emoji;
use super::refusal::{Code, Refusal};
use super::text::check_text;
use super::visible::is_blank;
use super::words::can_match;

/// The most messages that are deleted with one act.
pub const DELETE_MAX: usize = 100;

/// The most words that are kept out.
pub const WORDS_MAX: usize = 200;

/// The longest of them in characters; it may be several words.
pub const WORD_CHARACTERS_MAX: usize = 64;

/// The longest time in seconds that a mute, a ban or the pause of slow mode may be given: ten years.
const SECONDS_MAX: u64 = 10 * 366 * 86_400;

/// The longest pause of slow mode in seconds: a day.
const SLOW_MAX: u64 = 86_400;

/// The highest number of a guest.
const GUEST_NUMBER_MAX: u64 = (1 << 48) - 1;

/// The longest topic in bytes.
pub const TOPIC_BYTES_MAX: usize = 300;

/// The longest rules in bytes.
pub const RULES_BYTES_MAX: usize = 4000;

/// The longest announcement in bytes.
pub const ANNOUNCEMENT_BYTES_MAX: usize = 4000;

/// The longest title in characters.
pub const TITLE_CHARACTERS_MAX: usize = 64;

impl Act {
    /// Reads and checks the members of a request.
    ///
    /// # Errors
    /// `missing_field`, `wrong_kind`, `text_empty`, `text_too_long` or `text_control`, in a sentence that names the member.
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, Refusal> {
        let seconds = || json::optional_number_within(members, "seconds", 1..=SECONDS_MAX);
        let flag = |name| members.get(name).and_then(Value::as_bool).ok_or_else(|| json::missing(name));
        let optional_flag = |name| members.get(name).and_then(Value::as_bool).unwrap_or(false);
        let number = |name, range| {
            json::optional_number_within(members, name, range)?.ok_or_else(|| json::missing(name))
        };
        // 0 is the room itself, which nothing is done about; a higher number would be kept as another guest's.
        let target = || number("of", 1..=GUEST_NUMBER_MAX).map(|of| Target { of: GuestId(of), name: None });
        Ok(match json::text(members, "act")? {
            "role" => Self::Role { target: target()?, role: role(members)?, link: None },
            "link" => match role(members)? {
                Role::Guest => {
                    return Err(Refusal::new(
                        Code::WrongKind,
                        "A link gives the role \"moderator\" or \"host\".",
                    ));
                }
                role => Self::Link { role, link: None },
            },
            "revoke_links" => Self::RevokeLinks,
            "kick" => Self::Kick { target: target()? },
            "mute" => {
                Self::Mute { target: target()?, seconds: seconds()?, invitation: optional_flag("invitation") }
            }
            "unmute" => Self::Unmute { target: target()? },
            "ban" => {
                Self::Ban { target: target()?, seconds: seconds()?, invitation: optional_flag("invitation") }
            }
            "unban" => Self::Unban { target: target()? },
            "delete" => Self::Delete { messages: messages(members)?, own: false },
            "delete_all" => Self::DeleteAll { target: target()? },
            "lock" => Self::Lock { locked: flag("locked")? },
            "approval" => Self::Approval { approval: flag("approval")?, present: Vec::new() },
            "admit" => Self::Admit { target: target()?, by: None },
            "reject" => Self::Reject { target: target()?, seconds: seconds()? },
            "password" => password(json::text(members, "text")?)?,
            "invited_only" => Self::InvitedOnly { invited_only: flag("invited_only")?, present: Vec::new() },
            "invite" => Self::Invite {
                name: Some(entering::invitation_name(json::text(members, "name")?)?),
                single_use: optional_flag("single_use"),
                seconds: seconds()?,
                link: None,
            },
            "revoke_invite" => Self::RevokeInvite { invite: Some(entering::invitation(members)?) },
            "slow" => Self::Slow { seconds: number("seconds", 0..=SLOW_MAX)? },
            "cap" => Self::Cap { guests: number("guests", 0..=10_000)? },
            "topic" => Self::Topic { text: line(members, TOPIC_BYTES_MAX)? },
            "title" => Self::Title { text: title(json::text(members, "text")?)? },
            "rules" => Self::Rules { text: text(members, RULES_BYTES_MAX)?.to_owned() },
            "pin" => Self::Pin { message: number("message", 1..=super::NUMBER_LIMIT - 1)?, said: None },
            "unpin" => Self::Unpin,
            "announce" => match text(members, ANNOUNCEMENT_BYTES_MAX)? {
                blank if is_blank(blank) => {
                    return Err(Refusal::new(Code::TextEmpty, "An announcement needs something to say."));
                }
                text => Self::Announce { text: text.to_owned() },
            },
            "words" => Self::Words { words: Some(words(members)?), count: None },
            "release" => Self::Release { messages: messages(members)? },
            "edit" => Self::Edit {
                message: number("message", 1..=super::NUMBER_LIMIT - 1)?,
                // What the room allows is checked by the room.
                text: check_text(json::text(members, "text")?, super::MESSAGE_BYTES_MAX)?.to_owned(),
            },
            "react" => Self::React {
                message: number("message", 1..=super::NUMBER_LIMIT - 1)?,
                emoji: emoji(json::text(members, "emoji")?)?,
            },
            "reserve" => Self::Reserve { name: None, under: None },
            "release_name" => Self::ReleaseName,
            "unreserve" => Self::Unreserve { target: target()? },
            "private" => Self::Private { private: flag("private")? },
            "typing" => Self::Typing { typing: flag("typing")? },
            "identities" => Self::Identities { required: flag("required")? },
            other => {
                let shown: String = other.chars().take(40).collect();
                return Err(Refusal::new(
                    Code::WrongKind,
                    format!("There is no act {shown:?}; docs/protocol.md has the list."),
                ));
            }
        })
    }
}

/// Checks an act that was not read from a request's JSON by the rules of one that is.
///
/// # Errors
/// As [`Act::from_members`].
pub fn checked(act: Act) -> Result<Act, Refusal> {
    match serde_json::to_value(act) {
        Ok(Value::Object(members)) => Act::from_members(&members),
        // An act is an object, and what it is made of can be written.
        _ => Err(Refusal::new(Code::WrongKind, "This is no act.")),
    }
}

/// The act that sets this password; an empty one takes it away.
///
/// # Errors
/// `bad_passphrase`.
pub fn password(text: &str) -> Result<Act, Refusal> {
    let given = Some(text).filter(|text| !text.is_empty());
    let text = given
        .map(|text| Passphrase::parse("password", text, entering::PASSWORD_CHARACTERS_MIN))
        .transpose()?;
    Ok(Act::Password { password: text.is_some(), text, hash: None, present: Vec::new() })
}

/// The member `emoji`; empty takes a reaction back.
fn emoji(text: &str) -> Result<Option<Emoji>, Refusal> {
    match Emoji::parse(text) {
        None if !text.is_empty() => {
            let all = Emoji::ALL.map(Emoji::as_str).join(" ");
            let sentence = format!("The member \"emoji\" must be one of {all}, or empty to take it back.");
            Err(Refusal::new(Code::WrongKind, sentence))
        }
        emoji => Ok(emoji),
    }
}

fn role(members: &Map<String, Value>) -> Result<Role, Refusal> {
    match json::text(members, "role")? {
        "guest" => Ok(Role::Guest),
        "moderator" => Ok(Role::Moderator),
        "host" => Ok(Role::Host),
        _ => Err(Refusal::new(Code::WrongKind, "The member \"role\" must be one of guest, moderator, host.")),
    }
}

fn messages(members: &Map<String, Value>) -> Result<Vec<u64>, Refusal> {
    let wrong = || {
        let sentence =
            format!("The member \"messages\" must be a list of 1 to {DELETE_MAX} numbers of messages.");
        Refusal::new(Code::WrongKind, sentence)
    };
    let list = members.get("messages").ok_or_else(|| json::missing("messages"))?;
    let list = list.as_array().filter(|list| (1..=DELETE_MAX).contains(&list.len())).ok_or_else(wrong)?;
    let number = |value: &Value| json::whole(value).filter(|number| *number > 0);
    list.iter().map(|value| number(value).ok_or_else(wrong)).collect()
}

/// The member `words`: each a word or a few, of which something is left when only what is read counts.
fn words(members: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let wrong = || {
        let sentence = format!("The member \"words\" must be a list of at most {WORDS_MAX} texts.");
        Refusal::new(Code::WrongKind, sentence)
    };
    let list = members.get("words").ok_or_else(|| json::missing("words"))?;
    let list = list.as_array().filter(|list| list.len() <= WORDS_MAX).ok_or_else(wrong)?;
    let (mut words, mut reader) = (Vec::with_capacity(list.len()), WordReader::default());
    for value in list {
        let word = value.as_str().ok_or_else(wrong)?.trim();
        if word.chars().count() > WORD_CHARACTERS_MAX {
            let sentence = format!("A word to keep out may have at most {WORD_CHARACTERS_MAX} characters.");
            return Err(Refusal::new(Code::TextTooLong, sentence));
        }
        if word.chars().any(char::is_control) {
            let sentence = "Words to keep out have no control characters; give each of them by itself.";
            return Err(Refusal::new(Code::TextControl, sentence));
        }
        if !can_match(word, &mut reader) {
            return Err(Refusal::new(Code::TextEmpty, "A word to keep out has a letter or a digit."));
        }
        words.push(word.to_owned());
    }
    Ok(words)
}

/// The member `text` in one line, without white space around it; it may be empty.
fn line(members: &Map<String, Value>, bytes_max: usize) -> Result<String, Refusal> {
    let line = text(members, bytes_max)?;
    if line.contains(['\n', '\t']) {
        return Err(Refusal::new(Code::TextControl, "This text is one line, without line breaks and tabs."));
    }
    Ok(line.to_owned())
}

fn text(members: &Map<String, Value>, bytes_max: usize) -> Result<&str, Refusal> {
    let text = json::text(members, "text")?.trim();
    if text.len() > bytes_max {
        let sentence = format!("This text may have at most {bytes_max} bytes; it has {}.", text.len());
        return Err(Refusal::new(Code::TextTooLong, sentence));
    }
    if text.chars().any(|character| character.is_control() && character != '\n' && character != '\t') {
        let sentence = "This text may have line breaks (\\n) and tabs, but no other control characters.";
        return Err(Refusal::new(Code::TextControl, sentence));
    }
    Ok(text)
}

/// Checks a room's title and takes white space from around it.
///
/// # Errors
/// `text_empty`, `text_too_long` or `text_control`.
pub fn title(given: &str) -> Result<String, Refusal> {
    let title = given.trim();
    let characters = title.chars().count();
    if is_blank(title) {
        return Err(Refusal::new(Code::TextEmpty, "A title has at least one character that can be seen."));
    }
    if title.chars().any(char::is_control) {
        return Err(Refusal::new(Code::TextControl, "A title has no control characters."));
    }
    if characters > TITLE_CHARACTERS_MAX {
        let sentence =
            format!("A title may have at most {TITLE_CHARACTERS_MAX} characters; this one has {characters}.");
        return Err(Refusal::new(Code::TextTooLong, sentence));
    }
    Ok(title.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(act: &str) -> Result<Act, Refusal> {
        Act::from_members(&json::object("An act", act).unwrap())
    }

    #[test]
    fn what_cannot_be_seen_is_no_password_title_or_name() {
        let blank = "\u{200b}\u{3164}\u{2800} \u{feff}\u{ad}\u{2060}\u{200d}\u{34f}";
        for (act, code) in [
            (format!("{{\"act\":\"password\",\"text\":\"{blank}\"}}"), Code::BadPassphrase),
            ("{\"act\":\"password\",\"text\":\"          \"}".to_owned(), Code::BadPassphrase),
            (format!("{{\"act\":\"title\",\"text\":\"{blank}\"}}"), Code::TextEmpty),
            (format!("{{\"act\":\"announce\",\"text\":\"{blank}\"}}"), Code::TextEmpty),
            (format!("{{\"act\":\"invite\",\"name\":\"{blank}\"}}"), Code::WrongKind),
        ] {
            let refusal = read(&act).unwrap_err();
            assert_eq!(refusal.code, code, "{act}");
            assert!(refusal.message.contains("seen") || code == Code::TextEmpty, "{}", refusal.message);
        }
        assert!(password(blank).is_err() && password("").is_ok(), "an empty one takes it away");
    }

    #[test]
    fn the_room_is_no_guest_and_no_message_has_the_number_0() {
        let about =
            ["role", "kick", "mute", "unmute", "ban", "unban", "delete_all", "admit", "reject", "unreserve"];
        for act in about {
            let read = |of: u64| read(&format!("{{\"act\":\"{act}\",\"of\":{of},\"role\":\"host\"}}"));
            for wrong in [0, GUEST_NUMBER_MAX + 1] {
                let refusal = read(wrong).unwrap_err();
                assert_eq!(refusal.code, Code::WrongKind, "{act}");
                assert!(refusal.message.contains("from 1 to 281474976710655"), "{}", refusal.message);
            }
            assert_eq!(read(GUEST_NUMBER_MAX).unwrap().target().unwrap().of, GuestId(GUEST_NUMBER_MAX));
        }
        for act in [
            "{\"act\":\"pin\",\"message\":0}",
            "{\"act\":\"delete\",\"messages\":[3,0]}",
            "{\"act\":\"release\",\"messages\":[0]}",
        ] {
            assert_eq!(read(act).unwrap_err().code, Code::WrongKind, "{act}");
        }
        let about_room = Act::Kick { target: Target { of: GuestId::ROOM, name: None } };
        assert_eq!(checked(about_room).unwrap_err().code, Code::WrongKind, "a form without a number");
    }
}
