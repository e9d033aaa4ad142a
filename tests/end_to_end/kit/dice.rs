//! Chance that can be had again: everything a test leaves to chance comes from one printed seed.

use std::env;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The variable that sets the seed, to repeat a run that failed.
const SEED: &str = "ONIONROOM_TEST_SEED";

/// A source of numbers that look random: SplitMix64 (Steele, Lea, Flood, 2014). A seed repeats every decision
/// of a test; how the machine times what follows from them it cannot repeat.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// With the seed from the environment, or a new one; printed, so that a failure names it.
    pub(crate) fn thrown(test: &str) -> Self {
        let seed = match env::var(SEED) {
            Ok(seed) => seed.parse().unwrap_or_else(|_| panic!("{SEED} is not a number: {seed}")),
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into(),
        };
        println!("{test}: repeat with {SEED}={seed}");
        Self(seed)
    }

    /// Another source, for a task of its own.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// A number below `end`, which must not be 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number from 1 to about `most`, small ones as likely as large ones.
    pub(crate) fn spread(&mut self, most: u64) -> u64 {
        let magnitude = 1 << self.below(u64::from(most.ilog2()) + 1);
        magnitude + self.below(magnitude)
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A duration below `end`.
    pub(crate) fn shorter_than(&mut self, end: Duration) -> Duration {
        Duration::from_nanos(self.below(u64::try_from(end.as_nanos()).unwrap()))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// How many rounds of a test that repeats itself: `usual`, or what `ONIONROOM_TEST_ROUNDS` says.
pub(crate) fn rounds(usual: usize) -> usize {
    match env::var("ONIONROOM_TEST_ROUNDS") {
        Ok(rounds) => {
            rounds.parse().unwrap_or_else(|_| panic!("ONIONROOM_TEST_ROUNDS is not a number: {rounds}"))
        }
        Err(_) => usual,
    }
}
