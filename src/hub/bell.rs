//! How a room wakes everyone who waits for its next event.
//!
//! The position after the newest event is one number that anybody can look at. Whoever has read up to it leaves
//! a waker, and is woken once when the number grows. They are woken a few at a time: between them the room hears
//! what else has been said, and whoever is woken after that gets it in the same write. So the busier a room, the
//! more is written at once, and nobody who speaks waits behind everyone who listens.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How many are woken before the room hears what else there is.
const CALLED_AT_ONCE: usize = 64;

/// What the readers of one room look at.
#[derive(Debug, Default)]
pub(super) struct Bell {
    /// The position after the newest event.
    head: AtomicU64,
    /// How often those who wait were taken out of `waiting`.
    rounds: AtomicU64,
    /// Whether nothing will come any more.
    ended: AtomicBool,
    waiting: Mutex<VecDeque<Waker>>,
}

/// The room's hand on its bell. When it is dropped, everyone is told that nothing will come any more.
#[derive(Debug)]
pub(super) struct Ringer {
    bell: Arc<Bell>,
    /// Those of the last round who are still to be woken.
    called: VecDeque<Waker>,
    /// Whether there is news for those who wait now.
    due: bool,
}

/// One who waits for the bell.
#[derive(Debug)]
pub(super) struct Listener {
    bell: Arc<Bell>,
    /// The round in which `waker` was left, if any.
    left_in: Option<u64>,
    waker: Waker,
}

impl Bell {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ringer {
    pub(super) fn new(bell: Arc<Bell>) -> Self {
        Self { bell, called: VecDeque::new(), due: false }
    }

    /// Makes known that there are events up to `head`; [`Ringer::call_some`] wakes those who wait.
    pub(super) fn announce(&mut self, head: u64) {
        self.due |= self.bell.head.swap(head, Ordering::Release) != head;
    }

    /// Whether somebody is still to be woken.
    pub(super) fn is_due(&self) -> bool {
        self.due || !self.called.is_empty()
    }

    /// Wakes some of those who are to be woken, longest waiting first.
    pub(super) fn call_some(&mut self) {
        if self.called.is_empty() && self.due {
            let mut waiting = self.bell.waiting();
            self.bell.rounds.fetch_add(1, Ordering::Release);
            std::mem::swap(&mut *waiting, &mut self.called);
            self.due = false;
        }
        let some = self.called.len().min(CALLED_AT_ONCE);
        self.called.drain(..some).for_each(Waker::wake);
    }
}

impl Drop for Ringer {
    fn drop(&mut self) {
        self.bell.ended.store(true, Ordering::Release);
        self.due = true;
        while self.is_due() {
            self.call_some();
        }
    }
}

impl Listener {
    pub(super) fn new(bell: &Arc<Bell>) -> Self {
        Self { bell: Arc::clone(bell), left_in: None, waker: Waker::noop().clone() }
    }

    /// Ready when there are events after `position`, with true, or when there will be none any more, with false.
    pub(super) fn poll(&mut self, position: u64, context: &Context<'_>) -> Poll<bool> {
        if let Some(news) = self.look(position) {
            return Poll::Ready(news);
        }
        let known = self.waker.will_wake(context.waker());
        if known && self.left_in == Some(self.bell.rounds.load(Ordering::Acquire)) {
            return Poll::Pending;
        }
        if !known {
            self.take_back();
            self.waker = context.waker().clone();
        }
        {
            let mut waiting = self.bell.waiting();
            // Only changed under this lock, so what is seen here is the round that the waker waits for.
            self.left_in = Some(self.bell.rounds.load(Ordering::Relaxed));
            waiting.push_back(self.waker.clone());
        }
        // There may have been news between the look and the lock.
        self.look(position).map_or(Poll::Pending, Poll::Ready)
    }

    fn look(&self, position: u64) -> Option<bool> {
        if self.bell.head.load(Ordering::Acquire) > position {
            return Some(true);
        }
        self.bell.ended.load(Ordering::Acquire).then_some(false)
    }

    /// Takes the waker back, if it was not used yet.
    fn take_back(&mut self) {
        let Some(round) = self.left_in.take() else { return };
        let mut waiting = self.bell.waiting();
        if round == self.bell.rounds.load(Ordering::Relaxed)
            && let Some(place) = waiting.iter().position(|waker| waker.will_wake(&self.waker))
        {
            waiting.swap_remove_back(place);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.take_back();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    /// How often somebody was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Waiter {
        listener: Listener,
        woken: Arc<Woken>,
    }

    impl Waiter {
        fn new(bell: &Arc<Bell>) -> Self {
            Self { listener: Listener::new(bell), woken: Arc::default() }
        }

        fn poll(&mut self, position: u64) -> Poll<bool> {
            let waker = Waker::from(Arc::clone(&self.woken));
            self.listener.poll(position, &Context::from_waker(&waker))
        }

        fn woken(&self) -> usize {
            self.woken.0.load(Ordering::Relaxed)
        }
    }

    fn ring(ringer: &mut Ringer, head: u64) {
        ringer.announce(head);
        while ringer.is_due() {
            ringer.call_some();
        }
    }

    #[test]
    fn who_waits_is_woken_once_however_often_they_looked() {
        let bell = Arc::default();
        let mut ringer = Ringer::new(Arc::clone(&bell));
        let (mut ann, mut bob) = (Waiter::new(&bell), Waiter::new(&bell));
        assert_eq!(ann.poll(0), Poll::Pending);
        assert_eq!(ann.poll(0), Poll::Pending);
        assert_eq!(bob.poll(0), Poll::Pending);
        ring(&mut ringer, 10);
        ring(&mut ringer, 20);
        assert_eq!((ann.woken(), bob.woken()), (1, 1));
        assert_eq!((ann.poll(0), ann.poll(20)), (Poll::Ready(true), Poll::Pending));
        ring(&mut ringer, 20);
        assert_eq!(ann.woken(), 1, "there is nothing new");
        ring(&mut ringer, 30);
        assert_eq!((ann.woken(), bob.woken()), (2, 1), "bob has not waited again");
    }

    #[test]
    fn a_crowd_is_woken_in_parts_and_in_its_order() {
        let bell = Arc::default();
        let mut ringer = Ringer::new(Arc::clone(&bell));
        let mut crowd: Vec<_> = (0..CALLED_AT_ONCE + 1).map(|_| Waiter::new(&bell)).collect();
        assert!(crowd.iter_mut().all(|waiter| waiter.poll(0).is_pending()));
        ringer.announce(1);
        ringer.call_some();
        let woken: Vec<_> = crowd.iter().map(Waiter::woken).collect();
        assert_eq!((woken[0], woken[CALLED_AT_ONCE - 1], woken[CALLED_AT_ONCE]), (1, 1, 0));
        // What comes meanwhile is seen at once by those who are still to be woken, and not again after.
        ringer.announce(2);
        assert_eq!(crowd[CALLED_AT_ONCE].poll(1), Poll::Ready(true));
        assert_eq!(crowd[0].poll(2), Poll::Pending);
        ringer.call_some();
        assert!(crowd.iter().all(|waiter| waiter.woken() == 1));
        assert!(ringer.is_due(), "the first has waited again, before the second round");
        ringer.call_some();
        assert_eq!((crowd[0].woken(), crowd[1].woken(), ringer.is_due()), (2, 1, false));
    }

    #[test]
    fn who_has_gone_leaves_nothing() {
        let bell = Arc::default();
        let (mut ann, mut bob) = (Waiter::new(&bell), Waiter::new(&bell));
        assert_eq!((ann.poll(0), bob.poll(0)), (Poll::Pending, Poll::Pending));
        drop(ann);
        assert_eq!(bell.waiting().len(), 1);
        ring(&mut Ringer::new(Arc::clone(&bell)), 1);
        assert_eq!(bob.woken(), 1);
    }

    #[test]
    fn another_task_takes_over_waiting() {
        let bell = Arc::default();
        let mut ann = Waiter::new(&bell);
        assert_eq!(ann.poll(0), Poll::Pending);
        let earlier = std::mem::take(&mut ann.woken);
        assert_eq!(ann.poll(0), Poll::Pending);
        ring(&mut Ringer::new(Arc::clone(&bell)), 1);
        assert_eq!((earlier.0.load(Ordering::Relaxed), ann.woken()), (0, 1));
    }

    #[test]
    fn the_end_wakes_everyone() {
        let bell = Arc::default();
        let mut ann = Waiter::new(&bell);
        assert_eq!(ann.poll(0), Poll::Pending);
        drop(Ringer::new(Arc::clone(&bell)));
        assert_eq!((ann.woken(), ann.poll(0)), (1, Poll::Ready(false)));
    }
}
