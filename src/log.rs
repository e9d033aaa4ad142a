//! What was said, kept in order: append, read after N, trim.
//!
//! A [`Log`] decides sequence numbers and recognises messages that were sent before; it knows nothing of
//! guests' connections. [`memory`] keeps messages for as long as the process lives, [`sqlite`] for as long as
//! the retention allows.

#[cfg(test)]
mod contract;
pub mod memory;
mod recent;
pub mod sqlite;

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::protocol::{GuestId, Message, MessageId, Name};

pub use memory::MemoryLog;
pub use sqlite::SqliteLog;

/// A message that is to be appended: everything but its sequence number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was said: whole seconds on the room's own clock.
    pub at: u64,
    /// Who says it.
    pub guest: GuestId,
    /// What they are called.
    pub name: Name,
    /// The id that the author's program chose; with `guest` it identifies the message.
    pub id: MessageId,
    /// What is said.
    pub text: String,
}

impl Entry {
    fn numbered(self, seq: u64) -> Message {
        let Entry { at, guest, name, id, text } = self;
        Message { seq, at, guest, name, id, text }
    }
}

/// What became of an [`Entry`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is the newest message now.
    New(Message),
    /// The same author sent the same id before; it has this sequence number.
    Before(u64),
}

impl Appended {
    /// The message, if it is new.
    pub fn message(&self) -> Option<&Message> {
        match self {
            Appended::New(message) => Some(message),
            Appended::Before(_) => None,
        }
    }

    /// Its sequence number.
    pub fn seq(&self) -> u64 {
        match self {
            Appended::New(message) => message.seq,
            Appended::Before(seq) => *seq,
        }
    }
}

/// Which messages a log holds: those with `first` <= `seq` <= `head`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The oldest kept sequence number, or `head` + 1 if none is kept.
    pub first: u64,
    /// The newest sequence number given, or 0.
    pub head: u64,
}

/// What belongs to a run of sequence numbers for as long as the log lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name of the run: a cursor is only good with its epoch.
    pub epoch: String,
    /// What guests' numbers are derived with, see [`crate::protocol::Token::guest`].
    pub secret: [u8; 32],
    /// What the room's clock shows when the log is opened, in seconds.
    pub clock: u64,
}

impl Identity {
    /// A new one, whose clock begins now.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn fresh() -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self { epoch: format!("{:016x}", getrandom::u64()?), secret, clock: 0 })
    }
}

/// How much is kept. What exceeds either limit is no longer read at once, and no longer stored after the next
/// [`Log::trim`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How many of the newest messages; 0 keeps nothing.
    pub messages: usize,
    /// How old they may be; `None` for any age.
    pub age: Option<Duration>,
}

impl Retention {
    /// The oldest time on the room's clock that is still kept when it shows `clock`.
    fn since(&self, clock: u64) -> u64 {
        self.age.map_or(0, |age| clock.saturating_sub(age.as_secs()))
    }
}

/// Why a log could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct LogError(pub String);

/// What a log answers, when it is ready.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, LogError>>;

/// A room's log. Answers are futures because an implementation may be a disk or another machine.
pub trait Log: Send + Sync + 'static {
    /// What belongs to this run of sequence numbers.
    fn identity(&self) -> Answer<'_, Identity>;

    /// Appends entries in their order, each once: an entry whose author and id are among the kept messages, or
    /// among the [`RECENT`] newest, is not appended again. When this returns, what was appended is as durable
    /// as the log can make it.
    fn append(&self, entries: Vec<Entry>) -> Answer<'_, Vec<Appended>>;

    /// The oldest `limit` messages with `seq` > `after`, in order.
    fn read(&self, after: u64, limit: usize) -> Answer<'_, Vec<Message>>;

    /// Which messages there are.
    fn span(&self) -> Answer<'_, Span>;

    /// Removes for good what the retention no longer allows when the room's clock shows `clock`.
    fn trim(&self, clock: u64) -> Answer<'_, ()>;

    /// Finishes what was asked for and gives back what the log holds. Every later call fails, or may.
    fn close(&self) -> Answer<'_, ()>;
}

/// How many of the newest ids a log recognises even when their messages are no longer kept.
pub const RECENT: usize = 4096;
