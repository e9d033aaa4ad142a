//! Token buckets of many, and one of all of them together.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

use super::{RateLimit, TokenBucket};

/// How many buckets are remembered; when there are more, those that are full again are forgotten, and where there are none,
/// new keys wait.
const BUCKETS_MAX: usize = 4096;

/// A token bucket for each key, and one that all share. A bucket costs memory only until it is full again.
#[derive(Debug)]
pub struct KeyedBuckets<K> {
    each: RateLimit,
    all: RateLimit,
    buckets: HashMap<K, TokenBucket>,
    shared: TokenBucket,
}

impl<K: Copy + Eq + Hash> KeyedBuckets<K> {
    /// Buckets that are full: `each` is the limit of a key, `all` that of all keys together.
    pub fn new(each: RateLimit, all: RateLimit) -> Self {
        Self { each, all, buckets: HashMap::new(), shared: TokenBucket::default() }
    }

    /// Whether all buckets are full, so that new ones would do the same.
    pub fn is_full(&self, now: Instant) -> bool {
        self.shared.is_full(now) && self.buckets.values().all(|bucket| bucket.is_full(now))
    }

    /// Takes a token of a key and of all; without a key, of all alone.
    ///
    /// # Errors
    /// How long to wait; nothing is taken.
    pub fn try_take(&mut self, key: Option<K>, now: Instant) -> Result<(), Duration> {
        let own = key.map(|key| (key, self.buckets.get(&key).copied().unwrap_or_default()));
        let own_wait = own.map_or(Duration::ZERO, |(_, bucket)| bucket.wait(1, self.each, now));
        let wait = own_wait.max(self.shared.wait(1, self.all, now));
        if !wait.is_zero() {
            return Err(wait);
        }
        if let Some((key, mut bucket)) = own {
            if self.buckets.len() >= BUCKETS_MAX && !self.buckets.contains_key(&key) {
                self.buckets.retain(|_, bucket| !bucket.is_full(now));
                if self.buckets.len() >= BUCKETS_MAX {
                    return Err(Duration::from_secs(10));
                }
            }
            bucket.take(1, self.each, now);
            self.buckets.insert(key, bucket);
        }
        self.shared.take(1, self.all, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut buckets = KeyedBuckets::new(RateLimit::per_minute(6, 6), RateLimit::per_second(2, 100));
        let start = Instant::now();
        // A day of tokens, each for a new key.
        for second in 0..86_400 {
            assert!(buckets.try_take(Some(second), start + Duration::from_secs(second)).is_ok());
            assert!(buckets.buckets.len() <= BUCKETS_MAX);
        }
        let mut slow = KeyedBuckets::new(RateLimit::per_minute(1, 1), RateLimit::NONE);
        let taken = (0..2 * BUCKETS_MAX).filter(|key| slow.try_take(Some(*key), start).is_ok()).count();
        assert_eq!(taken, BUCKETS_MAX, "no bucket that is not full is forgotten");
    }
}
