//! A guest's cursor: finds what comes next for it, in the ring or in the log.
//!
//! A reader first reads the messages after its cursor, from the ring where it still has them and from the log
//! where not, and then follows the ring live from the position at which the guest joined. The position was taken
//! before the first message is read, so nothing is missed between. A reader that lags behind the ring gets a
//! snapshot of the roster, reads the log, and goes on.
//!
//! Among the kept messages some may be missing, because the log trims those of the author who keeps most. The ring may
//! still have them, so it is used from where on the log has every message. Of the missing ones a reader with a cursor, or
//! one that lagged, is told the first run, as a `gap`; who missed nothing is told nothing.

use std::future::poll_fn;
use std::sync::PoisonError;
use std::task::{Context, Poll};

use bytes::BytesMut;

use super::command::{Join, StatelessJoin};
use super::direct::{EventStream, Progress};
use super::mailbox::{Mailbox, MailboxReader};
use super::notifier::Waiter;
use super::ring::{Lagged, Output};
use super::room::Room;
use crate::log::LogError;
use crate::protocol::event::Event;
use crate::protocol::private::EncodedPrivate;
use crate::protocol::{Code, EventBatch, Hello, Refusal, Welcome, frame};

/// About how many bytes one read appends.
pub const BATCH_BYTES: usize = 64 * 1024;

/// How many messages are read from the log at once.
pub(super) const LOG_PAGE: usize = 64;

/// A guest's cursor.
pub struct Reader {
    room: Room,
    waiter: Waiter,
    /// The newest message that was read.
    after: u64,
    /// The last message to read before the ring is followed live; at or below `after` once it is.
    until: u64,
    /// The number from which on the log has every message, once it was asked. Messages before it are read from the log:
    /// the ring may have trimmed ones, which are given to no guest who joins later.
    whole_from: Option<u64>,
    /// Whether the next messages that are missing are told as a gap.
    gap_due: bool,
    /// The ring's position of the next live event.
    position: u64,
    mailbox: Mailbox,
    /// The guest's private messages, where they are asked for.
    private: Option<MailboxReader>,
}

impl Reader {
    /// Reads for a guest who joined on a connection what their hello asks for, and puts into the welcome where that
    /// begins.
    ///
    /// # Errors
    /// As [`Reader::pass_to_newest`].
    pub async fn begin(room: &Room, join: &mut Join, hello: &Hello) -> Result<Self, Refusal> {
        let after = join.welcome.resume(hello.cursor.as_ref());
        let mut reader = Self::new(room, join, after);
        if let Some(newest) = hello.newest {
            reader.pass_to_newest(newest).await?;
        }
        join.welcome.after = Some(reader.after());
        hello.private.iter().for_each(|cursor| reader.follow_private(*cursor));
        Ok(reader)
    }

    /// Reads for a guest on a connection everything after the message `after`, or everything that is kept.
    pub fn new(room: &Room, join: &Join, after: Option<u64>) -> Self {
        Self::at(room, &join.welcome, (join.position, &join.mailbox), after)
    }

    /// The same for a guest without a connection.
    pub fn stateless(room: &Room, join: &StatelessJoin, after: Option<u64>) -> Self {
        Self::at(room, &join.welcome, (join.position, &join.mailbox), after)
    }

    fn at(room: &Room, welcome: &Welcome, (position, mailbox): (u64, &Mailbox), after: Option<u64>) -> Self {
        // A cursor beyond the head is not of this log: everything that is kept is new to the guest.
        let cursor = after.filter(|after| *after <= welcome.head);
        Self {
            room: room.clone(),
            waiter: Waiter::new(&room.shared().wait_queue),
            after: cursor.unwrap_or(welcome.first.saturating_sub(1)),
            until: welcome.head,
            whole_from: None,
            gap_due: cursor.is_some(),
            position,
            mailbox: mailbox.clone(),
            private: None,
        }
    }

    /// Reads the private messages after a number, too; 0 for all that are kept.
    pub fn follow_private(&mut self, cursor: u64) {
        self.private = Some(MailboxReader::new(&self.mailbox, cursor));
    }

    /// The newest private message that was read: the cursor for the next join. `None` where they are not read.
    pub fn after_private(&self) -> Option<u64> {
        self.private.as_ref().map(MailboxReader::after)
    }

    /// Takes the private messages that come next, about [`BATCH_BYTES`] at most, when all other messages before them were
    /// read. What reads frames gets them among those.
    pub fn take_private(&mut self) -> Vec<EncodedPrivate> {
        match &mut self.private {
            Some(private) if self.after >= self.until => private.take(BATCH_BYTES),
            _ => Vec::new(),
        }
    }

    /// Passes over all but the newest `count` of the messages before the live ones. What is passed over is told as no
    /// gap: [`Reader::after`] says where the rest begins.
    ///
    /// # Errors
    /// `not_kept` when the log cannot be read.
    pub async fn pass_to_newest(&mut self, count: usize) -> Result<(), Refusal> {
        let log = &self.room.shared().log;
        let after = log.cursor_before(self.until + 1, count).await.map_err(unreadable)?;
        if after > self.after {
            (self.after, self.gap_due) = (after, false);
        }
        Ok(())
    }

    /// The room that it reads.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// The newest message that was read: the cursor for the next join.
    pub fn after(&self) -> u64 {
        self.after
    }

    /// Appends what comes next as whole WebSocket text frames, about [`BATCH_BYTES`] at most. Appends nothing only
    /// when there is nothing new.
    ///
    /// # Errors
    /// `not_kept` when the log cannot be read.
    pub async fn read_frames(&mut self, out: &mut BytesMut) -> Result<(), Refusal> {
        self.read(out).await?;
        self.take_private().iter().for_each(|event| frame::text(&event.json, out));
        Ok(())
    }

    /// Appends what comes next as JSON; otherwise as [`Reader::read_frames`].
    ///
    /// # Errors
    /// As [`Reader::read_frames`].
    pub async fn read_events(&mut self, out: &mut EventBatch) -> Result<(), Refusal> {
        self.read(out).await
    }

    /// From now on the room's task may write live events to this connection itself, while [`Reader::poll_written`] is
    /// pending.
    pub fn write_to(&mut self, stream: EventStream) {
        self.waiter.write_to(stream.0);
    }

    async fn read(&mut self, out: &mut impl Output) -> Result<(), Refusal> {
        self.take_turn();
        if self.after < self.until {
            let before = out.bytes();
            self.catch_up(out).await?;
            // What was to be caught up on may all be missing, and then the live events are next.
            if out.bytes() > before || self.after < self.until {
                return Ok(());
            }
        }
        if self.read_ring(out).is_err() { self.resynchronise(out).await } else { Ok(()) }
    }

    fn read_ring(&mut self, out: &mut impl Output) -> Result<(), Lagged> {
        let ring = self.room.shared().ring.read().unwrap_or_else(PoisonError::into_inner);
        let copied = ring.copy(self.position, BATCH_BYTES, out)?;
        self.position = copied.position;
        self.after = copied.seq.unwrap_or(self.after);
        Ok(())
    }

    /// Completes when there is something to read, with true, or when the room has ended, with false.
    pub async fn wait(&mut self) -> bool {
        poll_fn(|context| self.poll_wait(context)).await
    }

    /// The same as a poll function. An event between a read and the next wait is not missed.
    pub fn poll_wait(&mut self, context: &Context<'_>) -> Poll<bool> {
        self.poll(false, context)
    }

    /// As [`Reader::poll_wait`], but live events are written to the connection by the room's task; ready when the room has
    /// left something to write or flush, too. Only while the caller has nothing to write.
    pub fn poll_written(&mut self, context: &Context<'_>) -> Poll<bool> {
        self.poll(true, context)
    }

    fn poll(&mut self, directly: bool, context: &Context<'_>) -> Poll<bool> {
        self.take_turn();
        if self.after < self.until {
            return Poll::Ready(true);
        }
        if self.private.as_ref().is_some_and(|private| private.poll(context)) {
            return Poll::Ready(true);
        }
        self.waiter.poll(self.position, directly, context)
    }

    /// Goes on where the room's task has written to.
    fn take_turn(&mut self) {
        if let Some(Progress { position, seq }) = self.waiter.take_turn() {
            self.position = position;
            self.after = seq.unwrap_or(self.after);
        }
    }

    async fn catch_up(&mut self, out: &mut impl Output) -> Result<(), Refusal> {
        let log = &self.room.shared().log;
        let whole_from = match self.whole_from {
            Some(whole_from) => whole_from,
            None => log.span().await.map_err(unreadable)?.whole_from,
        };
        self.whole_from = Some(whole_from);
        if self.after + 1 >= whole_from
            && let Some(newest) = self.copy_from_ring(out)
        {
            self.after = newest;
            return Ok(());
        }
        let messages = log.read(self.after, LOG_PAGE).await.map_err(unreadable)?;
        let (full, until) = (out.bytes() + BATCH_BYTES, self.until);
        for message in messages.iter().take_while(|message| message.seq <= until) {
            self.append_gap(message.seq, out);
            out.event(&message.event());
            self.after = message.seq;
            if out.bytes() >= full {
                return Ok(());
            }
        }
        if messages.last().is_none_or(|message| message.seq > self.until) && self.after < self.until {
            self.append_gap(self.until + 1, out);
            self.after = self.until;
        }
        Ok(())
    }

    fn copy_from_ring(&self, out: &mut impl Output) -> Option<u64> {
        let ring = self.room.shared().ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.copy_messages(self.after, self.until, BATCH_BYTES, out)
    }

    fn append_gap(&mut self, before: u64, out: &mut impl Output) {
        // Who misses what was replaced misses nothing.
        if before > self.after + 1 && self.gap_due && !self.room.annotations().is_quiet(self.after, before) {
            self.gap_due = false;
            out.event(&Event::Gap { after: self.after, before });
        }
    }

    /// Begins anew at the head of the ring after the reader lagged, with a snapshot of the roster.
    async fn resynchronise(&mut self, out: &mut impl Output) -> Result<(), Refusal> {
        let snapshot = self.room.snapshot().await?;
        out.event(&snapshot.roster.event());
        snapshot.notices.events().for_each(|event| out.event(&event));
        snapshot.policy.iter().for_each(|policy| out.event(&Event::Policy { policy }));
        if !snapshot.rooms.is_empty() {
            out.event(&Event::Rooms { rooms: snapshot.rooms.iter().collect(), gone: &[] });
        }
        self.position = snapshot.position;
        self.until = snapshot.span.head;
        (self.whole_from, self.gap_due) = (Some(snapshot.span.whole_from), true);
        Ok(())
    }
}

pub(super) fn unreadable(error: LogError) -> Refusal {
    tracing::error!(%error, "messages could not be read");
    Refusal::new(Code::StorageUnavailable, "The room cannot read its messages at the moment.")
}
