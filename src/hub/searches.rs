//! Whose turn it is to search: one search at a time in all rooms of an address, one of a circuit, and not too many.
//!
//! A search reads and decrypts much for little that was sent. So it is charged to its circuit and to the address before it
//! begins, and at most one is computed at once: whatever strangers do, other requests have the remaining processors.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::protocol::{CircuitId, Refusal};
use crate::rate_limit::{KeyedBuckets, RateLimit};

/// How many wait for their turn at most, with the one that has it; more are refused.
const PLACES: usize = 32;

/// The searches in all rooms of an address: ten at once on a circuit and one in three seconds after that; forty at once in all,
/// and ten a second.
///
/// Programs of this machine, and the clients of a proxy that does not tell them apart, share the second limit alone.
#[derive(Debug)]
pub(super) struct Searches {
    state: Mutex<State>,
    turn: Arc<Semaphore>,
}

#[derive(Debug)]
struct State {
    buckets: KeyedBuckets<CircuitId>,
    /// The circuits that have a search.
    circuits: HashSet<CircuitId>,
    /// How many searches there are.
    count: usize,
}

impl Default for Searches {
    fn default() -> Self {
        let buckets = KeyedBuckets::new(RateLimit::per_minute(20, 10), RateLimit::per_second(10, 40));
        let state = Mutex::new(State { buckets, circuits: HashSet::new(), count: 0 });
        Self { state, turn: Arc::new(Semaphore::new(1)) }
    }
}

/// The right to search now; given back when dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _place: Place,
    _turn: Option<OwnedSemaphorePermit>,
}

/// A place among those who wait.
#[derive(Debug)]
struct Place {
    searches: Arc<Searches>,
    /// `None` for one that many share.
    circuit: Option<CircuitId>,
}

impl Searches {
    /// Waits for a turn to search for a guest on this circuit.
    ///
    /// # Errors
    /// `too_fast`, with how long to wait, where the circuit has another search, or there are too many.
    pub(super) async fn turn(self: &Arc<Self>, circuit: CircuitId) -> Result<Turn, Refusal> {
        let place = self.place(circuit, Instant::now()).map_err(too_fast)?;
        // It is never closed.
        let turn = Arc::clone(&self.turn).acquire_owned().await.ok();
        Ok(Turn { _place: place, _turn: turn })
    }

    fn place(self: &Arc<Self>, circuit: CircuitId, now: Instant) -> Result<Place, Duration> {
        let circuit = Some(circuit).filter(|circuit| !circuit.is_shared());
        let mut state = self.lock();
        if state.count >= PLACES || circuit.is_some_and(|circuit| state.circuits.contains(&circuit)) {
            return Err(Duration::from_secs(1));
        }
        state.buckets.try_take(circuit, now)?;
        state.circuits.extend(circuit);
        state.count += 1;
        Ok(Place { searches: Arc::clone(self), circuit })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.searches.lock();
        state.count -= 1;
        if let Some(circuit) = self.circuit {
            state.circuits.remove(&circuit);
        }
    }
}

fn too_fast(wait: Duration) -> Refusal {
    Refusal::too_fast("Searches take turns here.", wait, ", and search again")
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::protocol::Code;

    #[tokio::test(start_paused = true)]
    async fn a_circuit_has_one_at_a_time_and_ten_at_once() {
        let searches = Arc::new(Searches::default());
        let ann = CircuitId(1);
        let turn = searches.turn(ann).await.unwrap();
        assert_eq!(searches.turn(ann).await.unwrap_err().code, Code::TooFast);
        let bob = searches.turn(CircuitId(2));
        let mut bob = Box::pin(bob);
        assert!(bob.as_mut().now_or_never().is_none(), "one at a time in all");
        drop(turn);
        drop(bob.await.unwrap());
        for _ in 1..10 {
            drop(searches.turn(ann).await.unwrap());
        }
        let refusal = searches.turn(ann).await.unwrap_err();
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(3)), "{refusal:?}");
        tokio::time::advance(Duration::from_secs(3)).await;
        drop(searches.turn(ann).await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_wait_gives_up_the_place_and_many_are_refused() {
        let searches = Arc::new(Searches::default());
        let mut turns: Vec<_> =
            (1..=100).map(|circuit| Box::pin(searches.turn(CircuitId(circuit)))).collect();
        let first = turns[0].as_mut().now_or_never().unwrap().unwrap();
        let refused = turns[1..].iter_mut().filter_map(|turn| turn.as_mut().now_or_never());
        assert_eq!(refused.filter(Result::is_err).count(), 100 - PLACES);
        drop(turns);
        drop(first);
        let count = searches.lock().count;
        let circuits = searches.lock().circuits.len();
        assert_eq!((count, circuits), (0, 0));
        assert!(searches.turn(CircuitId(7)).await.is_ok());
    }

    /// A stranger with many circuits, each of which asks ten times a second.
    #[tokio::test(start_paused = true)]
    async fn many_circuits_have_the_limit_of_the_address_together() {
        let (searches, start) = (Arc::new(Searches::default()), Instant::now());
        let mut done = 0;
        for tenth in 0..600 {
            let now = start + Duration::from_millis(tenth * 100);
            done += (1..=1000).filter(|circuit| searches.place(CircuitId(*circuit), now).is_ok()).count();
        }
        assert!((638..=640).contains(&done), "{done}");
        let local = (0..100).filter(|_| searches.place(CircuitId::LOOPBACK, start).is_ok()).count();
        assert_eq!(local, 0, "what is shared has no limit of its own, but that one");
    }
}
