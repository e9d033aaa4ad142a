//! A connection that the room's task writes to while the guest's own task sleeps.
//!
//! To wake a guest's task for each message costs more than the write that it does then. So a task that waits for events,
//! and has nothing else to write, leaves the turn to the room: the notifier writes the new events straight from the ring.
//! What the connection does not take at once is for the task again, which is woken: it waits for the connection, with its
//! deadline, and reads the ring as always.
//!
//! Frames stay whole: stream, turn and the rest of a frame that was cut are under one lock, and whatever is written next
//! comes after that rest.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::ring::Ring;

/// A stream, and whose turn it is to write events to it.
pub struct DirectStream<T: ?Sized> {
    turn: Turn,
    /// Whether it is in the queue of the notifier.
    pub(super) queued: bool,
    /// Which of the readers that had the connection one after the other has it now: what is in the queue of another room, where
    /// the guest was before, is of an earlier one.
    pub(super) reader: u32,
    /// The guest's task.
    task: Waker,
    /// The end of a frame whose beginning the room wrote.
    rest: BytesMut,
    /// Whether what the room wrote is still to be flushed.
    unflushed: bool,
    stream: T,
}

/// Whose turn it is to write events.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// The task's, which is at work: it looks at the ring before it waits again.
    Task,
    /// The task's, which waits and is to be woken for the next event.
    Sleeper,
    /// The room's.
    Room(Progress),
}

/// How far the room has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// The ring's position of the next event.
    pub(super) position: u64,
    /// The newest message that was written, if any.
    pub(super) seq: Option<u64>,
}

/// What the notifier does with a stream that it had in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivered {
    /// Everything new was written, so many bytes; it stays in the queue.
    Written(usize),
    /// The task writes, or has written; it comes back to the queue by itself.
    ByTask,
}

/// A stream as the room's task knows it.
pub(super) type SharedStream = Arc<Mutex<DirectStream<dyn AsyncWrite + Send + Unpin>>>;

/// A stream as the guest's task uses it.
pub struct StreamHandle<T>(Arc<Mutex<DirectStream<T>>>);

/// The same for a [`Reader`](super::Reader).
#[derive(Clone)]
pub struct EventStream(pub(super) SharedStream);

impl<T: AsyncWrite + Send + Unpin + 'static> StreamHandle<T> {
    /// A stream that only the task writes to, until a reader is given its [`EventStream`].
    pub fn new(stream: T) -> Self {
        Self(Arc::new(Mutex::new(DirectStream {
            turn: Turn::Task,
            queued: false,
            reader: 0,
            task: Waker::noop().clone(),
            rest: BytesMut::new(),
            unflushed: false,
            stream,
        })))
    }

    /// The stream for the reader of the guest's events.
    pub fn events(&self) -> EventStream {
        EventStream(Arc::<Mutex<DirectStream<T>>>::clone(&self.0))
    }

    /// Whether the room has left something to write or flush, which [`AsyncWrite::poll_flush`] does.
    pub fn has_rest(&self) -> bool {
        lock(&self.0).has_rest()
    }
}

/// Locks a stream; a panic in another task does not matter to it.
pub(super) fn lock<T: ?Sized>(stream: &Mutex<DirectStream<T>>) -> MutexGuard<'_, DirectStream<T>> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: AsyncWrite + Unpin + ?Sized> DirectStream<T> {
    pub(super) fn has_rest(&self) -> bool {
        !self.rest.is_empty() || self.unflushed
    }

    /// The task waits for events after `position`, which is the head: `directly` leaves the turn to the room, otherwise
    /// the task is woken.
    pub(super) fn wait(&mut self, position: u64, directly: bool, task: &Waker) {
        if !self.task.will_wake(task) {
            self.task = task.clone();
        }
        self.turn = if directly { Turn::Room(Progress { position, seq: None }) } else { Turn::Sleeper };
    }

    /// The task takes the turn; returns how far the room has written if it was the room's.
    pub(super) fn take_turn(&mut self) -> Option<Progress> {
        match std::mem::replace(&mut self.turn, Turn::Task) {
            Turn::Room(progress) => Some(progress),
            Turn::Task | Turn::Sleeper => None,
        }
    }

    /// It is no longer in the queue: wakes the task, if it waits.
    pub(super) fn end_wait(&mut self) {
        self.queued = false;
        if !matches!(self.turn, Turn::Task) {
            self.task.wake_by_ref();
        }
    }

    /// Writes what is new in the ring, if it is the room's turn, and wakes the task for everything else.
    // Once for each guest and event: as a call it costs a tenth of a delivery more (the bench `instructions`).
    #[inline]
    pub(super) fn deliver(&mut self, ring: &Ring) -> Delivered {
        if let Turn::Room(progress) = self.turn
            && let Some(written) = self.write_events(progress, ring)
        {
            return Delivered::Written(written);
        }
        self.end_wait();
        Delivered::ByTask
    }

    /// Writes and flushes everything from `progress` on; `None` if the task has to go on.
    #[inline]
    fn write_events(&mut self, progress: Progress, ring: &Ring) -> Option<usize> {
        let begin = progress.position;
        let frames = ring.after(begin).ok()?;
        let mut context = Context::from_waker(&self.task);
        let (mut written, whole) = (0, frames[0].len() + frames[1].len());
        'frames: for mut bytes in frames {
            while !bytes.is_empty() {
                match Pin::new(&mut self.stream).poll_write(&mut context, bytes) {
                    Poll::Ready(Ok(count @ 1..)) => {
                        bytes = &bytes[count..];
                        written += count;
                    }
                    // A full or broken connection; the task finds out which.
                    _ => break 'frames,
                }
            }
        }
        if written == 0 {
            return (whole == 0).then_some(0);
        }
        let cut = begin + written as u64;
        let end = ring.event_end(cut);
        let seq = ring.newest_message(begin, end).or(progress.seq);
        self.turn = Turn::Room(Progress { position: end, seq });
        self.unflushed = !matches!(Pin::new(&mut self.stream).poll_flush(&mut context), Poll::Ready(Ok(())));
        if cut < end {
            ring.between(cut, end).iter().for_each(|part| self.rest.extend_from_slice(part));
        }
        (written == whole && !self.unflushed).then_some(written)
    }

    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest.advance(written);
            if self.rest.is_empty() {
                // An idle connection holds no buffer.
                self.rest = BytesMut::new();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for StreamHandle<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut lock(&self.0).stream).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for StreamHandle<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut this = lock(&self.0);
        ready!(this.poll_rest(context))?;
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut this = lock(&self.0);
        ready!(this.poll_rest(context))?;
        ready!(Pin::new(&mut this.stream).poll_flush(context))?;
        this.unflushed = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut this = lock(&self.0);
        ready!(this.poll_rest(context))?;
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}
