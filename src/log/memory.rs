//! A log that lives as long as the process and leaves nothing behind.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::{FutureExt, ready};

use super::recent::Recent;
use super::{Answer, Appended, Entry, Identity, Log, RECENT, Retention, Span};
use crate::protocol::Message;

/// Messages in memory.
#[derive(Debug)]
pub struct MemoryLog {
    kept: Mutex<Kept>,
    retention: Retention,
    identity: Identity,
}

#[derive(Debug)]
struct Kept {
    messages: VecDeque<Message>,
    head: u64,
    recent: Recent,
}

impl MemoryLog {
    /// An empty log.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn new(retention: Retention) -> Result<Self, getrandom::Error> {
        // Large enough for every kept message to be among the recent ones.
        let recent = Recent::new(RECENT.max(retention.messages));
        let kept = Mutex::new(Kept { messages: VecDeque::new(), head: 0, recent });
        Ok(Self { kept, retention, identity: Identity::fresh()? })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn append(&mut self, entry: Entry) -> Appended {
        if let Some(seq) = self.recent.find(entry.guest, &entry.id) {
            return Appended::Before(seq);
        }
        self.head += 1;
        self.recent.remember(entry.guest, entry.id.clone(), self.head);
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
    fn identity(&self) -> Answer<'_, Identity> {
        ready(Ok(self.identity.clone())).boxed()
    }

    fn append(&self, entries: Vec<Entry>) -> Answer<'_, Vec<Appended>> {
        let mut kept = self.kept();
        let clock = entries.last().map_or(0, |entry| entry.at);
        let appended = entries.into_iter().map(|entry| kept.append(entry)).collect();
        kept.trim(self.retention.messages, self.retention.since(clock));
        ready(Ok(appended)).boxed()
    }

    fn read(&self, after: u64, limit: usize) -> Answer<'_, Vec<Message>> {
        let kept = self.kept();
        let skip = (after + 1).saturating_sub(kept.first());
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        ready(Ok(kept.messages.iter().skip(skip).take(limit).cloned().collect())).boxed()
    }

    fn span(&self) -> Answer<'_, Span> {
        let kept = self.kept();
        ready(Ok(Span { first: kept.first(), head: kept.head })).boxed()
    }

    fn trim(&self, clock: u64) -> Answer<'_, ()> {
        self.kept().trim(self.retention.messages, self.retention.since(clock));
        ready(Ok(())).boxed()
    }

    fn close(&self) -> Answer<'_, ()> {
        ready(Ok(())).boxed()
    }
}
