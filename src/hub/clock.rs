//! The room's clock, whose rate is noise.
//!
//! Guests see whole seconds, but the edges between them can be timed within a millisecond, and a day of edges gives the
//! skew of the host's clock to a hundredth of a part per million: a fingerprint of the machine, and a thermometer
//! (Murdoch, "Hot or Not: Revealing Hidden Services by their Clock Skew", 2006). A random displacement of each edge
//! averages out, so the rate itself is random: a part that belongs to the room and never changes, and parts that are
//! drawn again at random times, about every four minutes, every hour and every day. An average over any stretch of time
//! keeps the parts that change more slowly than that.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

/// Each part of the rate, at most, in parts per billion. With four parts a day is at most 52 seconds too long or too short.
const PART_PPB: u64 = 150_000;

/// How long a part of the rate lasts on average.
const PERIODS: [Duration; 3] =
    [Duration::from_secs(4 * 60), Duration::from_secs(60 * 60), Duration::from_secs(24 * 60 * 60)];

/// The most by which a second's edge is late, in nanoseconds.
const EDGE_NANOS: u64 = 500_000_000;

/// The most by which the clock is put forward when a room is opened again, in seconds: so that the clock before and
/// after does not measure how fast the host's clock went in between.
const FORWARD_SECONDS: u64 = 60;

/// The most by which another machine's clock may put this one forward, in seconds.
const FORWARD_MAX_SECONDS: u64 = 24 * 60 * 60;

/// Shows the time since the room was first opened, in seconds; never goes back.
pub(super) struct RoomClock {
    opened: Instant,
    state: Mutex<State>,
}

impl RoomClock {
    /// A clock that goes on from `start`, in seconds. `secret` is the room's own: the constant part of the rate depends on
    /// it, so that opening the room again does not draw another, and the average of many is of no use.
    pub(super) fn start(start: u64, secret: &[u8; 32]) -> Self {
        let mut seed = Sha256::new().chain_update("clock noise").chain_update(secret);
        let mut random = [0; 32];
        // Without randomness the noise is the same at each start, and still not known to guests.
        let _ = getrandom::fill(&mut random);
        seed.update(random);
        Self { opened: Instant::now(), state: Mutex::new(State::new(start, secret, seed.finalize().into())) }
    }

    /// What it shows now, in whole seconds.
    pub(super) fn now(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).at(self.opened.elapsed())
    }

    /// Shows no less from now on: an entry that another machine appended at this time was published.
    pub(super) fn at_least(&self, seconds: u64) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).at_least(seconds);
    }
}

/// The clock as a function of the host's.
struct State {
    noise: Noise,
    constant: i64,
    parts: [Part; PERIODS.len()],
    /// Up to where the host's time is counted.
    counted: Duration,
    /// The room's time there, in nanoseconds.
    nanos: u128,
    /// The newest second whose edge was drawn, and by how much that is late, in nanoseconds.
    edge: (u64, u64),
    /// The newest second that was shown.
    shown: u64,
}

/// A part of the rate until it is drawn again.
#[derive(Clone, Copy)]
struct Part {
    ppb: i64,
    until: Duration,
}

impl State {
    fn new(start: u64, secret: &[u8; 32], seed: [u8; 32]) -> Self {
        let mut constant = Noise { seed: hash("clock rate", secret), drawn: 0 };
        let mut noise = Noise { seed, drawn: 0 };
        // A new room has shown nothing yet.
        let forward = if start == 0 { 0 } else { 1 + noise.below(FORWARD_SECONDS) };
        let shown = start + forward;
        let parts = PERIODS.map(|period| noise.part(Duration::ZERO, period));
        Self {
            noise,
            constant: constant.rate(),
            parts,
            counted: Duration::ZERO,
            nanos: u128::from(shown) * 1_000_000_000,
            edge: (shown, 0),
            shown,
        }
    }

    /// Goes forward to this second if it has not been shown yet, but by a day at most: more is no matter of rates.
    fn at_least(&mut self, seconds: u64) {
        if (self.shown + 1..=self.shown + FORWARD_MAX_SECONDS).contains(&seconds) {
            self.nanos = self.nanos.max(u128::from(seconds) * 1_000_000_000);
            self.shown = seconds;
        }
    }

    /// What is shown after this much of the host's time; it must not be less than before.
    fn at(&mut self, elapsed: Duration) -> u64 {
        while self.counted < elapsed {
            let until = self.parts.iter().map(|part| part.until).fold(elapsed, Duration::min);
            let rate = self.constant + self.parts.iter().map(|part| part.ppb).sum::<i64>();
            let per_billion = u128::from(1_000_000_000_u64.saturating_add_signed(rate));
            self.nanos += (until - self.counted).as_nanos() * per_billion / 1_000_000_000;
            self.counted = until;
            for (part, period) in self.parts.iter_mut().zip(PERIODS) {
                if part.until <= until {
                    *part = self.noise.part(until, period);
                }
            }
        }
        let second = u64::try_from(self.nanos / 1_000_000_000).unwrap_or(u64::MAX);
        if self.edge.0 != second {
            self.edge = (second, self.noise.below(EDGE_NANOS));
        }
        let late = self.nanos % 1_000_000_000 < u128::from(self.edge.1);
        self.shown = self.shown.max(second.saturating_sub(u64::from(late)));
        self.shown
    }
}

/// Random numbers: the hash of a secret and a counter.
struct Noise {
    seed: [u8; 32],
    drawn: u64,
}

impl Noise {
    /// A number below `bound`, which is far below 2^64, so that the remainder is as good as uniform.
    fn below(&mut self, bound: u64) -> u64 {
        self.drawn += 1;
        let digest = Sha256::new().chain_update(self.seed).chain_update(self.drawn.to_be_bytes()).finalize();
        digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)) % bound
    }

    /// A part of the rate, in parts per billion.
    fn rate(&mut self) -> i64 {
        self.below(2 * PART_PPB + 1).cast_signed() - PART_PPB.cast_signed()
    }

    /// A part that lasts from `from` for half to one and a half of `period`.
    fn part(&mut self, from: Duration, period: Duration) -> Part {
        let millis = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
        Part { ppb: self.rate(), until: from + Duration::from_millis(millis / 2 + self.below(millis)) }
    }
}

fn hash(purpose: &str, secret: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update(purpose).chain_update(secret).finalize().into()
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
