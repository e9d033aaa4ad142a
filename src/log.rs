//! What was said, kept in order: append, read after N, trim.
//!
//! A [`Log`] decides sequence numbers and remembers which ids it has seen; it knows nothing of guests'
//! connections. [`memory`] keeps messages for as long as the process lives.

pub mod memory;

use futures_util::future::BoxFuture;

use crate::protocol::{GuestId, Message, MessageId, Name};

pub use memory::MemoryLog;

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

/// What became of an [`Entry`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is the newest message now.
    New(Message),
    /// The same author sent the same id before; it has this sequence number.
    Before(u64),
}

/// Which messages a log holds: those with `first` <= `seq` <= `head`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The oldest kept sequence number, or `head` + 1 if none is kept.
    pub first: u64,
    /// The newest sequence number given, or 0.
    pub head: u64,
}

/// Why a log could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the log failed: {0}")]
pub struct LogError(pub String);

/// A room's log. Answers are futures because an implementation may be a disk or another machine.
pub trait Log: Send + Sync + 'static {
    /// Appends entries in their order, each once: an entry whose author and id the log still holds is not
    /// appended again. When this returns, what was appended is as durable as the log can make it.
    fn append(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<Vec<Appended>, LogError>>;

    /// The oldest `limit` messages with `seq` > `after`, in order.
    fn read(&self, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Message>, LogError>>;

    /// Which messages there are.
    fn span(&self) -> BoxFuture<'_, Result<Span, LogError>>;

    /// Forgets all but the newest `keep` messages.
    fn trim(&self, keep: usize) -> BoxFuture<'_, Result<(), LogError>>;
}
