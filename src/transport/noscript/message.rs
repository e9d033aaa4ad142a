//! Messages from the form.

use sha2::{Digest, Sha256};

use crate::protocol::text::check_text;
use crate::protocol::{MessageId, Refusal, Say};

/// The message in a form: its text, and an id that is the same for the same text from the same form.
///
/// # Errors
/// As [`check_text`].
pub fn say(form: &str, text: &str, message_bytes: usize) -> Result<Say, Refusal> {
    let text = normalise(text);
    check_text(&text, message_bytes)?;
    Ok(Say { id: message_id(form, &text)?, text, reply: None })
}

/// An id that is the same for the same text from the same form, however often it is sent, and another for another text,
/// so that a text that was edited after going back is not a duplicate of the one before.
///
/// # Errors
/// None in practice: what it makes is an id.
pub fn message_id(form: &str, text: &str) -> Result<MessageId, Refusal> {
    let digest = Sha256::new().chain_update(form).chain_update([0]).chain_update(text).finalize();
    Ok(MessageId::parse(&data_encoding::BASE64URL_NOPAD.encode(&digest[..16]))?)
}

/// Normalises line breaks, which forms send as CR LF (HTML, section 4.10.22.7), and removes blank lines around the text.
pub fn normalise(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim_end();
    // Blank first lines go; the indentation of the first line that is not blank stays.
    let begin = text.find(|character: char| !character.is_whitespace()).unwrap_or(0);
    let line = text[..begin].rfind('\n').map_or(0, |at| at + 1);
    text[line..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_form_sends_becomes_what_was_meant() {
        for (sent, meant) in [
            ("hello", "hello"),
            ("one\r\ntwo\rthree\n", "one\ntwo\nthree"),
            ("\r\n  \r\n  indented\r\n\r\n", "  indented"),
            (" \r\n ", ""),
        ] {
            assert_eq!(normalise(sent), meant);
        }
    }

    #[test]
    fn the_same_form_and_text_are_one_message() {
        let id = |form, text| say(form, text, 100).unwrap().id;
        assert_eq!(id("a", "hello"), id("a", "hello\r\n"));
        assert_ne!(id("a", "hello"), id("a", "hello!"));
        assert_ne!(id("a", "hello"), id("b", "hello"));
    }
}
