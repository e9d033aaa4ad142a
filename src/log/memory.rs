//! A log in memory: it ends with the process and leaves nothing behind.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::future::{FutureExt, ready};

use super::dedup::DedupWindow;
use super::index::{Facts, MessageIndex};
use super::{Appended, CLOCK_DEVIATION, DEDUP_WINDOW, Entry, Log, LogFuture, Retention, RoomIdentity, Span};
use crate::protocol::{GuestId, Message, MessageId};

/// Messages in memory.
#[derive(Debug)]
pub struct MemoryLog {
    state: Mutex<State>,
    identity: RoomIdentity,
}

#[derive(Debug)]
struct State {
    index: MessageIndex,
    messages: BTreeMap<u64, Message>,
    /// The kept messages by what identifies them.
    ids: HashMap<(GuestId, MessageId), u64>,
    head: u64,
    opened: Instant,
    /// What the room's clock showed last, in seconds.
    clock: u64,
    dedup: DedupWindow,
}

impl MemoryLog {
    /// An empty log.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn new(retention: Retention) -> Result<Self, getrandom::Error> {
        let state = Mutex::new(State {
            index: MessageIndex::new(retention),
            messages: BTreeMap::new(),
            ids: HashMap::new(),
            head: 0,
            opened: Instant::now(),
            clock: 0,
            dedup: DedupWindow::new(DEDUP_WINDOW),
        });
        Ok(Self { state, identity: RoomIdentity::fresh()? })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn append(&mut self, entry: Entry) -> Appended {
        let key = (entry.guest, entry.id.clone());
        if let Some(seq) = self.ids.get(&key).copied().or_else(|| self.dedup.find(entry.guest, &entry.id)) {
            return Appended::Duplicate(seq);
        }
        self.head += 1;
        self.dedup.insert(entry.guest, entry.id.clone(), self.head);
        let message = entry.numbered(self.head);
        self.index.insert(self.head, Facts::from(&message));
        self.ids.insert(key, self.head);
        self.messages.insert(self.head, message.clone());
        Appended::New(message)
    }

    fn trim(&mut self, clock: u64) {
        // As on disk: what differs by a day is no matter of rates, but the clock was set.
        if clock.abs_diff(self.opened.elapsed().as_secs()) <= CLOCK_DEVIATION {
            self.clock = self.clock.max(clock);
        }
        self.index.evict(clock.max(self.clock));
        for seq in self.index.evicted(usize::MAX) {
            if let Some(message) = self.messages.remove(&seq) {
                self.ids.remove(&(message.guest, message.id));
            }
        }
        self.index.removed(self.index.evicted_count());
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
        state.trim(clock);
        ready(Ok(appended)).boxed()
    }

    fn read(&self, after: u64, limit: usize) -> LogFuture<'_, Vec<Message>> {
        let state = self.state();
        let kept = state.messages.range(after.saturating_add(1)..).take(limit);
        ready(Ok(kept.map(|(_, message)| message.clone()).collect())).boxed()
    }

    fn cursor_before(&self, before: u64, count: usize) -> LogFuture<'_, u64> {
        ready(Ok(self.state().index.cursor_before(before, count))).boxed()
    }

    fn span(&self) -> LogFuture<'_, Span> {
        let state = self.state();
        let (head, whole_from) = (state.head, state.index.whole_from());
        let first = state.index.first().unwrap_or(head + 1);
        ready(Ok(Span { first, head, whole_from })).boxed()
    }

    fn trim(&self, clock: u64) -> LogFuture<'_, ()> {
        self.state().trim(clock);
        ready(Ok(())).boxed()
    }

    fn close(&self) -> LogFuture<'_, ()> {
        ready(Ok(())).boxed()
    }
}
