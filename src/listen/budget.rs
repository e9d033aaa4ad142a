//! The budget of a circuit: what all its connections together may ask for, and how many bytes may be held for them.
//!
//! A connection that asks for more than the budget has is not refused but waits, and nothing is read from it meanwhile: so
//! a flood stays on the sender's side.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep};

use crate::protocol::CircuitId;
use crate::rate_limit::{RateLimit, TokenBucket};

/// How many received bytes cost as much as one request.
pub const BYTES_PER_TOKEN: usize = 4096;

/// How many seconds' worth of requests may come at once.
const BURST_SECONDS: u32 = 10;

/// All programs of this machine share one budget, the host's own among them, and so do the clients of a proxy that does not
/// tell them apart: it is as large as that of so many circuits.
const SHARED_CIRCUITS: u32 = 100;

/// The unit in which held bytes are counted.
const HELD_UNIT: usize = 1024;

/// How many bytes of request bodies under way and of poll responses that wait to be written may be held for one circuit.
const HELD_BYTES: usize = 1024 * 1024;

/// The same for a shared budget.
const HELD_BYTES_SHARED: usize = 8 * HELD_BYTES;

/// Completes when the tokens were taken.
pub type Wait = BoxFuture<'static, ()>;

/// The budget of one circuit; all its connections share it.
#[derive(Debug)]
pub struct CircuitBudget {
    rate_limit: RateLimit,
    state: Mutex<State>,
    held: Arc<Semaphore>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct State {
    bucket: TokenBucket,
    /// Those who wait, in their order, so that one of them is woken for each token and not all.
    waiting: VecDeque<Waiting>,
    /// Whether a task gives tokens to those who wait.
    serving: bool,
}

/// A connection that waits.
#[derive(Debug)]
struct Waiting {
    tokens: u32,
    /// Closed when it waits no more.
    taken: oneshot::Sender<()>,
}

/// Bytes that are held for a circuit; given back when dropped.
#[derive(Debug)]
pub struct BytesPermit(OwnedSemaphorePermit);

/// A [`BytesPermit`] as an extension of the response, held until the response is written.
#[derive(Debug, Clone)]
pub struct HeldBytes(Arc<Mutex<Option<BytesPermit>>>);

impl HeldBytes {
    /// To be put into a response's extensions.
    pub fn new(permit: BytesPermit) -> Self {
        Self(Arc::new(Mutex::new(Some(permit))))
    }

    /// The permit, for the connection to hold; `None` if it was taken before.
    pub fn take(self) -> Option<BytesPermit> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl CircuitBudget {
    /// A full budget for this circuit: `requests_per_second` tokens a second and ten times as many at once, or a
    /// hundred times that if it is shared; no limit if it is 0.
    pub fn new(circuit: CircuitId, requests_per_second: u32, clock: Clock) -> Self {
        let (circuits, held_bytes) =
            if circuit.is_shared() { (SHARED_CIRCUITS, HELD_BYTES_SHARED) } else { (1, HELD_BYTES) };
        let tokens = requests_per_second.saturating_mul(circuits);
        Self {
            rate_limit: RateLimit::per_second(tokens, tokens.saturating_mul(BURST_SECONDS)),
            state: Mutex::default(),
            held: Arc::new(Semaphore::new(held_bytes / HELD_UNIT)),
            clock,
        }
    }

    /// Takes tokens: one for each request or frame, and one for each [`BYTES_PER_TOKEN`]. `None` if they were there;
    /// otherwise wait, and do not read from the connection before.
    pub fn take(self: &Arc<Self>, tokens: u32) -> Option<Wait> {
        let mut state = self.state();
        if !state.serving && state.bucket.try_take(tokens, self.rate_limit, self.clock.now()).is_ok() {
            return None;
        }
        let (taken, wait) = oneshot::channel();
        state.waiting.push_back(Waiting { tokens, taken });
        if !std::mem::replace(&mut state.serving, true) {
            tokio::spawn(Arc::clone(self).serve());
        }
        Some(wait.map(drop).boxed())
    }

    /// Gives tokens to those who wait, one after the other. In a task of its own, because a connection that is busy with
    /// something else, such as a write, does not go on with its wait, and those behind it must not wait for that.
    async fn serve(self: Arc<Self>) {
        while let Some(Waiting { tokens, mut taken }) = self.next() {
            while let Err(wait) = self.try_take(tokens, &taken) {
                tokio::select! {
                    biased;
                    () = taken.closed() => break,
                    () = sleep(wait) => {}
                }
            }
            let _ = taken.send(());
        }
    }

    /// The first of those who wait. Without one the task ends.
    fn next(&self) -> Option<Waiting> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        state.serving = next.is_some();
        next
    }

    /// Takes nothing for a connection that waits no more.
    fn try_take(&self, tokens: u32, taken: &oneshot::Sender<()>) -> Result<(), Duration> {
        if taken.is_closed() {
            return Ok(());
        }
        self.state().bucket.try_take(tokens, self.rate_limit, self.clock.now())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is full: then a new one is as good.
    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.state().bucket.is_full(now)
    }

    /// Waits until `bytes` may be held. More than a circuit may have count as that much.
    pub async fn hold(&self, bytes: usize) -> BytesPermit {
        let units = units(bytes).min(HELD_BYTES / HELD_UNIT);
        let held = Arc::clone(&self.held);
        match held.acquire_many_owned(u32::try_from(units).unwrap_or(u32::MAX)).await {
            Ok(permit) => BytesPermit(permit),
            // Only when it is closed, which it never is.
            Err(_closed) => std::future::pending().await,
        }
    }
}

impl BytesPermit {
    /// Gives back what is more than `bytes`.
    pub fn shrink(&mut self, bytes: usize) {
        let more = self.0.num_permits().saturating_sub(units(bytes));
        drop(self.0.split(more));
    }
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(HELD_UNIT)
}

/// The time as of the last time that it was asked for, for what must not ask. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock {
    start: Instant,
    milliseconds: Arc<AtomicU64>,
}

impl Clock {
    /// A clock that begins now.
    pub(super) fn start() -> Self {
        Self { start: Instant::now(), milliseconds: Arc::default() }
    }

    /// The present time.
    pub(super) fn now(&self) -> Instant {
        let now = Instant::now();
        let elapsed = now.duration_since(self.start).as_millis();
        self.milliseconds.store(u64::try_from(elapsed).unwrap_or(u64::MAX), Ordering::Relaxed);
        now
    }

    /// Milliseconds from the beginning to the last call of [`Clock::now`].
    pub(super) fn last(&self) -> u64 {
        self.milliseconds.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(circuit: u64, requests_per_second: u32) -> Arc<CircuitBudget> {
        Arc::new(CircuitBudget::new(CircuitId(circuit), requests_per_second, Clock::start()))
    }

    fn at_once(budget: &Arc<CircuitBudget>) -> usize {
        std::iter::repeat_with(|| budget.take(1)).take(100_000).take_while(Option::is_none).count()
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_budget_does_not_have_is_waited_for_in_the_order_of_asking() {
        let (budget, began) = (budget(1, 20), Instant::now());
        assert_eq!(at_once(&budget), 200);
        let (first, second) = (budget.take(1).unwrap(), budget.take(20).unwrap());
        let first = async {
            first.await;
            began.elapsed().as_millis()
        };
        let second = async {
            second.await;
            began.elapsed().as_millis()
        };
        assert_eq!(tokio::join!(first, second), (50, 1050));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_stops_waiting_takes_nothing_and_lets_the_next_one_go_on() {
        let (budget, began) = (budget(1, 20), Instant::now());
        at_once(&budget);
        let mut first = budget.take(100).unwrap();
        assert!(first.as_mut().now_or_never().is_none());
        let second = budget.take(1).unwrap();
        drop(first);
        second.await;
        assert_eq!(began.elapsed().as_millis(), 50);
    }

    /// Guards against a connection that waits to write and meanwhile neither takes its turn nor gives it up: it held up all
    /// others of its circuit, and on the loopback all local programs.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_does_not_go_on_holds_up_no_other() {
        let (budget, began) = (budget(1, 20), Instant::now());
        at_once(&budget);
        let (mut first, mut second) = (budget.take(1).unwrap(), budget.take(1).unwrap());
        assert!(first.as_mut().now_or_never().is_none());
        assert!(second.as_mut().now_or_never().is_none());
        let third = budget.take(1).unwrap();
        tokio::time::timeout(Duration::from_secs(10), third).await.unwrap();
        assert_eq!(began.elapsed().as_millis(), 150, "each in its turn, polled or not");
        assert!(first.now_or_never().is_some() && second.now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_shared_budget_has_a_hundred_times_as_much_and_0_is_no_limit() {
        for shared in [CircuitId::LOOPBACK, CircuitId::PROXY] {
            assert_eq!(at_once(&budget(shared.0, 20)), 20_000);
        }
        for other in [CircuitId::of_tor_daemon(0), CircuitId::of_address(u64::MAX)] {
            assert_eq!(at_once(&budget(other.0, 20)), 200);
        }
        assert_eq!(at_once(&budget(1, 0)), 100_000);
    }

    #[tokio::test]
    async fn bytes_wait_until_others_of_their_circuit_are_given_back() {
        let budget = budget(1, 20);
        let mut large = budget.hold(10 * HELD_BYTES).await;
        assert!(budget.hold(1).now_or_never().is_none());
        large.shrink(HELD_BYTES - 2 * HELD_UNIT);
        let _small = (budget.hold(1).await, budget.hold(HELD_UNIT).await);
        assert!(budget.hold(1).now_or_never().is_none());
        drop(large);
        budget.hold(HELD_BYTES / 2).await;
    }
}
