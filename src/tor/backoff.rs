//! Exponential backoff with jitter.

use std::time::Duration;

/// Delays that grow by half each time, up to a limit, each shifted at random by up to a quarter.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    first: Duration,
    limit: Duration,
    next: Duration,
}

impl Backoff {
    /// Starts with `first` and grows to `limit`.
    pub(super) fn new(first: Duration, limit: Duration) -> Self {
        Self { first, limit, next: first }
    }

    /// The next delay.
    pub(super) fn next(&mut self) -> Duration {
        let delay = self.next;
        self.next = (delay * 3 / 2).min(self.limit);
        jittered(delay)
    }

    /// Back to the first delay.
    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }
}

/// `duration`, changed at random by up to a quarter either way. So many rooms that lost the same network do not come
/// back in the same second, and a room cannot be recognised by its timing.
pub(super) fn jittered(duration: Duration) -> Duration {
    // Without randomness the middle is as good as any.
    let chance = f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX);
    duration.mul_f64(0.75 + chance / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_limit_and_start_again() {
        let mut backoff = Backoff::new(Duration::from_secs(8), Duration::from_secs(30));
        for middle in [8, 12, 18, 27, 30, 30] {
            let (middle, delay) = (Duration::from_secs(middle), backoff.next());
            assert!(
                delay >= middle.mul_f64(0.74) && delay <= middle.mul_f64(1.26),
                "{delay:?} of {middle:?}"
            );
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_secs(10));
    }
}
