//! How often a password or a passphrase may be tried.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::too_fast;
use crate::protocol::{CircuitId, Refusal};
use crate::rate_limit::{KeyedBuckets, RateLimit};

/// The attempts at passwords and passphrases in all rooms of an address: six at once on a circuit and one in ten seconds after that; a hundred at once
/// in all, and two a second. Who tries over many circuits therefore has at most 172,800 attempts a day.
///
/// Programs of this machine, and the clients of a proxy that does not tell them apart, share the second limit alone.
#[derive(Debug)]
pub struct Attempts(Mutex<KeyedBuckets<CircuitId>>);

impl Default for Attempts {
    fn default() -> Self {
        let buckets = KeyedBuckets::new(RateLimit::per_minute(6, 6), RateLimit::per_second(2, 100));
        Self(Mutex::new(buckets))
    }
}

impl Attempts {
    /// Charges an attempt to a circuit and to the address; to be called before [`key`](super::key), whether the secret is then
    /// right or not.
    ///
    /// # Errors
    /// `too_fast`, with how long to wait; nothing was charged.
    pub fn charge(&self, circuit: CircuitId) -> Result<(), Refusal> {
        self.charge_at(circuit, Instant::now()).map_err(too_fast)
    }

    fn charge_at(&self, circuit: CircuitId, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.try_take(Some(circuit).filter(|circuit| !circuit.is_shared()), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many attempts are let through in a time in which each circuit tries ten times a second.
    fn tried(attempts: &Attempts, circuits: u64, seconds: u64, start: Instant) -> usize {
        let times = (0..seconds * 10).map(|tenth| start + Duration::from_millis(tenth * 100));
        let tries = times.flat_map(|now| (1..=circuits).map(move |circuit| (CircuitId(circuit), now)));
        tries.filter(|(circuit, now)| attempts.charge_at(*circuit, *now).is_ok()).count()
    }

    #[test]
    fn one_circuit_tries_six_times_and_then_slowly() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        assert_eq!(tried(&attempts, 1, 1, start), 6);
        assert_eq!(
            attempts.charge_at(CircuitId(1), start + Duration::from_secs(1)),
            Err(Duration::from_secs(9))
        );
        assert!(attempts.charge_at(CircuitId(2), start).is_ok(), "another circuit has its own");
        assert_eq!(tried(&Attempts::default(), 1, 86_400, start), 6 + 8639);
        let refusal = (0..7).map(|_| attempts.charge(CircuitId(7))).find_map(Result::err).unwrap();
        assert!(refusal.message.contains("Wait 10 seconds") && refusal.retry_after.is_some(), "{refusal:?}");
    }

    #[test]
    fn many_circuits_have_the_rooms_limit_together() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        assert!((100..=102).contains(&tried(&attempts, 1000, 1, start)));
        let later = start + Duration::from_secs(1000);
        assert!((298..=302).contains(&tried(&attempts, 1000, 100, later)), "100 at once, 2 a second");
        let local = Attempts::default();
        let tries = (0..200).filter(|_| local.charge_at(CircuitId::LOOPBACK, start).is_ok()).count();
        assert_eq!(tries, 100, "no own limit for what is shared");
    }
}
