//! Wakes the readers that wait for a room's next event, in batches.
//!
//! The position after the newest event is one atomic number. A reader that has read up to it leaves a waker, and is
//! woken once when the number grows. Readers are woken 64 at a time: between two batches the actor handles what
//! was sent meanwhile, and readers woken after that get it in the same write. So the busier a room, the more goes
//! into one write, and a publisher never waits until all readers are woken.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How many readers are woken before the actor handles further commands.
const NOTIFY_BATCH: usize = 64;

/// The state that a [`Notifier`] and its [`Waiter`]s share.
#[derive(Debug, Default)]
pub(super) struct WaitQueue {
    /// The position after the newest event.
    head: AtomicU64,
    /// How often all wakers were taken out of `waiting`.
    rounds: AtomicU64,
    /// Whether the notifier was dropped: there will be no further event.
    ended: AtomicBool,
    waiting: Mutex<VecDeque<Waker>>,
}

/// The sending half, held by the actor. Dropping it wakes all waiters, which learn that the room has ended.
#[derive(Debug)]
pub(super) struct Notifier {
    wait_queue: Arc<WaitQueue>,
    /// The wakers of the current round that are still to be woken.
    round: VecDeque<Waker>,
    /// Whether the head has changed since the current round was taken.
    due: bool,
}

/// The receiving half, one for each reader.
#[derive(Debug)]
pub(super) struct Waiter {
    wait_queue: Arc<WaitQueue>,
    /// The round for which `waker` is registered, if any.
    registered: Option<u64>,
    waker: Waker,
}

impl WaitQueue {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notifier {
    pub(super) fn new(wait_queue: Arc<WaitQueue>) -> Self {
        Self { wait_queue, round: VecDeque::new(), due: false }
    }

    /// Sets the position after the newest event; [`Notifier::notify_some`] wakes the waiters.
    pub(super) fn set_head(&mut self, head: u64) {
        self.due |= self.wait_queue.head.swap(head, Ordering::Release) != head;
    }

    /// Whether there are waiters still to be woken.
    pub(super) fn is_due(&self) -> bool {
        self.due || !self.round.is_empty()
    }

    /// Wakes the next batch of waiters, longest waiting first.
    pub(super) fn notify_some(&mut self) {
        if self.round.is_empty() && self.due {
            let mut waiting = self.wait_queue.waiting();
            self.wait_queue.rounds.fetch_add(1, Ordering::Release);
            std::mem::swap(&mut *waiting, &mut self.round);
            self.due = false;
        }
        let some = self.round.len().min(NOTIFY_BATCH);
        self.round.drain(..some).for_each(Waker::wake);
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.wait_queue.ended.store(true, Ordering::Release);
        self.due = true;
        while self.is_due() {
            self.notify_some();
        }
    }
}

impl Waiter {
    pub(super) fn new(wait_queue: &Arc<WaitQueue>) -> Self {
        Self { wait_queue: Arc::clone(wait_queue), registered: None, waker: Waker::noop().clone() }
    }

    /// Ready with true when there are events after `position`, or with false when the room has ended.
    pub(super) fn poll(&mut self, position: u64, context: &Context<'_>) -> Poll<bool> {
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
            waiting.push_back(self.waker.clone());
        }
        // The head may have changed between the check and the lock.
        self.check(position).map_or(Poll::Pending, Poll::Ready)
    }

    fn check(&self, position: u64) -> Option<bool> {
        if self.wait_queue.head.load(Ordering::Acquire) > position {
            return Some(true);
        }
        self.wait_queue.ended.load(Ordering::Acquire).then_some(false)
    }

    /// Removes the waker, if no round has taken it yet.
    fn deregister(&mut self) {
        let Some(round) = self.registered.take() else { return };
        let mut waiting = self.wait_queue.waiting();
        if round == self.wait_queue.rounds.load(Ordering::Relaxed)
            && let Some(place) = waiting.iter().position(|waker| waker.will_wake(&self.waker))
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
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    /// A waker that counts.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct TestWaiter {
        waiter: Waiter,
        woken: Arc<Woken>,
    }

    impl TestWaiter {
        fn new(wait_queue: &Arc<WaitQueue>) -> Self {
            Self { waiter: Waiter::new(wait_queue), woken: Arc::default() }
        }

        fn poll(&mut self, position: u64) -> Poll<bool> {
            let waker = Waker::from(Arc::clone(&self.woken));
            self.waiter.poll(position, &Context::from_waker(&waker))
        }

        fn woken(&self) -> usize {
            self.woken.0.load(Ordering::Relaxed)
        }
    }

    fn notify_all(notifier: &mut Notifier, head: u64) {
        notifier.set_head(head);
        while notifier.is_due() {
            notifier.notify_some();
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
        notifier.notify_some();
        let woken: Vec<_> = many.iter().map(TestWaiter::woken).collect();
        assert_eq!((woken[0], woken[NOTIFY_BATCH - 1], woken[NOTIFY_BATCH]), (1, 1, 0));
        // An event that comes meanwhile is seen at once by waiters still to be woken, and not again after.
        notifier.set_head(2);
        assert_eq!(many[NOTIFY_BATCH].poll(1), Poll::Ready(true));
        assert_eq!(many[0].poll(2), Poll::Pending);
        notifier.notify_some();
        assert!(many.iter().all(|waiter| waiter.woken() == 1));
        assert!(notifier.is_due(), "the first has waited again, before the second round");
        notifier.notify_some();
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
        assert_eq!((earlier.0.load(Ordering::Relaxed), ann.woken()), (0, 1));
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
