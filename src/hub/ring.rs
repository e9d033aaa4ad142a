//! The newest events of a room, encoded once, in the order that everyone sees.
//!
//! The bytes are WebSocket text frames, back to back, so that a guest who is behind by a hundred events gets
//! them in one copy and one write. A reader holds a position and nothing else: a slow guest costs one integer.

use std::collections::VecDeque;

use bytes::{BufMut, BytesMut};

use crate::protocol::frame;

/// How many bytes of encoded events a room holds. Whoever is further behind reads the log.
pub const RING_BYTES: usize = 1024 * 1024;

/// The last bytes of a room's events.
#[derive(Debug)]
pub struct Ring {
    bytes: VecDeque<u8>,
    /// Where each held event begins, oldest first.
    events: VecDeque<Held>,
    /// The position of the first held byte, counted from the room's opening.
    start: u64,
    /// The newest message, if the ring has ever had one.
    newest: Option<Held>,
    /// The newest message that is not held any more, or never was because it is older than the ring; or 0.
    pushed_out: u64,
    capacity: usize,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    begin: u64,
    /// The message's sequence number; 0 for presence, which has none.
    seq: u64,
}

/// What [`Ring::copy`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Where the reader stands now.
    pub position: u64,
    /// The newest message among what was copied.
    pub seq: Option<u64>,
}

/// The reader is so far behind that the ring no longer has what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lagged;

impl Ring {
    /// An empty ring for `capacity` bytes; a single larger event is held alone.
    pub fn new(capacity: usize) -> Self {
        Self {
            bytes: VecDeque::new(),
            events: VecDeque::new(),
            start: 0,
            newest: None,
            pushed_out: 0,
            capacity,
        }
    }

    /// Tells an empty ring that there are messages up to `seq` already, which it does not have.
    pub fn begin_after(&mut self, seq: u64) {
        self.pushed_out = self.pushed_out.max(seq);
    }

    /// The position after the newest event.
    pub fn head(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Appends one event, given as JSON; `seq` is the message's sequence number, 0 for presence.
    pub fn push(&mut self, json: &str, seq: u64) {
        let held = Held { begin: self.head(), seq };
        self.events.push_back(held);
        if seq > 0 {
            self.newest = Some(held);
        }
        self.bytes.extend(frame::header(json.len()).as_slice());
        self.bytes.extend(json.as_bytes());
        while self.bytes.len() > self.capacity && self.events.len() > 1 {
            self.push_out();
        }
    }

    fn push_out(&mut self) {
        if let Some(oldest) = self.events.pop_front() {
            let next = self.events.front().map_or(self.head(), |held| held.begin);
            self.bytes.drain(..(next - self.start) as usize);
            self.start = next;
            self.pushed_out = self.pushed_out.max(oldest.seq);
        }
    }

    /// Copies whole frames from `position` towards the head: at least one if there is one, otherwise no more
    /// than fit into `limit` bytes.
    ///
    /// # Errors
    /// [`Lagged`] if the ring no longer has the event at `position`.
    pub fn copy(&self, position: u64, limit: usize, out: &mut BytesMut) -> Result<Copied, Lagged> {
        if position < self.start {
            return Err(Lagged);
        }
        let head = self.head();
        if head - position <= limit as u64 {
            // Nearly always: everything that is new.
            self.copy_bytes(position, head, out);
            let newest = self.newest.filter(|held| held.begin >= position);
            return Ok(Copied { position: head, seq: newest.map(|held| held.seq) });
        }
        let from = self.events.partition_point(|held| held.begin < position);
        let reach = position.saturating_add(limit as u64);
        // The events that end within reach are those whose successor begins within reach.
        let whole = self.events.partition_point(|held| held.begin <= reach);
        let to = whole.saturating_sub(1).max(from + 1).min(self.events.len());
        let end = self.events.get(to).map_or(head, |held| held.begin);
        self.copy_bytes(position, end, out);
        let seq = self.events.range(from..to).rev().map(|held| held.seq).find(|seq| *seq > 0);
        Ok(Copied { position: end, seq })
    }

    /// Copies the messages, and only the messages, with `after` < `seq` <= `until`, about `limit` bytes at
    /// most; answers with the newest that was copied. `None` if the ring does not have all of them.
    pub fn copy_messages(&self, after: u64, until: u64, limit: usize, out: &mut BytesMut) -> Option<u64> {
        if after < self.pushed_out || after >= until {
            return None;
        }
        let full = out.len() + limit;
        let mut newest = None;
        for (index, held) in self.events.iter().enumerate() {
            if held.seq > after && held.seq <= until {
                let end = self.events.get(index + 1).map_or(self.head(), |next| next.begin);
                self.copy_bytes(held.begin, end, out);
                newest = Some(held.seq);
                if out.len() >= full {
                    break;
                }
            }
        }
        newest
    }

    fn copy_bytes(&self, from: u64, to: u64, out: &mut BytesMut) {
        let (from, to) = ((from - self.start) as usize, (to - self.start) as usize);
        let (front, back) = self.bytes.as_slices();
        out.reserve(to - from);
        out.put_slice(&front[from.min(front.len())..to.min(front.len())]);
        out.put_slice(&back[from.saturating_sub(front.len())..to.saturating_sub(front.len())]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(payloads: &[String]) -> Vec<u8> {
        let mut out = BytesMut::new();
        payloads.iter().for_each(|payload| frame::text(payload, &mut out));
        out.to_vec()
    }

    #[test]
    fn a_reader_gets_everything_in_one_copy() {
        let mut ring = Ring::new(1000);
        let mut out = BytesMut::new();
        ring.push("one", 1);
        ring.push("joined", 0);
        assert_eq!(ring.copy(0, 1000, &mut out), Ok(Copied { position: ring.head(), seq: Some(1) }));
        assert_eq!(out[..], frames(&["one".into(), "joined".into()]));
        assert_eq!(ring.copy(ring.head(), 1000, &mut out), Ok(Copied { position: ring.head(), seq: None }));
    }

    #[test]
    fn whoever_is_too_far_behind_is_told() {
        let mut ring = Ring::new(10);
        ring.push("12345678", 1);
        ring.push("12345678", 2);
        let mut out = BytesMut::new();
        assert_eq!(ring.copy(0, 100, &mut out), Err(Lagged));
        assert_eq!(ring.copy_messages(0, 2, 100, &mut out), None);
        assert_eq!(ring.copy_messages(1, 2, 100, &mut out), Some(2));
        assert_eq!(out[..], frames(&["12345678".into()]));
    }

    #[test]
    fn messages_come_without_presence() {
        let mut ring = Ring::new(1000);
        for (json, seq) in [("a", 1), ("joined", 0), ("b", 2), ("c", 3)] {
            ring.push(json, seq);
        }
        let mut out = BytesMut::new();
        assert_eq!(ring.copy_messages(0, 2, 1000, &mut out), Some(2));
        assert_eq!(out[..], frames(&["a".into(), "b".into()]));
        assert_eq!(ring.copy_messages(3, 3, 1000, &mut out), None);
    }

    #[test]
    fn what_is_older_than_the_ring_is_not_skipped() {
        let mut ring = Ring::new(1000);
        ring.begin_after(5);
        ring.push("six", 6);
        let mut out = BytesMut::new();
        assert_eq!(ring.copy_messages(4, 6, 1000, &mut out), None);
        assert_eq!(ring.copy_messages(5, 6, 1000, &mut out), Some(6));
    }

    proptest! {
        /// However it is cut, a reader that keeps up sees every frame whole, once, in order; one that does
        /// not is told.
        #[test]
        fn readers_see_whole_frames_in_order(
            steps in prop::collection::vec((0usize..60, 1usize..80, any::<bool>()), 1..80),
            capacity in 20usize..200,
        ) {
            let mut ring = Ring::new(capacity);
            let (mut position, mut pending) = (0, Vec::new());
            for (number, (length, limit, read)) in steps.into_iter().enumerate() {
                let payload = format!("{number}:{}", "x".repeat(length));
                ring.push(&payload, number as u64 + 1);
                pending.push(payload);
                if read {
                    let mut out = BytesMut::new();
                    match ring.copy(position, limit, &mut out) {
                        Ok(copied) => {
                            let taken = (1..=pending.len()).find(|count| frames(&pending[..*count]) == out[..]);
                            prop_assert!(taken.is_some(), "whole frames, in order");
                            let taken = taken.unwrap_or(0);
                            prop_assert!(out.len() <= limit || taken == 1);
                            pending.drain(..taken);
                            position = copied.position;
                        }
                        Err(Lagged) => {
                            position = ring.head();
                            pending.clear();
                        }
                    }
                }
            }
        }
    }
}
