//! What guests, circuits and the whole room may publish, and how often a circuit may join.
//!
//! A message is charged to its author, to the circuit that it came on and to the room. A guest's bucket outlives the
//! seat, so that leaving and joining again does not refill it, and a new guest's bucket begins nearly empty, so that a new
//! guest is worth less than a known one. One circuit gets twice what one guest gets, however many guests are on it.
//!
//! When the room's own bucket is more than half empty, turns are shared max-min fair between circuits: the more of the
//! average of the last minute a circuit has published, the more there must be in the bucket before it may publish again. A
//! new circuit waits for more, so that the guests who are there go before many that come at once.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::shared_circuits::{CircuitBuckets, SharedCircuits};
use crate::config::RoomSettings;
use crate::protocol::{CircuitId, GuestId};
use crate::rate_limit::{RateLimit, TokenBucket};

/// How many times as much as a guest a circuit may publish.
const CIRCUIT_GUESTS: u32 = 2;

/// A new guest's bucket begins with this part of it, at least one message.
const NEW_GUEST_PART: u32 = 3;

/// How many joins may come at once on a circuit: a browser that opens some tabs.
const JOINS_AT_ONCE: u32 = 10;

/// How many times as much as a circuit all programs of this machine together may join, and all clients of a proxy that does
/// not tell them apart.
const SHARED_CIRCUITS: u32 = 10;

/// The room's bucket holds this many seconds' worth of messages.
const ROOM_BURST_SECONDS: u32 = 10;

/// Below this fill of the room's bucket a circuit that has published as much as the average waits; one that has published
/// less waits below less.
const SCARCE: f64 = 0.5;

/// A circuit that has just come waits below this much more of the room's bucket, and less from then on.
const NEW_SCARCE: f64 = 0.25;

/// How long a circuit counts as new.
const NEW: Duration = Duration::from_secs(60);

/// The longest wait that is returned: there may be room sooner than it seems now, for those who have published little.
const WAIT_MAX: Duration = Duration::from_millis(300);

/// The time over which what a circuit has published is remembered: each second of it weighs less than the next.
const MEMORY_SECONDS: f64 = 60.0;

/// How many bytes of a text one token is worth.
const BYTES_EACH: usize = 1024;

/// The rate limits of a room.
#[derive(Debug, Clone, Copy)]
pub(super) struct RateLimits {
    guest: RateLimit,
    /// The tokens in a new guest's bucket.
    new_guest: u32,
    circuit: RateLimit,
    room: RateLimit,
    joins: RateLimit,
    shared_joins: RateLimit,
}

impl RateLimits {
    pub(super) fn new(settings: &RoomSettings) -> Self {
        let (each, burst) = (settings.messages_per_minute, settings.messages_at_once);
        let (all, joins) = (settings.room_messages_per_minute, settings.joins_per_minute);
        Self {
            guest: RateLimit::per_minute(each, burst),
            new_guest: (burst / NEW_GUEST_PART).max(1),
            circuit: RateLimit::per_minute(each * CIRCUIT_GUESTS, burst * CIRCUIT_GUESTS),
            room: RateLimit::per_minute(all, (all / 60 * ROOM_BURST_SECONDS).max(burst)),
            joins: RateLimit::per_minute(joins, JOINS_AT_ONCE),
            shared_joins: RateLimit::per_minute(joins * SHARED_CIRCUITS, JOINS_AT_ONCE * SHARED_CIRCUITS),
        }
    }

    /// No limits at all.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        let none = RateLimit::NONE;
        Self { guest: none, new_guest: 1, circuit: none, room: none, joins: none, shared_joins: none }
    }

    /// The limit for the messages of a circuit. Those with a shared budget are limited as guests, and with the room.
    fn circuit(&self, circuit: CircuitId) -> RateLimit {
        if circuit.is_shared() { RateLimit::NONE } else { self.circuit }
    }

    /// The buckets of a circuit that was not known in any room.
    fn new_circuit(&self, circuit: CircuitId, now: Instant) -> CircuitBuckets {
        let tokens = self.new_guest * CIRCUIT_GUESTS;
        CircuitBuckets::new(TokenBucket::with(tokens, self.circuit(circuit), now))
    }

    fn joins(&self, circuit: CircuitId) -> RateLimit {
        if circuit.is_shared() { self.shared_joins } else { self.joins }
    }
}

/// The buckets of a room.
#[derive(Debug)]
pub(super) struct Budgets {
    limits: RateLimits,
    guests: HashMap<GuestId, TokenBucket>,
    /// What the circuits have published here that are known in this room.
    circuits: HashMap<CircuitId, CircuitUsage>,
    /// What circuits may do in all rooms together.
    shared: SharedCircuits,
    room: TokenBucket,
    /// How many tokens the circuits that have published lately have taken, on average.
    average: f64,
}

#[derive(Debug)]
struct CircuitUsage {
    usage: Usage,
    since: Instant,
}

impl CircuitUsage {
    /// Those of a circuit that was not known. Not to have published yet is no merit: it counts as one that has published
    /// as much as the others on average, or many new circuits would go before the guests who are there.
    fn new(average: f64, now: Instant) -> Self {
        Self { usage: Usage { tokens: average, at: now }, since: now }
    }

    /// The fill of the room's bucket below which this circuit waits.
    fn scarce_below(&self, average: f64, now: Instant) -> f64 {
        let part = (self.usage.at(now) / average.max(1.0)).min(1.0);
        let age = now.saturating_duration_since(self.since).div_duration_f64(NEW);
        SCARCE * part + NEW_SCARCE * (1.0 - age).max(0.0)
    }
}

/// How many tokens a circuit has taken lately: an exponentially weighted sum.
#[derive(Debug)]
struct Usage {
    tokens: f64,
    at: Instant,
}

impl Usage {
    fn at(&self, now: Instant) -> f64 {
        let age = now.saturating_duration_since(self.at);
        self.tokens * (-age.as_secs_f64() / MEMORY_SECONDS).exp()
    }

    fn add(&mut self, tokens: u32, now: Instant) {
        (self.tokens, self.at) = (self.at(now) + f64::from(tokens), now);
    }

    /// Whether any of it still counts.
    fn is_active(&self, now: Instant) -> bool {
        self.at(now) >= 0.5
    }
}

impl Budgets {
    /// Those of a room that is alone.
    #[cfg(test)]
    pub(super) fn new(limits: RateLimits) -> Self {
        Self::among(limits, SharedCircuits::default())
    }

    /// Those of a room whose circuits have budgets over all rooms.
    pub(super) fn among(limits: RateLimits, shared: SharedCircuits) -> Self {
        let (guests, circuits) = (HashMap::new(), HashMap::new());
        Self { limits, guests, circuits, shared, room: TokenBucket::default(), average: 0.0 }
    }

    /// Begins the bucket of a guest who has joined, if there is none.
    pub(super) fn begin(&mut self, guest: GuestId, now: Instant) {
        let RateLimits { guest: limit, new_guest, .. } = self.limits;
        if limit != RateLimit::NONE {
            self.guests.entry(guest).or_insert_with(|| TokenBucket::with(new_guest, limit, now));
        }
    }

    /// Charges one join of any kind to a circuit, whether it is then refused or not.
    ///
    /// # Errors
    /// How long to wait until the circuit may join again.
    pub(super) fn charge_join(&mut self, circuit: CircuitId, now: Instant) -> Result<(), Duration> {
        let limit = self.limits.joins(circuit);
        if limit == RateLimit::NONE {
            return Ok(());
        }
        let mut shared = self.shared.lock();
        let buckets = shared.entry(circuit).or_insert_with(|| self.limits.new_circuit(circuit, now));
        self.circuits.entry(circuit).or_insert_with(|| {
            buckets.rooms += 1;
            CircuitUsage::new(self.average, now)
        });
        buckets.joins.try_take(1, limit, now)
    }

    /// Charges a message, or a change of name with the text of a name, to the guest, the circuit and the room.
    ///
    /// # Errors
    /// How long to wait; nothing was charged.
    pub(super) fn charge_message(
        &mut self,
        guest: GuestId,
        circuit: CircuitId,
        bytes: usize,
        now: Instant,
    ) -> Result<(), Duration> {
        let RateLimits { guest: limit, room: room_limit, .. } = self.limits;
        if limit == RateLimit::NONE && room_limit == RateLimit::NONE {
            return Ok(());
        }
        let circuit_limit = self.limits.circuit(circuit);
        let tokens = 1 + u32::try_from(bytes.saturating_sub(1) / BYTES_EACH).unwrap_or(u32::MAX);
        self.begin(guest, now);
        let mut unlimited = TokenBucket::default();
        let own = self.guests.get_mut(&guest).unwrap_or(&mut unlimited);
        let mut shared = self.shared.lock();
        let buckets = shared.entry(circuit).or_insert_with(|| self.limits.new_circuit(circuit, now));
        let known = self.circuits.entry(circuit).or_insert_with(|| {
            buckets.rooms += 1;
            CircuitUsage::new(self.average, now)
        });
        let mut wait = own
            .wait(tokens, limit, now)
            .max(buckets.messages.wait(tokens, circuit_limit, now))
            .max(self.room.wait(tokens, room_limit, now));
        // What the host's programs publish is charged to the room, and does not wait for the shares of others.
        if circuit != CircuitId::LOOPBACK {
            let fill = known.scarce_below(self.average, now);
            let scarce = self.room.wait_for_fill(fill, room_limit, now);
            wait = wait.max(scarce.min(WAIT_MAX));
        }
        if !wait.is_zero() {
            return Err(wait);
        }
        own.take(tokens, limit, now);
        buckets.messages.take(tokens, circuit_limit, now);
        known.usage.add(tokens, now);
        self.room.take(tokens, room_limit, now);
        Ok(())
    }

    /// Averages what circuits have published lately, and forgets the buckets of guests and circuits without a seat that are
    /// full again. To be called about once a second.
    pub(super) fn prune(
        &mut self,
        is_seated: impl Fn(GuestId) -> bool,
        holds_seats: impl Fn(CircuitId) -> bool,
        now: Instant,
    ) {
        self.guests.retain(|guest, bucket| !bucket.is_full(now) || is_seated(*guest));
        {
            let mut shared = self.shared.lock();
            self.circuits.retain(|circuit, CircuitUsage { usage, .. }| {
                let buckets = shared.get_mut(circuit);
                let full = buckets.as_ref().is_none_or(|buckets| buckets.are_full(now));
                let stays = !full || usage.is_active(now) || holds_seats(*circuit);
                if let Some(buckets) = buckets.filter(|_| !stays) {
                    buckets.rooms -= 1;
                }
                stays
            });
            shared.retain(|_, buckets| buckets.rooms > 0 || !buckets.are_full(now));
        }
        let usages = self.circuits.values().map(|known| &known.usage).filter(|usage| usage.is_active(now));
        let (count, sum) = usages.fold((0, 0.0), |(count, sum), usage| (count + 1, sum + usage.at(now)));
        self.average = sum / f64::from(count.max(1));
    }
}

impl Drop for Budgets {
    fn drop(&mut self) {
        let mut shared = self.shared.lock();
        for circuit in self.circuits.keys() {
            if let Some(buckets) = shared.get_mut(circuit) {
                buckets.rooms -= 1;
            }
        }
    }
}

/// Charges the opening of a closed room with these settings to a circuit, as a join.
///
/// # Errors
/// How long to wait; nothing was charged.
pub(super) fn charge_opening(
    shared: &SharedCircuits,
    settings: &RoomSettings,
    circuit: CircuitId,
) -> Result<(), Duration> {
    let (limits, now) = (RateLimits::new(settings), Instant::now());
    let limit = limits.joins(circuit);
    if limit == RateLimit::NONE {
        return Ok(());
    }
    let mut shared = shared.lock();
    let buckets = shared.entry(circuit).or_insert_with(|| limits.new_circuit(circuit, now));
    buckets.joins.try_take(1, limit, now)
}

#[cfg(test)]
#[path = "budgets_tests.rs"]
mod tests;
