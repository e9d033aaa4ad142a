//! Polls a part of a task only when that part was woken.
//!
//! A connection's task is woken with every message of the room. To poll its socket for input and all its deadlines
//! each time would cost more than the write that it was woken for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// A filter before the part.
pub(super) struct WakeFilter {
    signal: Arc<Signal>,
    /// Wakes the part, and the task with it.
    waker: Waker,
    /// The task, as `signal` knows it.
    task: Waker,
}

struct Signal {
    woken: AtomicBool,
    task: Mutex<Waker>,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.task.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
    }
}

impl WakeFilter {
    /// A filter that polls the first time.
    pub(super) fn new() -> Self {
        let task = Waker::noop().clone();
        let signal = Arc::new(Signal { woken: AtomicBool::new(true), task: Mutex::new(task.clone()) });
        Self { waker: Waker::from(Arc::clone(&signal)), signal, task }
    }

    /// Polls `part` if it was woken since it was last pending; `part` must take the context that it is given.
    pub(super) fn poll<T>(
        &mut self,
        context: &Context<'_>,
        part: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if !self.task.will_wake(context.waker()) {
            self.task = context.waker().clone();
            *self.signal.task.lock().unwrap_or_else(PoisonError::into_inner) = self.task.clone();
        }
        if !self.signal.woken.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        self.signal.woken.store(false, Ordering::Release);
        let polled = part(&mut Context::from_waker(&self.waker));
        if polled.is_ready() {
            // It may have more to say, and will not say so again.
            self.signal.woken.store(true, Ordering::Release);
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Polls the filter; whether the part was looked at.
    fn looked(filter: &mut WakeFilter, part: Poll<()>, keep: &mut Option<Waker>) -> bool {
        let mut looked = false;
        let polled = filter.poll(&Context::from_waker(Waker::noop()), |context| {
            looked = true;
            *keep = Some(context.waker().clone());
            part
        });
        assert!(looked || polled.is_pending());
        looked
    }

    #[test]
    fn the_part_is_looked_at_when_it_was_woken() {
        let (mut filter, mut waker) = (WakeFilter::new(), None);
        assert!(looked(&mut filter, Poll::Pending, &mut waker), "the first time");
        assert!(!looked(&mut filter, Poll::Pending, &mut waker), "only the task was woken");
        waker.take().unwrap().wake();
        assert!(looked(&mut filter, Poll::Pending, &mut waker));
        assert!(!looked(&mut filter, Poll::Pending, &mut waker));
    }

    #[test]
    fn a_part_that_had_something_to_say_is_asked_again() {
        let (mut filter, mut waker) = (WakeFilter::new(), None);
        assert!(looked(&mut filter, Poll::Ready(()), &mut waker));
        assert!(looked(&mut filter, Poll::Pending, &mut waker));
        assert!(!looked(&mut filter, Poll::Pending, &mut waker));
    }

    #[test]
    fn what_wakes_the_part_while_it_is_looked_at_is_not_missed() {
        let mut filter = WakeFilter::new();
        let polled = filter.poll(&Context::from_waker(Waker::noop()), |context| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert!(polled.is_pending() && looked(&mut filter, Poll::Pending, &mut None));
    }
}
