//! Reads members of a guest's JSON object, with errors that name the member.

use std::ops::RangeInclusive;

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::NUMBER_LIMIT;
use super::refusal::{Code, Refusal};

/// How many levels of arrays and objects a frame may have.
const DEPTH_MAX: usize = 8;

/// Parses a text into the object it must be; `what` it is begins the sentence if it is not one.
pub(super) fn object(what: &str, text: &str) -> Result<Map<String, Value>, Refusal> {
    if depth(text) > DEPTH_MAX {
        return Err(Refusal::new(Code::TooDeep, format!("{what} may nest at most {DEPTH_MAX} levels deep.")));
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(other) => Err(Refusal::new(
            Code::NotAnObject,
            format!("{what} is a JSON object; this one is {}.", kind(&other)),
        )),
        Err(error) => Err(unread(what, text, &error)),
    }
}

/// Why a text could not be read: it is no JSON, or it is (RFC 8259) and has what no program here can hold (RFC 7493, sections
/// 2.1 and 2.2).
fn unread(what: &str, text: &str, error: &serde_json::Error) -> Refusal {
    let place = format!("line {}, column {}", error.line(), error.column());
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Refusal::new(
            Code::WrongKind,
            format!(
                "{what} has a number beyond the range of 64-bit floating point, or half of a surrogate pair ({place})."
            ),
        ),
        Err(_) => Refusal::new(Code::NotJson, format!("{what} is JSON; this one is not ({place}).")),
    }
}

/// The deepest nesting, counted without building anything, so that a deep frame costs no stack and no heap.
fn depth(text: &str) -> usize {
    let (mut deepest, mut now) = (0usize, 0usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                now += 1;
                deepest = deepest.max(now);
            }
            b'}' | b']' if !in_string => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A text that must be there.
pub(super) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    optional_text(members, name)?.ok_or_else(|| missing(name))
}

/// The refusal for a member that must be there.
pub(super) fn missing(name: &str) -> Refusal {
    Refusal::new(Code::MissingField, format!("The member \"{name}\" is missing."))
}

/// A text that may be there; `null` counts as absent.
pub(super) fn optional_text<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong_kind(name, "a text", other)),
    }
}

/// A whole number below 2^53 that may be there; `null` counts as absent.
pub(super) fn optional_number(members: &Map<String, Value>, name: &str) -> Result<Option<u64>, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match whole(value) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong_kind(name, "a whole number from 0 to 2^53 - 1", value)),
        },
    }
}

/// A whole number below 2^53. `7.0` is one as well (JSON Schema, section 6.3 of its core).
pub(super) fn whole(value: &Value) -> Option<u64> {
    let float =
        || value.as_f64().filter(|float| float.fract() == 0.0 && (0.0..NUMBER_LIMIT as f64).contains(float));
    value.as_u64().or_else(|| float().map(|float| float as u64)).filter(|number| *number < NUMBER_LIMIT)
}

/// A whole number within `range` that may be there; `null` counts as absent.
pub(super) fn optional_number_within(
    members: &Map<String, Value>,
    name: &str,
    range: RangeInclusive<u64>,
) -> Result<Option<u64>, Refusal> {
    match optional_number(members, name)? {
        Some(number) if !range.contains(&number) => Err(Refusal::new(
            Code::WrongKind,
            format!(
                "The member \"{name}\" must be a whole number from {} to {}.",
                range.start(),
                range.end()
            ),
        )),
        number => Ok(number),
    }
}

fn wrong_kind(name: &str, wanted: &str, found: &Value) -> Refusal {
    Refusal::new(Code::WrongKind, format!("The member \"{name}\" must be {wanted}; it is {}.", kind(found)))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number of another kind",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings_only() {
        assert_eq!(depth(r#"{"a":[1,{"b":2}]}"#), 3);
        assert_eq!(depth(r#"{"a":"[[[[\"[["}"#), 1);
        assert_eq!(depth("]]]]["), 1);
    }

    #[test]
    fn a_hundred_thousand_brackets_are_refused_without_a_crash() {
        let refusal = object("A frame", &"[".repeat(100_000)).unwrap_err();
        assert_eq!(refusal.code, Code::TooDeep);
    }

    #[test]
    fn a_number_is_whole_however_it_is_written() {
        let members =
            object("A frame", r#"{"a":7.0,"b":7.5,"c":-0.0,"d":1e300,"e":9007199254740992.0}"#).unwrap();
        assert_eq!(optional_number(&members, "a").unwrap(), Some(7));
        assert_eq!(optional_number(&members, "c").unwrap(), Some(0));
        for member in ["b", "d", "e"] {
            assert_eq!(optional_number(&members, member).unwrap_err().code, Code::WrongKind, "{member}");
        }
    }

    #[test]
    fn the_sentence_names_the_member() {
        let members = object("A frame", r#"{"after":-1,"id":5}"#).unwrap();
        assert!(optional_number(&members, "after").unwrap_err().message.contains("\"after\""));
        assert!(text(&members, "id").unwrap_err().message.contains("\"id\""));
        assert_eq!(text(&members, "text").unwrap_err().code, Code::MissingField);
    }
}
