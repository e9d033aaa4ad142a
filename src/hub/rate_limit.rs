//! The rate limit of one guest: so many messages a second over time, ten seconds' worth at once.
//!
//! A token bucket as the generic cell rate algorithm of ITU-T I.371: its whole state is the instant at which it will be
//! full again, which each message puts off by the time that a message is worth. So it costs nothing while idle.

use std::time::Duration;

use tokio::time::Instant;

use crate::protocol::{Code, Refusal};

/// The depth of the bucket: how much of the time in which nothing was sent may be made up for at once.
const BURST: Duration = Duration::from_secs(10);

/// How fast a guest may publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RateLimit {
    /// The time that one message is worth; `None` for no limit.
    each: Option<Duration>,
}

impl RateLimit {
    /// So many messages a second over time; 0 for no limit.
    pub(super) fn new(messages_per_second: u32) -> Self {
        let each = (messages_per_second > 0).then(|| Duration::from_secs(1) / messages_per_second);
        Self { each }
    }
}

/// The token bucket of one guest; full in the beginning.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TokenBucket {
    /// When it is full again; `None` if nothing was ever taken.
    full: Option<Instant>,
}

impl TokenBucket {
    /// Takes the tokens for one message.
    ///
    /// # Errors
    /// The time until there are enough tokens, at most the time that a message is worth; nothing is taken.
    pub(super) fn try_take(&mut self, rate_limit: RateLimit, now: Instant) -> Result<(), Duration> {
        let Some(each) = rate_limit.each else { return Ok(()) };
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

/// The refusal for a message that the bucket has no tokens for.
pub(super) fn rate_limited(wait: Duration) -> Refusal {
    let sentence = "That is more than one guest may say here at once. Wait a second, and send it again.";
    Refusal::new(Code::TooFast, sentence).retry_after(wait)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many messages are admitted at once.
    fn at_once(bucket: &mut TokenBucket, rate_limit: RateLimit, now: Instant) -> usize {
        std::iter::repeat_with(|| bucket.try_take(rate_limit, now))
            .take(1_000_000)
            .take_while(Result::is_ok)
            .count()
    }

    #[test]
    fn ten_seconds_worth_may_come_at_once_and_then_one_after_the_other() {
        for (messages_per_second, each) in [(1, 1000), (5, 200), (1000, 1)] {
            let (rate_limit, each) = (RateLimit::new(messages_per_second), Duration::from_millis(each));
            let (mut bucket, mut now) = (TokenBucket::default(), Instant::now());
            assert_eq!(at_once(&mut bucket, rate_limit, now), 10 * messages_per_second as usize);
            for _ in 0..3 {
                assert_eq!(bucket.try_take(rate_limit, now), Err(each));
                now += each / 2;
                assert_eq!(bucket.try_take(rate_limit, now), Err(each / 2), "what is refused costs nothing");
                now += each / 2;
                assert_eq!(at_once(&mut bucket, rate_limit, now), 1);
            }
            now += BURST * 7;
            assert_eq!(
                at_once(&mut bucket, rate_limit, now),
                10 * messages_per_second as usize,
                "and no more"
            );
        }
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let (mut bucket, now) = (TokenBucket::default(), Instant::now());
        assert_eq!(at_once(&mut bucket, RateLimit::new(0), now), 1_000_000);
        assert_eq!(at_once(&mut bucket, RateLimit::new(1), now), 10);
    }

    proptest! {
        /// Against counting: over any stretch of time no more messages are admitted than the burst and what was
        /// refilled meanwhile, and a message is admitted after the wait that it was told.
        #[test]
        fn any_sequence_of_messages(
            messages_per_second in 1u32..=1000,
            pauses in prop::collection::vec(prop_oneof![3 => Just(0u64), 2 => 0u64..300, 1 => 0u64..20_000], 1..300),
        ) {
            let (rate_limit, begin) = (RateLimit::new(messages_per_second), Instant::now());
            let (mut bucket, mut now, mut through) = (TokenBucket::default(), begin, Vec::new());
            for pause in pauses {
                now += Duration::from_millis(pause);
                if let Err(wait) = bucket.try_take(rate_limit, now) {
                    prop_assert!(wait <= Duration::from_secs(1) / messages_per_second);
                    now += wait;
                    prop_assert_eq!(bucket.try_take(rate_limit, now), Ok(()));
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
