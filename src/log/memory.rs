//! A log in memory: it ends with the process and leaves nothing behind.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::{FutureExt, ready};

use super::dedup::DedupWindow;
use super::{Appended, DEDUP_WINDOW, Entry, Log, LogFuture, Retention, RoomIdentity, Span};
use crate::protocol::Message;

/// Messages in memory.
#[derive(Debug)]
pub struct MemoryLog {
    state: Mutex<State>,
    retention: Retention,
    identity: RoomIdentity,
}

#[derive(Debug)]
struct State {
    messages: VecDeque<Message>,
    head: u64,
    dedup: DedupWindow,
}

impl MemoryLog {
    /// An empty log.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn new(retention: Retention) -> Result<Self, getrandom::Error> {
        // Large enough for every kept message to be in the window.
        let dedup = DedupWindow::new(DEDUP_WINDOW.max(retention.messages));
        let state = Mutex::new(State { messages: VecDeque::new(), head: 0, dedup });
        Ok(Self { state, retention, identity: RoomIdentity::fresh()? })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn append(&mut self, entry: Entry) -> Appended {
        if let Some(seq) = self.dedup.find(entry.guest, &entry.id) {
            return Appended::Duplicate(seq);
        }
        self.head += 1;
        self.dedup.insert(entry.guest, entry.id.clone(), self.head);
        let message = entry.numbered(self.head);
        self.messages.push_back(message.clone());
        Appended::New(message)
    }

    fn trim(&mut self, keep: usize, since: u64) {
        let excess = self.messages.len().saturating_sub(keep);
        let old = self.messages.partition_point(|message| message.at < since);
        self.messages.drain(..excess.max(old));
    }

    fn first(&self) -> u64 {
        self.head + 1 - self.messages.len() as u64
    }
}

impl Log for MemoryLog {
    fn identity(&self) -> LogFuture<'_, RoomIdentity> {
        ready(Ok(self.identity.clone())).boxed()
    }

    fn append(&self, entries: Vec<Entry>) -> LogFuture<'_, Vec<Appended>> {
        let mut state = self.state();
        let clock = entries.last().map_or(0, |entry| entry.at);
        let appended = entries.into_iter().map(|entry| state.append(entry)).collect();
        state.trim(self.retention.messages, self.retention.since(clock));
        ready(Ok(appended)).boxed()
    }

    fn read(&self, after: u64, limit: usize) -> LogFuture<'_, Vec<Message>> {
        let state = self.state();
        let skip = (after + 1).saturating_sub(state.first());
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        ready(Ok(state.messages.iter().skip(skip).take(limit).cloned().collect())).boxed()
    }

    fn span(&self) -> LogFuture<'_, Span> {
        let state = self.state();
        ready(Ok(Span { first: state.first(), head: state.head })).boxed()
    }

    fn trim(&self, clock: u64) -> LogFuture<'_, ()> {
        self.state().trim(self.retention.messages, self.retention.since(clock));
        ready(Ok(())).boxed()
    }

    fn close(&self) -> LogFuture<'_, ()> {
        ready(Ok(())).boxed()
    }
}
