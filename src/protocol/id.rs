//! What guests and messages are identified by.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The public number of a guest, below 2^48; the same each time the same token joins
/// ([`Token::guest`](super::Token::guest)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GuestId(pub u64);

impl GuestId {
    /// The room itself: the author of what no guest did. That a guest's token gives this number is as unlikely as that two
    /// guests have the same one.
    pub const ROOM: Self = Self(0);
}

/// The circuit that a request came on, numbered by this process. A budget to charge, never an identity: one person can
/// have many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CircuitId(pub u64);

impl CircuitId {
    /// All connections from this machine together.
    pub const LOOPBACK: Self = Self(0);
}

/// A message's id, chosen by its author's program: 1 to 64 of `A–Z a–z 0–9 - _`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

/// A text that is no [`MessageId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidMessageId;

/// The most characters a [`MessageId`] may have.
pub const MESSAGE_ID_MAX: usize = 64;

impl MessageId {
    /// Checks an id.
    ///
    /// # Errors
    /// The text is empty, longer than [`MESSAGE_ID_MAX`] or has other characters.
    pub fn parse(text: &str) -> Result<Self, InvalidMessageId> {
        let fits = (1..=MESSAGE_ID_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidMessageId) }
    }

    /// An id that nothing else has: 32 hexadecimal digits.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        Ok(Self(format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?)))
    }

    /// The id as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MessageId({})", self.0)
    }
}
