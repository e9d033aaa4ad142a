//! Many durations in little memory: each is kept to within one part in 128 of itself.

const STEPS_LOG: u32 = 6;
const STEPS: usize = 1 << STEPS_LOG;

/// Counts of durations in nanoseconds.
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; STEPS * 64], total: 0 }
    }

    /// One more.
    #[inline]
    pub(crate) fn add(&mut self, nanoseconds: u64) {
        let doublings = nanoseconds.max(STEPS as u64).ilog2() - STEPS_LOG;
        let step = (nanoseconds >> doublings) as usize;
        self.counts[doublings as usize * STEPS + step] += 1;
        self.total += 1;
    }

    /// In milliseconds, what this share of all do not exceed.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let wanted = (self.total as f64 * share).ceil().max(1.0) as u64;
        let mut passed = 0;
        let found = self.counts.iter().position(|count| {
            passed += count;
            passed >= wanted
        });
        // Steps of the first doubling are found below 2 * STEPS, all others in the upper half of theirs.
        found.map_or(0.0, |index| {
            let doublings = (index / STEPS).saturating_sub(1);
            let step = index - doublings * STEPS;
            ((step as u64) << doublings) as f64 / 1e6
        })
    }
}
