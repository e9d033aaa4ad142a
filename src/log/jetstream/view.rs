//! What a node keeps of the stream in memory, and serves all reads from.
//!
//! It is a fold over the stream in its order, so every node that has read as far keeps the same, but for what is too old: that
//! each node decides by its own clock.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::wire::{Opened, Packed, Token, Wire};
use crate::log::dedup::DedupWindow;
use crate::log::followers::Followers;
use crate::log::index::{Facts, MessageIndex};
use crate::log::{CLOCK_DEVIATION, DEDUP_WINDOW, Erase, Follow, Retention, RoomState, Span};
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
    /// The room's state; that of the bucket may take account of entries that were not taken yet.
    room: Option<RoomState>,
    /// What acts erase that the state takes account of and that were not reached yet, in their order.
    ahead: VecDeque<Erase>,
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
    pub(super) when: When,
}

/// When an entry that is no longer kept is to be erased in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// At once: it was deleted by an act that this node appended.
    Now,
    /// When the other nodes have read it: this node appended it.
    Own,
    /// When the node whose task it is seems not to do it.
    Others,
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
            ahead: VecDeque::new(),
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
        self.end_at(wire, seq - 1);
        self.head = seq;
        self.newest = Some((seq, token));
        self.dedup.insert(token, seq);
        let (message, said) = (packed.is_message(), packed.is_said());
        let tells = !self.followers.is_empty();
        let (mut erases, own) = (None, packed.is_own());
        if (tells || !message)
            && let Some(record) = packed.record(seq)
        {
            if let Some(room) = &mut self.room
                && seq > self.room_changed
            {
                let effect = room.apply(&record);
                if effect.changed {
                    self.room_changed = seq;
                }
                erases = effect.erases;
            } else if self.room.as_ref().is_some_and(|room| room.is_replaced(&record)) {
                // The node that was to erase it did not get to it.
                erases = Some(Erase { before: seq, replaced: vec![seq], ..Erase::default() });
            }
            if tells {
                told.push(record);
            }
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.index.insert(seq, Facts { guest, at, bytes, message: said });
        self.records.insert(seq, packed);
        self.ids.insert(half(&token), seq);
        let when = if own { When::Now } else { When::Others };
        if let Some(erase) = erases {
            self.erase(wire, &erase, when);
        }
        self.erase_reached(wire, when);
        // Each entry moves the clock: so what is too old goes first on every node, and the shares are counted after.
        self.set_clock(at);
        self.evict(wire);
        true
    }

    /// Says that the stream has no further entry up to `head`.
    pub(super) fn end_at(&mut self, wire: &Wire, head: u64) {
        if head > self.head {
            self.index.end_at(head);
            self.head = head;
            self.erase_reached(wire, When::Others);
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
        for seq in self.index.evicted(usize::MAX) {
            self.remove(wire, seq, None);
        }
        self.index.removed(count);
    }

    /// Takes out what an act erases.
    fn erase(&mut self, wire: &Wire, erase: &Erase, when: When) {
        for seq in self.index.erase(erase) {
            self.remove(wire, seq, Some(when));
        }
    }

    /// The same for the acts up to here that the state was ahead of: each at its place, so that the retention finds what it
    /// found at the other nodes.
    fn erase_reached(&mut self, wire: &Wire, when: When) {
        while self.ahead.front().is_some_and(|erase| erase.before <= self.head)
            && let Some(erase) = self.ahead.pop_front()
        {
            self.erase(wire, &erase, when);
        }
    }

    fn remove(&mut self, wire: &Wire, seq: u64, when: Option<When>) {
        let Some(mut packed) = self.records.remove(&seq) else { return };
        if let Some((author, id)) = packed.key() {
            let half = half(&wire.token(author, &id));
            if self.ids.get(&half) == Some(&seq) {
                self.ids.remove(&half);
            }
        }
        let when = when.unwrap_or(if packed.is_own() { When::Own } else { When::Others });
        packed.wipe();
        self.evicted.push_back(Evicted { seq, since: Instant::now(), when });
    }

    /// Whether something that was deleted is to be erased in the stream by now.
    pub(super) fn is_erasing(&self, after: Duration) -> bool {
        self.evicted.iter().any(|one| one.when == When::Now && one.since.elapsed() >= after)
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
    pub(super) fn set_room(&mut self, wire: &Wire, seq: u64, state: RoomState) {
        self.room_kept = self.room_kept.max(seq);
        if self.room.is_some() && seq < self.room_changed {
            return;
        }
        let (mut state, mut changed) = (state, seq);
        // What the state says is erased may still be in the stream: the node that was to erase it is gone.
        let mut erases: VecDeque<Erase> = state.erased.iter().cloned().collect();
        let known = self.records.range(..=seq).filter(|(_, packed)| !packed.is_message());
        let replaced = known
            .filter(|(seq, packed)| packed.record(**seq).is_some_and(|record| state.is_replaced(&record)));
        let replaced: Vec<u64> = replaced.map(|(seq, _)| *seq).collect();
        for (seq, packed) in self.records.range(seq.saturating_add(1)..) {
            if !packed.is_message()
                && let Some(record) = packed.record(*seq)
            {
                let effect = state.apply(&record);
                if effect.changed {
                    changed = *seq;
                }
                erases.extend(effect.erases);
            }
        }
        self.room = Some(state);
        self.room_changed = changed;
        self.ahead = erases;
        self.erase(wire, &Erase { before: seq, replaced, ..Erase::default() }, When::Others);
        self.erase_reached(wire, When::Others);
    }
}

fn half(token: &Token) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *token;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
