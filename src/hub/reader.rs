//! One guest's way through a room's events: a cursor, and where to find what comes next.
//!
//! A reader first catches up with the messages after its cursor, from the ring where it still has them and
//! from the log where not, and then follows the ring live from the position at which it came in. Since the
//! position was taken before the first message is read, nothing can fall between. Whoever then reads too
//! slowly for the ring is told again who is here, catches up from the log, and goes on.

use std::future::poll_fn;
use std::sync::PoisonError;
use std::task::{Context, Poll};

use bytes::BytesMut;

use super::bell::Listener;
use super::ring::Lagged;
use super::room::{Entered, Room, Visit};
use crate::protocol::event::Event;
use crate::protocol::{Code, Refusal, Welcome, frame};

/// About how many bytes are put together for one write.
pub const BATCH_BYTES: usize = 64 * 1024;

/// How many messages are read from the log at once.
const LOG_PAGE: usize = 64;

/// A guest's cursor.
pub struct Reader {
    room: Room,
    listener: Listener,
    /// The newest message that was read.
    after: u64,
    /// The last message of the catching up; at or below `after` when there is none to do.
    until: u64,
    /// The newest message that was no longer kept when the catching up began. The ring may still have it, but
    /// what is not kept is not given to anyone who was not there.
    gone: u64,
    /// Where the live events go on.
    position: u64,
}

impl Reader {
    /// Reads for somebody who just came in, from the cursor on.
    pub fn of_guest(room: &Room, entered: &Entered, after: Option<u64>) -> Self {
        Self::new(room, &entered.welcome, entered.position, after)
    }

    /// The same for a single request.
    pub fn of_visit(room: &Room, visit: &Visit, after: Option<u64>) -> Self {
        Self::new(room, &visit.welcome, visit.position, after)
    }

    /// Reads everything after the message `after`, or everything that is kept.
    fn new(room: &Room, welcome: &Welcome, position: u64, after: Option<u64>) -> Self {
        let gone = welcome.first.saturating_sub(1);
        Self {
            room: room.clone(),
            listener: Listener::new(&room.shared().bell),
            // A cursor beyond the head is from another world; everything that is kept is the honest answer.
            after: after.filter(|after| *after <= welcome.head).unwrap_or(gone),
            until: welcome.head,
            gone,
            position,
        }
    }

    /// The newest message that was read: the cursor to come back with.
    pub fn after(&self) -> u64 {
        self.after
    }

    /// Appends what comes next to `out` as whole WebSocket frames, about [`BATCH_BYTES`] at most. Nothing is
    /// appended only when there is nothing more for now.
    ///
    /// # Errors
    /// `not_kept` when the log cannot be read.
    pub async fn read(&mut self, out: &mut BytesMut) -> Result<(), Refusal> {
        if self.after < self.until {
            return self.catch_up(out).await;
        }
        if self.read_ring(out).is_err() { self.start_over(out).await } else { Ok(()) }
    }

    fn read_ring(&mut self, out: &mut BytesMut) -> Result<(), Lagged> {
        let ring = self.room.shared().ring.read().unwrap_or_else(PoisonError::into_inner);
        let copied = ring.copy(self.position, BATCH_BYTES, out)?;
        self.position = copied.position;
        self.after = copied.seq.unwrap_or(self.after);
        Ok(())
    }

    /// Completes when [`Reader::read`] has something; false when the room is gone.
    pub async fn wait(&mut self) -> bool {
        poll_fn(|context| self.poll_wait(context)).await
    }

    /// The same for those who poll. What is new between a read and the next wait is not missed.
    pub fn poll_wait(&mut self, context: &Context<'_>) -> Poll<bool> {
        if self.after < self.until {
            return Poll::Ready(true);
        }
        self.listener.poll(self.position, context)
    }

    async fn catch_up(&mut self, out: &mut BytesMut) -> Result<(), Refusal> {
        if self.after < self.gone {
            self.tell_gap(self.gone + 1, out);
            self.after = self.gone;
            return Ok(());
        }
        if let Some(newest) = self.copy_from_ring(out) {
            self.after = newest;
            return Ok(());
        }
        let log = &self.room.shared().log;
        let messages = log.read(self.after, LOG_PAGE).await.map_err(|error| {
            tracing::error!(%error, "messages could not be read");
            Refusal::new(Code::NotKept, "The room cannot read its messages at the moment.")
        })?;
        let full = out.len() + BATCH_BYTES;
        for message in messages.iter().take_while(|message| message.seq <= self.until) {
            self.tell_gap(message.seq, out);
            frame::text(&message.event().encode(), out);
            self.after = message.seq;
            if out.len() >= full {
                return Ok(());
            }
        }
        if messages.last().is_none_or(|message| message.seq > self.until) && self.after < self.until {
            // The rest was trimmed meanwhile.
            self.tell_gap(self.until + 1, out);
            self.after = self.until;
        }
        Ok(())
    }

    fn copy_from_ring(&self, out: &mut BytesMut) -> Option<u64> {
        let ring = self.room.shared().ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.copy_messages(self.after, self.until, BATCH_BYTES, out)
    }

    fn tell_gap(&self, before: u64, out: &mut BytesMut) {
        if before > self.after + 1 {
            frame::text(&Event::Gap { after: self.after, before }.encode(), out);
        }
    }

    async fn start_over(&mut self, out: &mut BytesMut) -> Result<(), Refusal> {
        let snapshot = self.room.snapshot().await?;
        frame::text(&snapshot.here.event().encode(), out);
        self.position = snapshot.position;
        self.until = snapshot.span.head;
        self.gone = snapshot.span.first.saturating_sub(1);
        Ok(())
    }
}
