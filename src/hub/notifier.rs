//! Brings a room's next event to the readers that wait for it, in batches.
//!
//! The position after the newest event is one atomic number. A reader that has read up to it waits in a queue: with a
//! waker, which is woken once when the number grows, or with its [connection](super::direct), to which the events are
//! written here. Readers are served in batches: between two batches the actor handles what was sent meanwhile, and
//! readers served after that get it in the same write. So the busier a room, the more goes into one write, and a
//! publisher never waits until all readers are served.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::task::unconstrained;

use super::direct::{Delivered, Progress, SharedStream, lock};
use super::ring::Ring;

/// How many readers are served before the actor handles further commands.
const NOTIFY_BATCH: usize = 64;

/// After how many written bytes a batch ends early.
const NOTIFY_BYTES: usize = 1024 * 1024;

/// The state that a [`Notifier`] and its [`Waiter`]s share.
#[derive(Default)]
pub(super) struct WaitQueue {
    /// The position after the newest event.
    head: AtomicU64,
    /// How often all wakers were taken out of `waiting`.
    rounds: AtomicU64,
    /// Whether the notifier was dropped: there will be no further event.
    ended: AtomicBool,
    waiting: Mutex<VecDeque<Waiting>>,
}

/// A reader that waits for the next event.
#[derive(Clone)]
enum Waiting {
    Task(Waker),
    /// With the number of the reader that has it.
    Stream(SharedStream, u32),
}

/// The sending half, held by the actor. Dropping it wakes all waiters, which learn that the room has ended.
pub(super) struct Notifier {
    wait_queue: Arc<WaitQueue>,
    /// The readers of the current round that are still to be served.
    round: VecDeque<Waiting>,
    /// Whether the head has changed since the current round was taken.
    due: bool,
}

/// The receiving half, one for each reader.
pub(super) struct Waiter {
    wait_queue: Arc<WaitQueue>,
    /// The connection, if the room may write to it.
    stream: Option<SharedStream>,
    /// Which reader of this connection it is.
    reader: u32,
    /// The round for which `waker` is registered, if any.
    registered: Option<u64>,
    waker: Waker,
}

impl WaitQueue {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notifier {
    pub(super) fn new(wait_queue: Arc<WaitQueue>) -> Self {
        Self { wait_queue, round: VecDeque::new(), due: false }
    }

    /// Sets the position after the newest event; [`Notifier::notify_some`] tells those who wait.
    pub(super) fn set_head(&mut self, head: u64) {
        self.due |= self.wait_queue.head.swap(head, Ordering::Release) != head;
    }

    /// Whether there are readers still to be served.
    pub(super) fn is_due(&self) -> bool {
        self.due || !self.round.is_empty()
    }

    /// Serves the next batch of readers, longest waiting first.
    // As a part of its caller it makes a delivery 7 % dearer (the bench `instructions`).
    #[inline(never)]
    pub(super) fn notify_some(&mut self, ring: &Ring) {
        self.begin_round();
        // The batch is short. Without this, tokio would pretend after 128 writes that the connections are full.
        let mut batch = pin!(unconstrained(async { self.notify_batch(ring) }));
        let _ = batch.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }

    fn begin_round(&mut self) {
        if self.round.is_empty() && self.due {
            let mut waiting = self.wait_queue.waiting();
            self.wait_queue.rounds.fetch_add(1, Ordering::Release);
            std::mem::swap(&mut *waiting, &mut self.round);
            self.due = false;
        }
    }

    #[inline]
    fn notify_batch(&mut self, ring: &Ring) {
        let mut bytes = 0;
        for _ in 0..NOTIFY_BATCH {
            if bytes >= NOTIFY_BYTES {
                return;
            }
            match self.round.pop_front() {
                Some(Waiting::Task(waker)) => waker.wake(),
                Some(Waiting::Stream(stream, reader)) => {
                    let mut state = lock(&stream);
                    if state.reader != reader {
                        continue;
                    }
                    if let Delivered::Written(count) = state.deliver(ring) {
                        bytes += count;
                        // Under its lock, so that a reader that is dropped finds it in the queue.
                        self.wait_queue.waiting().push_back(Waiting::Stream(Arc::clone(&stream), reader));
                    }
                }
                None => return,
            }
        }
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.wait_queue.ended.store(true, Ordering::Release);
        let waiting = std::mem::take(&mut *self.wait_queue.waiting());
        for waiting in self.round.drain(..).chain(waiting) {
            match waiting {
                Waiting::Task(waker) => waker.wake(),
                Waiting::Stream(stream, reader) => {
                    let mut state = lock(&stream);
                    if state.reader == reader {
                        state.end_wait();
                    }
                }
            }
        }
    }
}

impl Waiter {
    pub(super) fn new(wait_queue: &Arc<WaitQueue>) -> Self {
        let (wait_queue, waker) = (Arc::clone(wait_queue), Waker::noop().clone());
        Self { wait_queue, stream: None, reader: 0, registered: None, waker }
    }

    /// From now on the room may write to this connection, while [`Waiter::poll`] is pending.
    pub(super) fn write_to(&mut self, stream: SharedStream) {
        self.deregister();
        {
            let mut state = lock(&stream);
            state.take_turn();
            state.reader = state.reader.wrapping_add(1);
            state.queued = false;
            self.reader = state.reader;
        }
        self.stream = Some(stream);
    }

    /// Ends the room's turn to write; how far it has written, if it had the turn.
    pub(super) fn take_turn(&self) -> Option<Progress> {
        self.stream.as_ref().and_then(|stream| lock(stream).take_turn())
    }

    /// Ready with true when there are events after `position`, or with false when the room has ended. With a connection,
    /// and `directly`, the room writes the events instead, and this is ready when it has left something to write.
    pub(super) fn poll(&mut self, position: u64, directly: bool, context: &Context<'_>) -> Poll<bool> {
        if let Some(stream) = &self.stream {
            return self.poll_stream(stream, position, directly, context);
        }
        if let Some(open) = self.check(position) {
            return Poll::Ready(open);
        }
        let known = self.waker.will_wake(context.waker());
        if known && self.registered == Some(self.wait_queue.rounds.load(Ordering::Acquire)) {
            return Poll::Pending;
        }
        if !known {
            self.deregister();
            self.waker = context.waker().clone();
        }
        {
            let mut waiting = self.wait_queue.waiting();
            // Changed only under this lock, so this is the round that takes the waker.
            self.registered = Some(self.wait_queue.rounds.load(Ordering::Relaxed));
            waiting.push_back(Waiting::Task(self.waker.clone()));
        }
        // The head may have changed between the check and the lock.
        self.check(position).map_or(Poll::Pending, Poll::Ready)
    }

    fn poll_stream(
        &self,
        stream: &SharedStream,
        position: u64,
        directly: bool,
        context: &Context<'_>,
    ) -> Poll<bool> {
        let mut state = lock(stream);
        if state.has_rest() {
            return Poll::Ready(true);
        }
        if let Some(open) = self.check(position) {
            return Poll::Ready(open);
        }
        state.wait(position, directly, context.waker());
        if !std::mem::replace(&mut state.queued, true) {
            self.wait_queue.waiting().push_back(Waiting::Stream(Arc::clone(stream), self.reader));
        }
        // The head may have changed between the check and the lock of the queue.
        let changed = self.check(position);
        if changed.is_some() {
            state.take_turn();
        }
        changed.map_or(Poll::Pending, Poll::Ready)
    }

    fn check(&self, position: u64) -> Option<bool> {
        if self.wait_queue.head.load(Ordering::Acquire) > position {
            return Some(true);
        }
        self.wait_queue.ended.load(Ordering::Acquire).then_some(false)
    }

    /// Removes the reader from the queue, if no round has taken it yet.
    fn deregister(&mut self) {
        if let Some(stream) = &self.stream {
            let mut state = lock(stream);
            if state.reader != self.reader {
                return;
            }
            state.take_turn();
            if state.queued {
                let same = |waiting: &Waiting| matches!(waiting, Waiting::Stream(other, _) if Arc::ptr_eq(stream, other));
                let mut waiting = self.wait_queue.waiting();
                if let Some(place) = waiting.iter().position(same) {
                    waiting.remove(place);
                    state.queued = false;
                }
            }
            return;
        }
        let Some(round) = self.registered.take() else { return };
        let mut waiting = self.wait_queue.waiting();
        if round == self.wait_queue.rounds.load(Ordering::Relaxed)
            && let Some(place) = waiting
                .iter()
                .position(|waiting| matches!(waiting, Waiting::Task(waker) if waker.will_wake(&self.waker)))
        {
            waiting.swap_remove_back(place);
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.deregister();
    }
}

#[cfg(test)]
mod tests {
    use super::super::woken::Woken;
    use super::*;

    struct TestWaiter {
        waiter: Waiter,
        woken: Arc<Woken>,
    }

    impl TestWaiter {
        fn new(wait_queue: &Arc<WaitQueue>) -> Self {
            Self { waiter: Waiter::new(wait_queue), woken: Arc::default() }
        }

        fn poll(&mut self, position: u64) -> Poll<bool> {
            self.waiter.poll(position, false, &Context::from_waker(&self.woken.waker()))
        }

        fn woken(&self) -> usize {
            self.woken.count()
        }
    }

    fn notify_all(notifier: &mut Notifier, head: u64) {
        notifier.set_head(head);
        while notifier.is_due() {
            notifier.notify_some(&Ring::new(0));
        }
    }

    #[test]
    fn a_waiter_is_woken_once_however_often_it_was_polled() {
        let wait_queue = Arc::default();
        let mut notifier = Notifier::new(Arc::clone(&wait_queue));
        let (mut ann, mut bob) = (TestWaiter::new(&wait_queue), TestWaiter::new(&wait_queue));
        assert_eq!(ann.poll(0), Poll::Pending);
        assert_eq!(ann.poll(0), Poll::Pending);
        assert_eq!(bob.poll(0), Poll::Pending);
        notify_all(&mut notifier, 10);
        notify_all(&mut notifier, 20);
        assert_eq!((ann.woken(), bob.woken()), (1, 1));
        assert_eq!((ann.poll(0), ann.poll(20)), (Poll::Ready(true), Poll::Pending));
        notify_all(&mut notifier, 20);
        assert_eq!(ann.woken(), 1, "there is nothing new");
        notify_all(&mut notifier, 30);
        assert_eq!((ann.woken(), bob.woken()), (2, 1), "bob has not waited again");
    }

    #[test]
    fn many_waiters_are_woken_in_batches_and_in_order() {
        let wait_queue = Arc::default();
        let mut notifier = Notifier::new(Arc::clone(&wait_queue));
        let mut many: Vec<_> = (0..NOTIFY_BATCH + 1).map(|_| TestWaiter::new(&wait_queue)).collect();
        assert!(many.iter_mut().all(|waiter| waiter.poll(0).is_pending()));
        notifier.set_head(1);
        notifier.notify_some(&Ring::new(0));
        let woken: Vec<_> = many.iter().map(TestWaiter::woken).collect();
        assert_eq!((woken[0], woken[NOTIFY_BATCH - 1], woken[NOTIFY_BATCH]), (1, 1, 0));
        // An event that comes meanwhile is seen at once by waiters still to be woken, and not again after.
        notifier.set_head(2);
        assert_eq!(many[NOTIFY_BATCH].poll(1), Poll::Ready(true));
        assert_eq!(many[0].poll(2), Poll::Pending);
        notifier.notify_some(&Ring::new(0));
        assert!(many.iter().all(|waiter| waiter.woken() == 1));
        assert!(notifier.is_due(), "the first has waited again, before the second round");
        notifier.notify_some(&Ring::new(0));
        assert_eq!((many[0].woken(), many[1].woken(), notifier.is_due()), (2, 1, false));
    }

    #[test]
    fn a_dropped_waiter_leaves_no_waker() {
        let wait_queue = Arc::default();
        let (mut ann, mut bob) = (TestWaiter::new(&wait_queue), TestWaiter::new(&wait_queue));
        assert_eq!((ann.poll(0), bob.poll(0)), (Poll::Pending, Poll::Pending));
        drop(ann);
        assert_eq!(wait_queue.waiting().len(), 1);
        notify_all(&mut Notifier::new(Arc::clone(&wait_queue)), 1);
        assert_eq!(bob.woken(), 1);
    }

    #[test]
    fn the_waker_of_the_last_poll_counts() {
        let wait_queue = Arc::default();
        let mut ann = TestWaiter::new(&wait_queue);
        assert_eq!(ann.poll(0), Poll::Pending);
        let earlier = std::mem::take(&mut ann.woken);
        assert_eq!(ann.poll(0), Poll::Pending);
        notify_all(&mut Notifier::new(Arc::clone(&wait_queue)), 1);
        assert_eq!((earlier.count(), ann.woken()), (0, 1));
    }

    #[test]
    fn the_end_wakes_all_waiters() {
        let wait_queue = Arc::default();
        let mut ann = TestWaiter::new(&wait_queue);
        assert_eq!(ann.poll(0), Poll::Pending);
        drop(Notifier::new(Arc::clone(&wait_queue)));
        assert_eq!((ann.woken(), ann.poll(0)), (1, Poll::Ready(false)));
    }
}
