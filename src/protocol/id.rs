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

/// What a request is charged to: mostly the circuit that it came on, numbered by this process. A budget, never an identity:
/// one person can have many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CircuitId(pub u64);

/// The highest two bits of a [`CircuitId`] tell the kinds apart. Those of the onion service of this process have neither.
const OF_TOR_DAEMON: u64 = 1 << 62;
const OF_ADDRESS: u64 = 2 << 62;

impl CircuitId {
    /// All connections from this machine together.
    pub const LOOPBACK: Self = Self(0);

    /// All connections together of which a reverse proxy does not say where they come from.
    pub const PROXY: Self = Self(3 << 62);

    /// A circuit of a Tor daemon before this process, by the daemon's own number for it.
    pub const fn of_tor_daemon(number: u32) -> Self {
        Self(OF_TOR_DAEMON | number as u64)
    }

    /// An address on the network, as a hash of it: two addresses with one hash would share a budget. Of the hash 62 bits
    /// count.
    pub const fn of_address(hash: u64) -> Self {
        Self(OF_ADDRESS | hash >> 2)
    }

    /// Whether it is one budget for clients that cannot be told apart, and so larger than that of a circuit.
    pub fn is_shared(self) -> bool {
        matches!(self, Self::LOOPBACK | Self::PROXY)
    }

    /// Whether its connections are files of this process. Those of its own onion service are not.
    pub fn takes_files(self) -> bool {
        self == Self::LOOPBACK || self.0 >= OF_TOR_DAEMON
    }
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
