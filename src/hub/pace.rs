//! How much one guest may say: so much a second over time, and ten seconds' worth at once.
//!
//! A budget is one moment, the one at which it will be full again: each message puts it off by the time that a
//! message is worth (the generic cell rate algorithm of ITU-T I.371). So it costs nothing while nobody speaks.

use std::time::Duration;

use tokio::time::Instant;

use crate::protocol::{Code, Refusal};

/// For how long a guest may have been silent to say everything at once that they could have said meanwhile.
const BURST: Duration = Duration::from_secs(10);

/// How fast guests may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// What a message is worth, in time; `None` for nothing.
    each: Option<Duration>,
}

impl Pace {
    /// So many messages a second over time; 0 for any number.
    pub(super) fn new(messages_per_second: u32) -> Self {
        let each = (messages_per_second > 0).then(|| Duration::from_secs(1) / messages_per_second);
        Self { each }
    }
}

/// What one guest may still say; full in the beginning.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Budget {
    /// When it is full again; `None` if it was never used.
    full: Option<Instant>,
}

impl Budget {
    /// Takes a message's worth out; or takes nothing and says how long it is until there is enough, at most what a
    /// message is worth.
    pub(super) fn charge(&mut self, pace: Pace, now: Instant) -> Result<(), Duration> {
        let Some(each) = pace.each else { return Ok(()) };
        let full = self.full.map_or(now, |full| full.max(now)) + each;
        match full.saturating_duration_since(now + BURST) {
            Duration::ZERO => {
                self.full = Some(full);
                Ok(())
            }
            wait => Err(wait),
        }
    }
}

/// What somebody is told whose budget is used up.
pub(super) fn too_fast(wait: Duration) -> Refusal {
    let sentence = "That is more than one guest may say here at once. Wait a second, and send it again.";
    Refusal::new(Code::TooFast, sentence).worth_repeating_after(wait)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many messages go through at once.
    fn at_once(budget: &mut Budget, pace: Pace, now: Instant) -> usize {
        std::iter::repeat_with(|| budget.charge(pace, now)).take(1_000_000).take_while(Result::is_ok).count()
    }

    #[test]
    fn ten_seconds_worth_may_come_at_once_and_then_one_after_the_other() {
        for (messages_per_second, each) in [(1, 1000), (5, 200), (1000, 1)] {
            let (pace, each) = (Pace::new(messages_per_second), Duration::from_millis(each));
            let (mut budget, mut now) = (Budget::default(), Instant::now());
            assert_eq!(at_once(&mut budget, pace, now), 10 * messages_per_second as usize);
            for _ in 0..3 {
                assert_eq!(budget.charge(pace, now), Err(each));
                now += each / 2;
                assert_eq!(budget.charge(pace, now), Err(each / 2), "what is refused costs nothing");
                now += each / 2;
                assert_eq!(at_once(&mut budget, pace, now), 1);
            }
            now += BURST * 7;
            assert_eq!(at_once(&mut budget, pace, now), 10 * messages_per_second as usize, "and no more");
        }
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let (mut budget, now) = (Budget::default(), Instant::now());
        assert_eq!(at_once(&mut budget, Pace::new(0), now), 1_000_000);
        assert_eq!(at_once(&mut budget, Pace::new(1), now), 10);
    }

    proptest! {
        /// Against counting: over any stretch of time no more goes through than the burst and what came back
        /// meanwhile, and whoever waits as long as they are told goes through.
        #[test]
        fn any_guest_at_any_pace(
            messages_per_second in 1u32..=1000,
            pauses in prop::collection::vec(prop_oneof![3 => Just(0u64), 2 => 0u64..300, 1 => 0u64..20_000], 1..300),
        ) {
            let (pace, begin) = (Pace::new(messages_per_second), Instant::now());
            let (mut budget, mut now, mut through) = (Budget::default(), begin, Vec::new());
            for pause in pauses {
                now += Duration::from_millis(pause);
                if let Err(wait) = budget.charge(pace, now) {
                    prop_assert!(wait <= Duration::from_secs(1) / messages_per_second);
                    now += wait;
                    prop_assert_eq!(budget.charge(pace, now), Ok(()));
                }
                through.push(now);
            }
            for (first, from) in through.iter().enumerate() {
                for (last, to) in through.iter().enumerate().skip(first) {
                    let seconds = BURST.as_secs_f64() + (*to - *from).as_secs_f64();
                    let most = seconds * f64::from(messages_per_second);
                    prop_assert!((last - first + 1) as f64 <= most + 1e-3, "{} > {most}", last - first + 1);
                }
            }
        }
    }
}
