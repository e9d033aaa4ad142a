//! What a node keeps of the stream in memory, and serves all reads from.
//!
//! It is a fold over the stream in its order, so every node that has read as far keeps the same, but for what is too old: that
//! each node decides by its own clock.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use super::wire::{Opened, Packed, Token, Wire};
use crate::log::dedup::DedupWindow;
use crate::log::followers::Followers;
use crate::log::index::{Facts, MessageIndex};
use crate::log::{CLOCK_DEVIATION, DEDUP_WINDOW, Follow, Retention, RoomState, Span};
use crate::protocol::Record;

/// The kept entries, and what follows from all.
pub(super) struct View {
    index: MessageIndex,
    records: BTreeMap<u64, Packed>,
    /// The kept entries by half of their tokens. Should two have the same half, the stream still tells them apart.
    ids: HashMap<u64, u64>,
    dedup: DedupWindow<Token>,
    head: u64,
    /// The newest entry that was taken.
    newest: Option<(u64, Token)>,
    /// What the room's clock showed last, in seconds, and where it began in this process.
    clock: u64,
    started: (Instant, u64),
    room: Option<RoomState>,
    /// The newest entry that changed the room's state, and up to which entry the bucket has the state.
    pub(super) room_changed: u64,
    pub(super) room_kept: u64,
    followers: Followers,
    /// What is no longer kept and may still be in the stream, in the order of its eviction.
    pub(super) evicted: VecDeque<Evicted>,
}

/// An entry that is no longer kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evicted {
    pub(super) seq: u64,
    pub(super) since: Instant,
    pub(super) own: bool,
}

impl View {
    pub(super) fn new(retention: Retention) -> Self {
        Self {
            index: MessageIndex::new(retention),
            records: BTreeMap::new(),
            ids: HashMap::new(),
            dedup: DedupWindow::new(DEDUP_WINDOW),
            head: 0,
            newest: None,
            clock: 0,
            started: (Instant::now(), 0),
            room: None,
            room_changed: 0,
            room_kept: 0,
            followers: Followers::default(),
            evicted: VecDeque::new(),
        }
    }

    /// Begins with the room's clock.
    pub(super) fn start_clock(&mut self, clock: u64) {
        self.started = (Instant::now(), clock);
        self.clock = clock;
    }

    pub(super) fn head(&self) -> u64 {
        self.head
    }

    /// The newest entry that was taken, with its number.
    pub(super) fn newest(&self) -> Option<(u64, Token)> {
        self.newest
    }

    /// What the room's clock showed last.
    pub(super) fn clock(&self) -> u64 {
        self.clock
    }

    /// The number of the entry, if it is kept or among the newest.
    pub(super) fn find(&self, token: &Token) -> Option<u64> {
        self.dedup.find(token).or_else(|| self.ids.get(&half(token)).copied())
    }

    /// Takes the next entry of the stream. Numbers that were left out are not kept. Returns false for one that is known.
    pub(super) fn take(&mut self, wire: &Wire, seq: u64, opened: Opened, told: &mut Vec<Record>) -> bool {
        let Opened { token, packed } = opened;
        if seq <= self.head {
            return false;
        }
        let Some((guest, at, bytes)) = packed.facts() else { return false };
        self.end_at(seq - 1);
        self.head = seq;
        self.newest = Some((seq, token));
        self.dedup.insert(token, seq);
        let tells = !self.followers.is_empty();
        if (tells || !packed.is_message())
            && let Some(record) = packed.record(seq)
        {
            if let Some(room) = &mut self.room
                && room.apply(&record).changed
            {
                self.room_changed = seq;
            }
            if tells {
                told.push(record);
            }
        }
        self.index.insert(seq, Facts { guest, at, bytes: u32::try_from(bytes).unwrap_or(u32::MAX) });
        self.records.insert(seq, packed);
        self.ids.insert(half(&token), seq);
        // Each entry moves the clock: so what is too old goes first on every node, and the shares are counted after.
        self.set_clock(at);
        self.evict(wire);
        true
    }

    /// Says that the stream has no further entry up to `head`.
    pub(super) fn end_at(&mut self, head: u64) {
        if head > self.head {
            self.index.end_at(head);
            self.head = head;
        }
    }

    /// Evicts what the retention no longer allows when the room's clock shows `clock`.
    pub(super) fn trim(&mut self, wire: &Wire, clock: u64) {
        self.set_clock(clock);
        self.evict(wire);
    }

    /// As on disk: what differs by a day is no matter of rates, but a clock was set.
    fn set_clock(&mut self, clock: u64) {
        let (since, start) = self.started;
        if clock.abs_diff(start + since.elapsed().as_secs()) <= CLOCK_DEVIATION {
            self.clock = self.clock.max(clock);
        }
    }

    fn evict(&mut self, wire: &Wire) {
        self.index.evict(self.clock);
        let count = self.index.evicted_count();
        if count == 0 {
            return;
        }
        let since = Instant::now();
        for seq in self.index.evicted(usize::MAX) {
            let Some(packed) = self.records.remove(&seq) else { continue };
            if let Some((author, id)) = packed.key() {
                let half = half(&wire.token(author, &id));
                if self.ids.get(&half) == Some(&seq) {
                    self.ids.remove(&half);
                }
            }
            self.evicted.push_back(Evicted { seq, since, own: packed.is_own() });
        }
        self.index.removed(count);
    }

    pub(super) fn read(&self, after: u64, limit: usize) -> Vec<Record> {
        let kept = self.records.range(after.saturating_add(1)..).take(limit);
        kept.filter_map(|(seq, packed)| packed.record(*seq)).collect()
    }

    pub(super) fn cursor_before(&self, before: u64, count: usize) -> u64 {
        self.index.cursor_before(before, count)
    }

    pub(super) fn span(&self) -> Span {
        let first = self.index.first().unwrap_or(self.head + 1);
        Span { first, head: self.head, whole_from: self.index.whole_from() }
    }

    pub(super) fn follow(&mut self, after: u64) -> Follow {
        let first = self.read(after, usize::MAX);
        self.followers.add(first)
    }

    pub(super) fn tell(&mut self, records: Vec<Record>) {
        self.followers.tell(records);
    }

    /// Ends all that follow.
    pub(super) fn end(&mut self) {
        self.followers = Followers::default();
    }

    pub(super) fn room(&self) -> Option<&RoomState> {
        self.room.as_ref()
    }

    /// Takes the state that the bucket has, after the entry `seq`, and what the kept entries after that make of it. An older
    /// one than is known already changes nothing.
    pub(super) fn set_room(&mut self, seq: u64, state: RoomState) {
        self.room_kept = self.room_kept.max(seq);
        if self.room.is_some() && seq < self.room_changed {
            return;
        }
        let (mut state, mut changed) = (state, seq);
        for (seq, packed) in self.records.range(seq.saturating_add(1)..) {
            if !packed.is_message()
                && let Some(record) = packed.record(*seq)
                && state.apply(&record).changed
            {
                changed = *seq;
            }
        }
        self.room = Some(state);
        self.room_changed = changed;
    }
}

fn half(token: &Token) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *token;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
