//! The permits of open connections, shared max-min fair between circuits.
//!
//! When all are taken, a circuit that holds at least two fewer than the one that holds most takes one from it: the
//! connection on which nothing was read or written for longest. So a circuit with one connection loses it to none, and to
//! keep new circuits out takes as many circuits as there are permits.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::budget::{CircuitBudget, Clock};
use crate::protocol::CircuitId;

/// Permits beside the limit that only connections from this machine can take, so that its host always gets in.
pub const LOOPBACK_RESERVE: usize = 16;

/// All permits. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Permits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    connections: usize,
    /// The most that may be files of this process, the reserve of this machine among them.
    files: AtomicUsize,
    requests_per_second: u32,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    circuits: HashMap<CircuitId, Circuit>,
    /// Permits that are taken, without those of the reserve.
    taken: usize,
    /// Those of them whose connections are files of this process.
    files: usize,
    /// Circuits without connections whose budgets were not full when the last one ended, in that order.
    resting: VecDeque<CircuitId>,
    next_id: u64,
}

#[derive(Debug)]
struct Circuit {
    budget: Arc<CircuitBudget>,
    connections: Vec<Arc<OpenConnection>>,
}

/// What the limiter and the connection's permit share.
#[derive(Debug)]
struct OpenConnection {
    /// In the order of arrival.
    id: u64,
    /// The clock at the last byte in either direction, in milliseconds.
    active: AtomicU64,
    evicted: CancellationToken,
}

/// The permit of one open connection, released when it is dropped.
#[derive(Debug)]
pub struct Permit {
    permits: Permits,
    circuit: CircuitId,
    budget: Arc<CircuitBudget>,
    connection: Arc<OpenConnection>,
}

/// Notes when something was read from or written to a connection. Apart from its [`Permit`], because every write comes
/// here, and to look at the permit first would be one more wait for memory.
#[derive(Debug, Clone)]
pub struct Activity {
    permits: Permits,
    connection: Arc<OpenConnection>,
}

impl Permits {
    /// `connections` permits and the reserve; each circuit gets a budget of `requests_per_second`.
    pub(super) fn new(connections: usize, requests_per_second: u32) -> Self {
        let (clock, state) = (Clock::start(), Mutex::default());
        let files = AtomicUsize::new(usize::MAX);
        Self(Arc::new(Shared { connections, files, requests_per_second, clock, state }))
    }

    /// Lets at most so many be files of this process.
    pub(super) fn limit_files(&self, most: usize) {
        self.0.files.store(most, Ordering::Relaxed);
    }

    /// A permit for one more connection of this circuit, if there is one or another circuit has to give one up.
    pub(super) fn try_acquire(&self, circuit: CircuitId) -> Option<Permit> {
        let Shared { connections, requests_per_second, clock, .. } = &*self.0;
        let now = clock.now();
        let state = &mut *self.state();
        state.forget_rested(|budget| budget.is_full(now));
        let held = state.circuits.get(&circuit).map_or(0, |entry| entry.connections.len());
        let files = self.0.files.load(Ordering::Relaxed);
        if circuit == CircuitId::LOOPBACK && held >= files {
            return None;
        }
        if held >= reserve(circuit) {
            let is_file = circuit.takes_files();
            let no_file = is_file && state.files >= files.saturating_sub(LOOPBACK_RESERVE);
            // A connection through Tor that ends gives no file back.
            let evictable = |id: CircuitId| !no_file || id.takes_files();
            if (no_file || state.taken >= *connections)
                && !state.evict_for(held - reserve(circuit), evictable)
            {
                return None;
            }
            state.taken += 1;
            state.files += usize::from(is_file);
        }
        let entry = state.circuits.entry(circuit).or_insert_with(|| {
            let budget = Arc::new(CircuitBudget::new(circuit, *requests_per_second, clock.clone()));
            Circuit { budget, connections: Vec::new() }
        });
        let (active, evicted) = (AtomicU64::new(clock.last()), CancellationToken::new());
        let connection = Arc::new(OpenConnection { id: state.next_id, active, evicted });
        state.next_id += 1;
        entry.connections.push(Arc::clone(&connection));
        Some(Permit { permits: self.clone(), circuit, budget: Arc::clone(&entry.budget), connection })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Closes a connection of a circuit that holds most, of those that are `evictable`, if that is at least two more than
    /// `held`.
    fn evict_for(&mut self, held: usize, evictable: impl Fn(CircuitId) -> bool) -> bool {
        let circuits = self.circuits.iter().filter(|(id, _)| evictable(**id));
        let most = circuits.clone().map(|(id, circuit)| circuit.held(*id)).max().unwrap_or(0);
        if most < held + 2 {
            return false;
        }
        let largest = circuits.filter(|(id, circuit)| circuit.held(**id) == most);
        let connections =
            largest.flat_map(|(id, circuit)| circuit.connections.iter().map(|connection| (*id, connection)));
        let idle = connections.min_by_key(|(_, open)| (open.active.load(Ordering::Relaxed), open.id));
        let Some((circuit, connection)) = idle.map(|(circuit, open)| (circuit, Arc::clone(open))) else {
            return false;
        };
        connection.evicted.cancel();
        self.remove(circuit, &connection, |_| false);
        true
    }

    /// Removes a connection that has ended or was evicted; the first call counts.
    fn remove(
        &mut self,
        id: CircuitId,
        connection: &Arc<OpenConnection>,
        is_full: impl Fn(&CircuitBudget) -> bool,
    ) {
        let Some(circuit) = self.circuits.get_mut(&id) else { return };
        let place = circuit.connections.iter().position(|open| Arc::ptr_eq(open, connection));
        let Some(place) = place else { return };
        if circuit.held(id) > 0 {
            self.taken -= 1;
            self.files -= usize::from(id.takes_files());
        }
        circuit.connections.swap_remove(place);
        if !circuit.connections.is_empty() {
            return;
        }
        if is_full(&circuit.budget) {
            self.circuits.remove(&id);
        } else {
            // Otherwise each new first connection of a circuit would begin with a full budget.
            self.resting.push_back(id);
        }
    }

    /// Forgets circuits without connections whose budgets are full again.
    fn forget_rested(&mut self, is_full: impl Fn(&CircuitBudget) -> bool) {
        while let Some(id) = self.resting.front() {
            match self.circuits.get(id) {
                Some(circuit) if circuit.connections.is_empty() && !is_full(&circuit.budget) => return,
                Some(circuit) if circuit.connections.is_empty() => drop(self.circuits.remove(id)),
                _ => {}
            }
            self.resting.pop_front();
        }
    }
}

impl Circuit {
    /// How many permits it holds, without those of the reserve.
    fn held(&self, id: CircuitId) -> usize {
        self.connections.len().saturating_sub(reserve(id))
    }
}

fn reserve(circuit: CircuitId) -> usize {
    if circuit == CircuitId::LOOPBACK { LOOPBACK_RESERVE } else { 0 }
}

impl Permit {
    /// The budget of the connection's circuit.
    pub fn budget(&self) -> &Arc<CircuitBudget> {
        &self.budget
    }

    /// Cancelled when the permit was given to another circuit: then the connection must end at once, whatever it is
    /// doing.
    pub fn evicted(&self) -> &CancellationToken {
        &self.connection.evicted
    }

    /// Where the connection's activity is noted, for as long as the permit lasts.
    pub fn activity(&self) -> Activity {
        Activity { permits: self.permits.clone(), connection: Arc::clone(&self.connection) }
    }
}

impl Activity {
    /// Notes that something was read or written just now. As precise as the clock of the limiter, which goes on with each
    /// request of any connection.
    pub fn touch(&self) {
        self.connection.active.store(self.permits.0.clock.last(), Ordering::Relaxed);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let now = self.permits.0.clock.now();
        self.permits.state().remove(self.circuit, &self.connection, |budget| budget.is_full(now));
    }
}

#[cfg(test)]
#[path = "limiter_tests.rs"]
mod tests;
