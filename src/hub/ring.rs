//! The newest events of a room, encoded once, in the order that all readers get them.
//!
//! The bytes are WebSocket text frames, back to back, so that a WebSocket that is behind by a hundred events
//! gets them in one copy and one write. The index beside them has each event's kind, sequence number and place,
//! so that the other transports get the JSON without parsing frames. A reader holds a position and nothing
//! else: a slow reader costs one integer.

use std::collections::VecDeque;

use bytes::{BufMut, BytesMut};

use crate::protocol::{EncodedEvent, Event, EventBatch, EventKind, frame};

/// How many bytes of encoded events a room holds. A reader that is further behind reads the log.
pub const RING_BYTES: usize = 1024 * 1024;

/// The last bytes of a room's events.
#[derive(Debug)]
pub struct Ring {
    bytes: VecDeque<u8>,
    /// The held events, oldest first.
    events: VecDeque<Held>,
    /// The position of the first held byte, counted from the room's opening.
    start: u64,
    /// The newest message, if the ring has ever had one.
    newest: Option<Held>,
    /// The newest message that is no longer held, or never was because it is older than the ring; or 0.
    evicted: u64,
    capacity: usize,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    /// The position of the frame's first byte.
    begin: u64,
    /// The message's sequence number; 0 for every other event.
    seq: u64,
    kind: EventKind,
    /// How many bytes of the frame come before the JSON.
    header: u8,
}

/// What [`Ring::copy`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The reader's position now.
    pub position: u64,
    /// The newest message among what was copied.
    pub seq: Option<u64>,
}

/// The reader is so far behind that the ring no longer has what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lagged;

/// What events are appended to: WebSocket frames in [`BytesMut`], or their JSON in an [`EventBatch`].
pub trait Output {
    /// How many bytes it has.
    fn bytes(&self) -> usize;

    /// Encodes and appends one event.
    fn event(&mut self, event: &Event<'_>);

    /// Appends the events from the position `begin` up to `end`, which the ring has.
    fn copy(&mut self, ring: &Ring, begin: u64, end: u64);
}

impl Output for BytesMut {
    fn bytes(&self) -> usize {
        self.len()
    }

    fn event(&mut self, event: &Event<'_>) {
        frame::text(&event.encode(), self);
    }

    fn copy(&mut self, ring: &Ring, begin: u64, end: u64) {
        let [front, back] = ring.between(begin, end);
        self.reserve(front.len() + back.len());
        self.put_slice(front);
        self.put_slice(back);
    }
}

impl Output for EventBatch {
    fn bytes(&self) -> usize {
        self.json_bytes()
    }

    fn event(&mut self, event: &Event<'_>) {
        self.push(event);
    }

    fn copy(&mut self, ring: &Ring, begin: u64, end: u64) {
        let from = ring.events.partition_point(|held| held.begin < begin);
        for (index, held) in
            ring.events.iter().enumerate().skip(from).take_while(|(_, held)| held.begin < end)
        {
            let json = ring.between(held.begin + u64::from(held.header), ring.end_of(index));
            self.push_parts(held.kind, (held.seq > 0).then_some(held.seq), json);
        }
    }
}

impl Ring {
    /// An empty ring for `capacity` bytes; a single larger event is held alone.
    pub fn new(capacity: usize) -> Self {
        Self { bytes: VecDeque::new(), events: VecDeque::new(), start: 0, newest: None, evicted: 0, capacity }
    }

    /// Tells an empty ring that the log has messages up to `seq`, which the ring has not.
    pub fn begin_after(&mut self, seq: u64) {
        self.evicted = self.evicted.max(seq);
    }

    /// The position after the newest event.
    pub fn head(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Appends one event.
    pub fn push(&mut self, event: EncodedEvent<'_>) {
        let header = frame::header(event.json.len());
        let (begin, seq) = (self.head(), event.seq.unwrap_or(0));
        let held = Held { begin, seq, kind: event.kind, header: header.length() };
        self.events.push_back(held);
        if seq > 0 {
            self.newest = Some(held);
        }
        self.bytes.extend(header.as_slice());
        self.bytes.extend(event.json.as_bytes());
        while self.bytes.len() > self.capacity && self.events.len() > 1 {
            self.evict();
        }
    }

    fn evict(&mut self) {
        if let Some(oldest) = self.events.pop_front() {
            let next = self.events.front().map_or(self.head(), |held| held.begin);
            self.bytes.drain(..(next - self.start) as usize);
            self.start = next;
            self.evicted = self.evicted.max(oldest.seq);
        }
    }

    /// The frames from `position` up to the head, in two parts where they go around the end of the buffer.
    ///
    /// # Errors
    /// [`Lagged`] if the ring no longer has the event at `position`.
    pub fn after(&self, position: u64) -> Result<[&[u8]; 2], Lagged> {
        if position < self.start { Err(Lagged) } else { Ok(self.between(position, self.head())) }
    }

    /// The end of the event that has the byte before `position`, which the ring has.
    pub fn event_end(&self, position: u64) -> u64 {
        let head = self.head();
        if position == head {
            return head;
        }
        let next = self.events.partition_point(|held| held.begin < position);
        self.events.get(next).map_or(head, |held| held.begin)
    }

    /// The newest message among the events that begin at or after `begin` and before `end`.
    pub fn newest_message(&self, begin: u64, end: u64) -> Option<u64> {
        if end == self.head() {
            return self.newest.filter(|held| held.begin >= begin).map(|held| held.seq);
        }
        let [from, to] =
            [begin, end].map(|position| self.events.partition_point(|held| held.begin < position));
        self.events.range(from..to).rev().map(|held| held.seq).find(|seq| *seq > 0)
    }

    /// Copies whole events from `position` towards the head: at least one if there is one, otherwise no more
    /// than fit into `limit` bytes of frames.
    ///
    /// # Errors
    /// [`Lagged`] if the ring no longer has the event at `position`.
    pub fn copy(&self, position: u64, limit: usize, out: &mut impl Output) -> Result<Copied, Lagged> {
        if position < self.start {
            return Err(Lagged);
        }
        let head = self.head();
        if head - position <= limit as u64 {
            // Nearly always: everything that is new.
            out.copy(self, position, head);
            return Ok(Copied { position: head, seq: self.newest_message(position, head) });
        }
        let from = self.events.partition_point(|held| held.begin < position);
        let reach = position.saturating_add(limit as u64);
        // The events that end within reach are those whose successor begins within reach.
        let whole = self.events.partition_point(|held| held.begin <= reach);
        let to = whole.saturating_sub(1).max(from + 1).min(self.events.len());
        let end = self.events.get(to).map_or(head, |held| held.begin);
        out.copy(self, position, end);
        Ok(Copied { position: end, seq: self.newest_message(position, end) })
    }

    /// Copies the messages, and only the messages, with `after` < `seq` <= `until`, about `limit` bytes at
    /// most; returns the newest that was copied. `None` if the ring does not have all of them.
    pub fn copy_messages(&self, after: u64, until: u64, limit: usize, out: &mut impl Output) -> Option<u64> {
        if after < self.evicted || after >= until {
            return None;
        }
        let full = out.bytes() + limit;
        let mut newest = None;
        for (index, held) in self.events.iter().enumerate() {
            if held.seq > after && held.seq <= until {
                out.copy(self, held.begin, self.end_of(index));
                newest = Some(held.seq);
                if out.bytes() >= full {
                    break;
                }
            }
        }
        newest
    }

    /// Where the event with this index ends.
    fn end_of(&self, index: usize) -> u64 {
        self.events.get(index + 1).map_or(self.head(), |next| next.begin)
    }

    /// The bytes between two positions, which the ring has, in two parts where they go around the end of the buffer.
    pub fn between(&self, begin: u64, end: u64) -> [&[u8]; 2] {
        let (begin, end) = ((begin - self.start) as usize, (end - self.start) as usize);
        let (front, back) = self.bytes.as_slices();
        let seam = front.len();
        [&front[begin.min(seam)..end.min(seam)], &back[begin.saturating_sub(seam)..end.saturating_sub(seam)]]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn push(ring: &mut Ring, json: &str, seq: u64) {
        let kind = if seq > 0 { EventKind::Message } else { EventKind::Joined };
        ring.push(EncodedEvent { kind, seq: (seq > 0).then_some(seq), json });
    }

    fn frames(payloads: &[String]) -> Vec<u8> {
        let mut out = BytesMut::new();
        payloads.iter().for_each(|payload| frame::text(payload, &mut out));
        out.to_vec()
    }

    #[test]
    fn a_reader_gets_everything_in_one_copy() {
        let mut ring = Ring::new(1000);
        let mut out = BytesMut::new();
        push(&mut ring, "one", 1);
        push(&mut ring, "joined", 0);
        assert_eq!(ring.copy(0, 1000, &mut out), Ok(Copied { position: ring.head(), seq: Some(1) }));
        assert_eq!(out[..], frames(&["one".into(), "joined".into()]));
        assert_eq!(ring.copy(ring.head(), 1000, &mut out), Ok(Copied { position: ring.head(), seq: None }));
    }

    #[test]
    fn a_reader_that_is_too_far_behind_is_told() {
        let mut ring = Ring::new(10);
        push(&mut ring, "12345678", 1);
        push(&mut ring, "12345678", 2);
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
            push(&mut ring, json, seq);
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
        push(&mut ring, "six", 6);
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
                push(&mut ring, &payload, number as u64 + 1);
                pending.push(payload);
                if read {
                    let (mut out, mut batch) = (BytesMut::new(), EventBatch::default());
                    prop_assert_eq!(
                        ring.copy(position, limit, &mut out),
                        ring.copy(position, limit, &mut batch)
                    );
                    match ring.copy(position, limit, &mut BytesMut::new()) {
                        Ok(copied) => {
                            let taken = (1..=pending.len()).find(|count| frames(&pending[..*count]) == out[..]);
                            prop_assert!(taken.is_some(), "whole frames, in order");
                            let taken = taken.unwrap_or(0);
                            prop_assert!(batch.iter().map(|event| event.json).eq(&pending[..taken]));
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
