//! The chat for browsers without JavaScript: nothing but documents, forms and one answer that never ends.
//!
//! ```text
//! /                             the page for everyone; its <noscript> part holds
//! └─ /rooms/main/page           the room: a frame for each of its two parts
//!    ├─ …/page/messages         what is said, written on for as long as the guest stays
//!    └─ …/page/say              the form to say something, and to change one's name
//! ```
//!
//! Who a guest is stands in the address of the frames, as their token: no cookies, and the address bar keeps
//! the address that can be shared. The frame of messages is the guest's connection and holds their seat; the
//! form [visits](crate::hub::Room::visit), which leaves a connection alone.
//!
//! [`documents`] are the pages that end, [`stream`] is the one that does not, [`render`] turns events into
//! markup for it, [`markup`] is what all of them are made with.

pub mod documents;
pub mod markup;
pub mod render;
pub mod stream;
mod words;

use sha2::{Digest, Sha256};

use crate::protocol::request::check_text;
use crate::protocol::{MessageId, Refusal, Say};

/// How often the page that is not streamed may load itself again, in seconds. Less than the shortest grace time
/// that makes sense, so that whoever reads it stays in the room.
pub const REFRESH_SECONDS: [u32; 3] = [5, 20, 60];

/// A message from the form.
///
/// # Errors
/// As [`check_text`].
pub fn say(form: &str, text: &str, message_bytes: usize) -> Result<Say, Refusal> {
    let text = tidy(text);
    check_text(&text, message_bytes)?;
    Ok(Say { id: message_id(form, &text)?, text })
}

/// The same for the same text from the same form, however often it is sent; another for another text, so that
/// a message which was edited after going back is not taken for the one before.
fn message_id(form: &str, text: &str) -> Result<MessageId, Refusal> {
    let digest = Sha256::new().chain_update(form).chain_update([0]).chain_update(text).finalize();
    Ok(MessageId::parse(&data_encoding::BASE64URL_NOPAD.encode(&digest[..16]))?)
}

/// Forms send line breaks as CR LF (HTML, section 4.10.22.7), and people leave blank lines around what they
/// write. Other control characters cannot be typed.
fn tidy(text: &str) -> String {
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
            assert_eq!(tidy(sent), meant);
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
