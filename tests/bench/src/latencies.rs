//! Latencies in little memory.

use histogram::Histogram;

/// A histogram of nanoseconds, each to within one part in 128.
pub struct Latencies {
    histogram: Histogram,
    /// How many were recorded.
    count: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { histogram: Histogram::new(7, 64).expect("the configuration is valid"), count: 0 }
    }
}

impl Latencies {
    /// Adds one.
    #[inline]
    pub fn record(&mut self, nanoseconds: u64) {
        // The histogram takes every number of 64 bits.
        let _ = self.histogram.increment(nanoseconds);
        self.count += 1;
    }

    /// Removes all.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The latency in milliseconds that this share of all do not exceed, from 0 to 1; 0 if there are none.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let bucket = self.histogram.quantile_bucket(share).ok().flatten();
        bucket.map_or(0.0, |bucket| bucket.end() as f64 / 1e6)
    }
}
