//! The newest events of a room, encoded once, in the order that all readers get them.
//!
//! The bytes are WebSocket text frames, back to back, so that a WebSocket that is behind by a hundred events
//! gets them in one copy and one write. The index beside them has each event's kind, sequence number and place,
//! so that the other transports get the JSON without parsing frames. A reader holds a position and nothing
//! else: a slow reader costs one integer.
//!
//! What is deleted is overwritten in place, by a frame of the same length that says so and ends with spaces: positions stay as they
//! are, and a frame that was cut at a connection goes on with the rest that the [connection](super::direct) has copied. Nor
//! does the memory keep what was said: what is evicted is overwritten, too, and so is the buffer when a larger one takes its
//! place.

use std::collections::VecDeque;

use bytes::{BufMut, BytesMut};
use zeroize::Zeroize;

use crate::log::Erase;
use crate::protocol::{EncodedEvent, Event, EventBatch, EventKind, GuestId, frame};

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
    /// How often a text was erased.
    erasures: u64,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    /// The position of the frame's first byte.
    begin: u64,
    /// The message's sequence number; 0 for every other event.
    seq: u64,
    /// The author of a message.
    author: GuestId,
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
            if held.kind == EventKind::Deleted {
                // Without the spaces.
                self.push(&Event::Deleted { seq: held.seq });
                continue;
            }
            let json = ring.between(held.begin + u64::from(held.header), ring.end_of(index));
            self.push_parts(held.kind, (held.seq > 0).then_some(held.seq), json);
        }
    }
}

impl Ring {
    /// An empty ring for `capacity` bytes; a single larger event is held alone.
    pub fn new(capacity: usize) -> Self {
        let (bytes, events) = (VecDeque::new(), VecDeque::new());
        Self { bytes, events, start: 0, newest: None, evicted: 0, capacity, erasures: 0 }
    }

    /// Tells an empty ring that the log has messages up to `seq`, which the ring has not.
    pub fn begin_after(&mut self, seq: u64) {
        self.evicted = self.evicted.max(seq);
    }

    /// The position after the newest event.
    pub fn head(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Appends one event; of a message with its author.
    pub fn push(&mut self, event: EncodedEvent<'_>, author: GuestId) {
        let header = frame::header(event.json.len());
        let (begin, seq) = (self.head(), event.seq.unwrap_or(0));
        let held = Held { begin, seq, author, kind: event.kind, header: header.length() };
        self.reserve(header.as_slice().len() + event.json.len());
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

    /// Has space for so many bytes more. A buffer that grows by itself would leave what it had in freed memory.
    fn reserve(&mut self, more: usize) {
        let needed = self.bytes.len() + more;
        if needed <= self.bytes.capacity() {
            return;
        }
        let mut larger = VecDeque::with_capacity(needed.next_power_of_two());
        let (front, back) = self.bytes.as_mut_slices();
        for part in [front, back] {
            larger.extend(&*part);
            part.zeroize();
        }
        self.bytes = larger;
    }

    fn evict(&mut self) {
        if let Some(oldest) = self.events.pop_front() {
            let next = self.events.front().map_or(self.head(), |held| held.begin);
            self.overwrite(self.start, next, b"");
            self.bytes.drain(..(next - self.start) as usize);
            self.start = next;
            self.evicted = self.evicted.max(oldest.seq);
        }
    }

    /// Gives the buffer up, while nothing reads it: who comes later reads the log.
    pub fn give_up(&mut self) {
        while !self.events.is_empty() {
            self.evict();
        }
        (self.bytes, self.events) = (VecDeque::new(), VecDeque::new());
    }

    /// Overwrites what an act erases, as far as it is held: who reads it later learns that it was deleted.
    pub fn erase(&mut self, erase: &Erase) {
        // A reaction that was replaced says nothing: its frame stays, and the newer one follows.
        if !erase.has_texts() {
            return;
        }
        self.erasures += 1;
        for index in 0..self.events.len() {
            let Held { begin, seq, author, kind, header } = self.events[index];
            let erased = match kind {
                EventKind::Message => erase.has_message(seq, author),
                EventKind::Act => erase.pins.contains(&seq),
                _ => false,
            };
            if erased {
                let json = Event::Deleted { seq }.encode();
                self.overwrite(begin + u64::from(header), self.end_of(index), json.as_bytes());
                self.events[index].kind = EventKind::Deleted;
            }
        }
    }

    /// The newest message that was ever in it, or that it was told of.
    pub fn newest(&self) -> u64 {
        self.newest.map_or(0, |held| held.seq).max(self.evicted)
    }

    /// How often something was erased: who read from the log before the last time may have what was erased.
    pub fn erasures(&self) -> u64 {
        self.erasures
    }

    /// Overwrites the bytes between two positions with these, and spaces after them. They are fewer: of all events that
    /// have a number, `deleted` is the shortest.
    fn overwrite(&mut self, begin: u64, end: u64, mut with: &[u8]) {
        let (begin, end) = ((begin - self.start) as usize, (end - self.start) as usize);
        let (front, back) = self.bytes.as_mut_slices();
        let seam = front.len();
        let (in_back, end_in_back) = (begin.saturating_sub(seam), end.saturating_sub(seam));
        for part in [&mut front[begin.min(seam)..end.min(seam)], &mut back[in_back..end_in_back]] {
            part.fill(b' ');
            let (now, later) = with.split_at(with.len().min(part.len()));
            part[..now.len()].copy_from_slice(now);
            with = later;
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
mod tests;
