//! A log in memory: it ends with the process and leaves nothing behind.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::future::{FutureExt, ready};

use super::dedup::DedupWindow;
use super::followers::Followers;
use super::index::{Facts, MessageIndex};
use super::{
    Appended, CLOCK_DEVIATION, DEDUP_WINDOW, Entry, Follow, Log, LogFuture, Retention, RoomIdentity,
    RoomState, Span,
};
use crate::protocol::{GuestId, MessageId, Record};

/// Entries in memory.
#[derive(Debug)]
pub struct MemoryLog {
    state: Mutex<State>,
    identity: RoomIdentity,
}

#[derive(Debug)]
struct State {
    index: MessageIndex,
    records: BTreeMap<u64, Record>,
    /// The kept entries by what identifies them.
    ids: HashMap<(GuestId, MessageId), u64>,
    head: u64,
    opened: Instant,
    /// What the room's clock showed last, in seconds.
    clock: u64,
    dedup: DedupWindow,
    room: Option<RoomState>,
    followers: Followers,
}

impl MemoryLog {
    /// An empty log.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn new(retention: Retention) -> Result<Self, getrandom::Error> {
        let state = Mutex::new(State {
            index: MessageIndex::new(retention),
            records: BTreeMap::new(),
            ids: HashMap::new(),
            head: 0,
            opened: Instant::now(),
            clock: 0,
            dedup: DedupWindow::new(DEDUP_WINDOW),
            room: None,
            followers: Followers::default(),
        });
        Ok(Self { state, identity: RoomIdentity::fresh()? })
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn append(&mut self, entry: Entry, told: &mut Vec<Record>) -> Appended {
        let key = (entry.author, entry.id.clone());
        if let Some(seq) = self.ids.get(&key).copied().or_else(|| self.dedup.find(&key)) {
            return Appended::Duplicate(seq);
        }
        self.head += 1;
        self.dedup.insert((entry.author, entry.id.clone()), self.head);
        let record = entry.numbered(self.head);
        let effect = self.room.as_mut().map(|room| room.apply(&record));
        self.index.insert(self.head, Facts::from(&record));
        self.ids.insert(key, self.head);
        if !self.followers.is_empty() {
            told.push(record.clone());
        }
        self.records.insert(self.head, record);
        if let Some(erase) = effect.and_then(|effect| effect.erases) {
            self.index.erase(&erase).into_iter().for_each(|seq| self.remove(seq));
        }
        Appended::New(self.head)
    }

    /// Removes an entry and overwrites its text: freed memory is not emptied.
    fn remove(&mut self, seq: u64) {
        if let Some(mut record) = self.records.remove(&seq) {
            record.body.wipe();
            self.ids.remove(&(record.author, record.id));
        }
    }

    fn after(&self, after: u64, limit: usize) -> Vec<Record> {
        let kept = self.records.range(after.saturating_add(1)..).take(limit);
        kept.map(|(_, record)| record.clone()).collect()
    }

    fn trim(&mut self, clock: u64) {
        // As on disk: what differs by a day is no matter of rates, but the clock was set.
        if clock.abs_diff(self.opened.elapsed().as_secs()) <= CLOCK_DEVIATION {
            self.clock = self.clock.max(clock);
        }
        self.index.evict(clock.max(self.clock));
        self.index.evicted(usize::MAX).into_iter().for_each(|seq| self.remove(seq));
        self.index.removed(self.index.evicted_count());
    }
}

impl Log for MemoryLog {
    fn identity(&self) -> LogFuture<'_, RoomIdentity> {
        ready(Ok(self.identity.clone())).boxed()
    }

    fn append(&self, entries: Vec<Entry>) -> LogFuture<'_, Vec<Appended>> {
        let mut state = self.locked();
        let clock = entries.last().map_or(0, |entry| entry.at);
        let mut told = Vec::with_capacity(entries.len());
        let appended = entries.into_iter().map(|entry| state.append(entry, &mut told)).collect();
        state.followers.tell(told);
        state.trim(clock);
        ready(Ok(appended)).boxed()
    }

    fn state(&self, initial: RoomState) -> LogFuture<'_, RoomState> {
        ready(Ok(self.locked().room.get_or_insert(initial).clone())).boxed()
    }

    fn follow(&self, after: u64) -> LogFuture<'_, Follow> {
        let mut state = self.locked();
        let first = state.after(after, usize::MAX);
        ready(Ok(state.followers.add(first))).boxed()
    }

    fn read(&self, after: u64, limit: usize) -> LogFuture<'_, Vec<Record>> {
        ready(Ok(self.locked().after(after, limit))).boxed()
    }

    fn cursor_before(&self, before: u64, count: usize) -> LogFuture<'_, u64> {
        ready(Ok(self.locked().index.cursor_before(before, count))).boxed()
    }

    fn span(&self) -> LogFuture<'_, Span> {
        let state = self.locked();
        let (head, whole_from) = (state.head, state.index.whole_from());
        let first = state.index.first().unwrap_or(head + 1);
        ready(Ok(Span { first, head, whole_from })).boxed()
    }

    fn trim(&self, clock: u64) -> LogFuture<'_, ()> {
        self.locked().trim(clock);
        ready(Ok(())).boxed()
    }

    fn close(&self) -> LogFuture<'_, ()> {
        self.locked().followers = Followers::default();
        ready(Ok(())).boxed()
    }
}
