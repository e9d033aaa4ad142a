//! The texts of messages.

use super::refusal::{Code, Refusal};

/// Checks the text of a message of at most `message_bytes` bytes.
///
/// # Errors
/// `text_empty`, `text_too_long` or `text_control`.
pub fn check_text(text: &str, message_bytes: usize) -> Result<&str, Refusal> {
    if text.len() > message_bytes {
        return Err(Refusal::new(
            Code::TextTooLong,
            format!(
                "A message may have at most {message_bytes} bytes; this one has {}. Say it in parts.",
                text.len()
            ),
        ));
    }
    if text.chars().any(|character| character.is_control() && character != '\n' && character != '\t') {
        return Err(Refusal::new(
            Code::TextControl,
            "A message may have line breaks (\\n) and tabs, but no other control characters.",
        ));
    }
    if text.chars().all(char::is_whitespace) {
        return Err(Refusal::new(Code::TextEmpty, "A message needs something to say."));
    }
    Ok(text)
}
