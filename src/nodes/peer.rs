//! One other node: its counters, and its guests as far as they are known.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::time::Duration;

use tokio::time::Instant;

use super::wire::{Beat, Page};
use crate::hub::cluster::{ClusterEvent, Door, NodeId, Presence, SeatedGuest};
use crate::protocol::GuestId;

/// How long a node that says nothing is taken for present.
pub(super) const SILENCE: Duration = Duration::from_secs(7);

/// How many guests of one node are known at most; more than a room can have.
pub(super) const GUESTS_MAX: usize = 20_000;

/// Another node.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) last_heard: Instant,
    /// The newest heartbeat.
    pub(super) beats: u64,
    /// The newest revision of its lease that it told.
    pub(super) lease: u64,
    pub(super) door: Option<Door>,
    /// The newest change that was heard of.
    seen: u64,
    /// Since which change all are known, where earlier ones are missing.
    run: Option<u64>,
    /// Whether it has answered with a snapshot since it was heard.
    shown: bool,
    /// Whether it has said goodbye or is dead.
    closed: bool,
    guests: BTreeMap<GuestId, (SeatedGuest, u64)>,
    /// Guests who left while a snapshot is under way, and by which change: an older page may still have them.
    left: HashMap<GuestId, u64>,
    ask_at: Instant,
    asking: Option<Asking>,
}

/// A snapshot that is under way.
#[derive(Debug, Clone, Copy, Default)]
struct Asking {
    /// The newest change that the first page knew.
    begun: Option<u64>,
    /// Up to which guest its pages have said who is there.
    through: Option<GuestId>,
    /// Whether what its pages said was forgotten since.
    is_void: bool,
}

impl Asking {
    /// Whether its pages know more of a guest than this change says, which came late. What comes after it may be passed over
    /// when the snapshot is complete, so that it must not be taken in.
    fn knows(&self, guest: GuestId, number: u64) -> bool {
        !self.is_void
            && self.begun.is_some_and(|begun| number <= begun)
            && self.through.is_some_and(|through| guest <= through)
    }
}

impl Peer {
    pub(super) fn new(ask_at: Instant) -> Self {
        Self {
            last_heard: ask_at,
            beats: 0,
            lease: 0,
            door: None,
            seen: 0,
            run: Some(1),
            shown: false,
            closed: false,
            guests: BTreeMap::new(),
            left: HashMap::new(),
            ask_at,
            asking: None,
        }
    }

    /// It has said something new. One that was silent is asked for a snapshot at `ask_at`.
    pub(super) fn heard(&mut self, now: Instant, ask_at: Instant) {
        if now.saturating_duration_since(self.last_heard) >= SILENCE {
            self.ask_at = ask_at;
        }
        self.last_heard = now;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes a heartbeat in; `false` for one that was there before.
    pub(super) fn beat(&mut self, beat: Beat, ask_at: Instant) -> bool {
        if beat.beat <= self.beats {
            return false;
        }
        self.beats = beat.beat;
        self.lease = self.lease.max(beat.lease);
        self.door = beat.door;
        self.told_of(beat.changes, ask_at);
        true
    }

    pub(super) fn is_shown(&self) -> bool {
        self.shown
    }

    pub(super) fn guests(&self) -> usize {
        self.guests.len()
    }

    /// Takes a change in; `false` for one that was there before, or that there is no room for.
    pub(super) fn change(
        &mut self,
        node: NodeId,
        number: u64,
        presence: Presence,
        ask_at: Instant,
        events: &mut Vec<ClusterEvent>,
    ) -> bool {
        if number <= self.seen {
            return false;
        }
        self.told_of(number - 1, ask_at);
        self.seen = number;
        let guest = match &presence {
            Presence::Present(seated) => seated.guest.id,
            Presence::Absent(guest) => *guest,
        };
        let is_late = self.asking.is_some_and(|asking| asking.knows(guest, number));
        if is_late || self.guests.get(&guest).is_some_and(|(_, known)| *known > number) {
            return true;
        }
        match presence {
            Presence::Present(seated) => self.seat(node, seated, number, events),
            Presence::Absent(guest) => {
                if self.asking.is_some() && self.left.len() < GUESTS_MAX {
                    self.left.insert(guest, number);
                }
                if self.guests.remove(&guest).is_some() && self.shown {
                    events.push(ClusterEvent::Absent(node, guest));
                }
                true
            }
        }
    }

    /// There were so many changes: where not all of them were heard, a snapshot is needed.
    pub(super) fn told_of(&mut self, changes: u64, ask_at: Instant) {
        if changes > self.seen {
            self.seen = changes;
            if self.run.is_none() {
                self.ask_at = ask_at;
            }
            self.run = Some(changes.saturating_add(1));
        }
    }

    fn seat(
        &mut self,
        node: NodeId,
        seated: SeatedGuest,
        number: u64,
        events: &mut Vec<ClusterEvent>,
    ) -> bool {
        let guest = seated.guest.id;
        if self.guests.len() >= GUESTS_MAX && !self.guests.contains_key(&guest) {
            return false;
        }
        let before = self.guests.insert(guest, (seated.clone(), number));
        if self.shown && before.is_none_or(|(before, _)| before != seated) {
            events.push(ClusterEvent::Present(node, seated));
        }
        true
    }

    /// Takes a page of a snapshot in; returns after which guest to go on, or `None` after the last one.
    pub(super) fn page(
        &mut self,
        node: NodeId,
        after: Option<GuestId>,
        page: Page,
        now: Instant,
        events: &mut Vec<ClusterEvent>,
    ) -> Option<GuestId> {
        let asking = self.asking.as_mut()?;
        if asking.is_void {
            self.ask_again(now);
            return None;
        }
        let begun = *asking.begun.get_or_insert(page.changes);
        let last = page.guests.last().map(|(seated, _)| seated.guest.id).filter(|_| page.more);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let to = last.map_or(Bound::Unbounded, Bound::Included);
        let in_page: HashSet<GuestId> = page.guests.iter().map(|(seated, _)| seated.guest.id).collect();
        let known = self.guests.range((from, to));
        let left: Vec<GuestId> = known
            .filter(|(guest, (_, number))| *number <= page.changes && !in_page.contains(guest))
            .map(|(guest, _)| *guest)
            .collect();
        for guest in left {
            self.guests.remove(&guest);
            if self.shown {
                events.push(ClusterEvent::Absent(node, guest));
            }
        }
        for (seated, number) in page.guests {
            let guest = seated.guest.id;
            let newer =
                self.guests.get(&guest).map(|(_, number)| *number).max(self.left.get(&guest).copied());
            if newer.is_none_or(|newer| newer < number) {
                self.seat(node, seated, number, events);
            }
        }
        if let Some(asking) = &mut self.asking {
            asking.through = last;
        }
        self.last_heard = self.last_heard.max(now);
        if last.is_none() || self.guests.len() >= GUESTS_MAX {
            self.finish(node, begun, now, events);
            return None;
        }
        last
    }

    fn finish(&mut self, node: NodeId, begun: u64, now: Instant, events: &mut Vec<ClusterEvent>) {
        self.asking = None;
        self.left.clear();
        self.seen = self.seen.max(begun);
        if self.run.is_some_and(|run| begun.saturating_add(1) < run) {
            // A change was missed while the snapshot was under way.
            self.ask_at = now;
        } else {
            self.run = None;
        }
        if !self.shown && !self.closed {
            self.shown = true;
            events
                .extend(self.guests.values().map(|(seated, _)| ClusterEvent::Present(node, seated.clone())));
        }
    }

    /// Takes its guests for absent, until it has answered with another snapshot.
    pub(super) fn hide(&mut self, node: NodeId, events: &mut Vec<ClusterEvent>) {
        if self.shown {
            events.extend(self.guests.keys().map(|guest| ClusterEvent::Absent(node, *guest)));
        }
        self.shown = false;
        self.guests.clear();
        self.left.clear();
        if let Some(asking) = &mut self.asking {
            asking.is_void = true;
        }
        // All that was heard is forgotten: only a page that knows of it will do.
        self.run = Some(self.seen.saturating_add(1));
    }

    /// It will not come back: what is still on the way of it means nothing.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.asking = None;
    }

    pub(super) fn is_to_be_asked(&self, now: Instant) -> bool {
        let is_heard = now.saturating_duration_since(self.last_heard) < SILENCE;
        let is_due = self.run.is_some() && self.asking.is_none() && self.ask_at <= now;
        is_due && is_heard && !self.closed
    }

    pub(super) fn ask(&mut self) {
        self.asking = Some(Asking::default());
    }

    pub(super) fn ask_again(&mut self, at: Instant) {
        self.asking = None;
        self.left.clear();
        self.ask_at = at;
    }
}
