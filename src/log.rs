//! The log of a room: append, follow, read after a sequence number, trim.
//!
//! A [`Log`] gives entries their sequence numbers and recognises duplicates; it knows nothing of guests'
//! connections. Messages are one kind of entry; [`state`] is what follows from all of them. [`memory`] keeps messages for as long as the process lives, [`sqlite`] for as long as
//! the retention allows, [`jetstream`] on several machines. `index` decides for all which messages are kept, `dedup` recognises the newest ids.

#[cfg(test)]
mod contract;
mod dedup;
mod followers;
mod index;
#[cfg(feature = "cluster")]
pub mod jetstream;
pub mod memory;
pub mod sqlite;
pub mod state;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use zeroize::Zeroizing;

use crate::protocol::epochs::Epochs;
use crate::protocol::{Body, GuestId, MessageId, Record};

#[cfg(feature = "cluster")]
pub use jetstream::JetStreamLog;
pub use memory::MemoryLog;
pub use sqlite::SqliteLog;
pub use state::{
    Annotations, Effect, Erase, Erasures, Hurdle, Reservations, Restriction, RoomState, no_such_message,
};

/// What is to be appended: everything but its sequence number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was published: whole seconds on the room's own clock.
    pub at: u64,
    /// Its author.
    pub author: GuestId,
    /// The id that the author's program chose; with `author` it identifies the entry.
    pub id: MessageId,
    /// What it says.
    pub body: Body,
}

impl Entry {
    fn numbered(self, seq: u64) -> Record {
        let Entry { at, author, id, body } = self;
        Record { seq, at, author, id, body }
    }
}

/// The outcome for one [`Entry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It has this sequence number now.
    New(u64),
    /// An entry of the same author and id has this sequence number already.
    Duplicate(u64),
}

impl Appended {
    /// Its sequence number.
    pub fn seq(self) -> u64 {
        match self {
            Appended::New(seq) | Appended::Duplicate(seq) => seq,
        }
    }
}

/// Where the kept messages lie: none is below `first` or above `head`, and between them some may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The oldest kept sequence number, or `head` + 1 if none is kept.
    pub first: u64,
    /// The newest sequence number given, or 0.
    pub head: u64,
    /// The number from which on every message up to `head` is kept; `head` + 1 if the newest is not.
    pub whole_from: u64,
}

/// What identifies a room for as long as its log exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomIdentity {
    /// The runs of sequence numbers, one for each start of the room: what a cursor belongs to.
    pub epochs: Arc<Epochs>,
    /// The key that guests' numbers are derived with, see [`crate::protocol::Token::guest`].
    pub secret: Zeroizing<[u8; 32]>,
    /// The room's clock when the log is opened, in seconds.
    pub clock: u64,
}

impl RoomIdentity {
    /// A new identity, whose clock begins now.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn fresh() -> Result<Self, getrandom::Error> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut secret[..])?;
        Ok(Self { epochs: Arc::new(Epochs::first(epoch_name()?)), secret, clock: 0 })
    }
}

/// A name for a new epoch.
pub(in crate::log) fn epoch_name() -> Result<String, getrandom::Error> {
    Ok(format!("{:016x}", getrandom::u64()?))
}

/// How much is kept. Messages beyond a limit are no longer read, and no longer stored after the next
/// [`Log::trim`]. Beyond `messages` and `bytes` the oldest message of the author who keeps most goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How many messages; 0 keeps nothing.
    pub messages: usize,
    /// How many bytes of texts and names; 0 for no limit.
    pub bytes: u64,
    /// How old they may be; `None` for any age.
    pub age: Option<Duration>,
}

impl Retention {
    /// The oldest time on the room's clock that is still kept when it shows `clock`.
    fn since(&self, clock: u64) -> u64 {
        self.age.map_or(0, |age| clock.saturating_sub(age.as_secs()))
    }
}

/// A failure of the log, as a sentence.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct LogError(pub String);

/// The result of a request to a log.
pub type LogFuture<'a, T> = BoxFuture<'a, Result<T, LogError>>;

/// The entries of a log in its order, as they are appended; ends when the log is closed.
pub type Follow = BoxStream<'static, Vec<Record>>;

/// Kept entries that follow each other, before they are decrypted.
pub struct LogPage {
    /// All kept entries after this one are in it, up to its end.
    pub after: u64,
    /// Gives the entries, oldest first: it decrypts them, which takes a while, and is to be called where nothing waits for it.
    pub open: Box<dyn FnOnce() -> Vec<Record> + Send>,
}

/// A room's log. Results are futures because an implementation may be a disk or another machine.
pub trait Log: Send + Sync + 'static {
    /// The identity of the room.
    fn identity(&self) -> LogFuture<'_, RoomIdentity>;

    /// The state of the room; a log that has none takes `initial` as what was before its next entry.
    fn state(&self, initial: RoomState) -> LogFuture<'_, RoomState>;

    /// Appends entries in their order, each once: an entry whose author and id are among the kept ones, or
    /// among the [`DEDUP_WINDOW`] newest, is a duplicate. When this returns, the appended entries are as durable as
    /// the log can make them. Those who [follow](Log::follow) get them, before or after.
    ///
    /// What an act among them [erases](Effect::erases) is not kept any more, as if it were trimmed, and is gone from the disk
    /// with the act: neither of the two lasts without the other. Only a log that has its [state](Log::state) knows which acts count.
    fn append(&self, entries: Vec<Entry>) -> LogFuture<'_, Vec<Appended>>;

    /// The kept entries with `seq` > `after` and then all that are appended, in their order, each once, by this process or
    /// another.
    fn follow(&self, after: u64) -> LogFuture<'_, Follow>;

    /// The oldest `limit` kept entries with `seq` > `after`, in order.
    fn read(&self, after: u64, limit: usize) -> LogFuture<'_, Vec<Record>>;

    /// The newest kept entries with `seq` < `before`, at most `limit` of them; fewer where they are long, but one at least. For
    /// those who read many: other requests wait for it only as long as it takes to read the bytes.
    fn page_before(&self, before: u64, limit: usize) -> LogFuture<'_, LogPage> {
        async move {
            let after = self.cursor_before(before, limit).await?;
            let mut records = self.read(after, limit).await?;
            // Where some were trimmed meanwhile, newer ones stand in their places.
            records.retain(|record| record.seq < before);
            Ok(LogPage { after, open: Box::new(|| records) })
        }
        .boxed()
    }

    /// The cursor after which exactly the newest `count` of the kept messages with `seq` < `before` lie; 0 if no more
    /// than those are kept. Takes steps in proportion to `count`.
    fn cursor_before(&self, before: u64, count: usize) -> LogFuture<'_, u64>;

    /// Where the kept messages lie. Known without asking a disk or another machine: every guest who joins waits for it.
    fn span(&self) -> LogFuture<'_, Span>;

    /// The number of the newest entry that there is anywhere, whether this process has read it or not. May ask another machine.
    fn newest(&self) -> LogFuture<'_, u64> {
        async { Ok(self.span().await?.head) }.boxed()
    }

    /// Erases what the retention no longer allows when the room's clock shows `clock`.
    fn trim(&self, clock: u64) -> LogFuture<'_, ()>;

    /// Completes pending requests and releases the log's resources. Later calls may fail.
    fn close(&self) -> LogFuture<'_, ()>;
}

/// By how much the room's clock may come to differ from the machine's between two trims, in seconds.
const CLOCK_DEVIATION: u64 = 86_400;

/// How many of the newest ids a log recognises as duplicates even when their messages are no longer kept.
pub const DEDUP_WINDOW: usize = 4096;
