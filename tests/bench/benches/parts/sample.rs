//! Sample data.

use onionroom::protocol::{Body, GuestId, MessageId, Name, Record};

/// Bytes of the text of a message.
const TEXT_BYTES: usize = 100;

/// A message as the log returns it.
pub(crate) fn message() -> Record {
    Record {
        seq: 41_234,
        at: 86_400,
        author: GuestId(137_438_953_472),
        id: MessageId::parse("9f3c2b1a-17").expect("an id"),
        body: Body::Message { name: name("Ann"), text: text() },
    }
}

/// A text of [`TEXT_BYTES`].
pub(crate) fn text() -> String {
    "so many words, one after the other; ".chars().cycle().take(TEXT_BYTES).collect()
}

/// A name.
pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}
