//! Rate limits: token buckets, and turns for what is done one after the other.
//!
//! A token bucket as the generic cell rate algorithm of ITU-T I.371: its whole state is the instant at which it will be
//! full again, which each token taken puts off by the time that a token is worth. So it costs nothing while idle.

mod keyed;
mod turns;

use std::time::Duration;

use tokio::time::Instant;

pub use keyed::KeyedBuckets;
pub use turns::Turns;

/// How fast tokens may be taken, and how many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The time that one token is worth; `None` for no limit.
    each: Option<Duration>,
    /// The depth of the bucket: the time in which it fills.
    depth: Duration,
}

impl RateLimit {
    /// No limit.
    pub const NONE: Self = Self { each: None, depth: Duration::ZERO };

    /// So many tokens in each `period` over time, and `burst` at once; no limit if `tokens` is 0.
    pub fn new(tokens: u32, period: Duration, burst: u32) -> Self {
        if tokens == 0 {
            return Self::NONE;
        }
        let each = period / tokens;
        Self { each: Some(each), depth: each * burst.max(1) }
    }

    /// So many tokens a second over time, and `burst` at once; no limit if `tokens` is 0.
    pub fn per_second(tokens: u32, burst: u32) -> Self {
        Self::new(tokens, Duration::from_secs(1), burst)
    }

    /// So many tokens a minute over time, and `burst` at once; no limit if `tokens` is 0.
    pub fn per_minute(tokens: u32, burst: u32) -> Self {
        Self::new(tokens, Duration::from_secs(60), burst)
    }
}

/// A token bucket; full in the beginning.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenBucket {
    /// When it is full again; `None` if nothing was ever taken.
    full: Option<Instant>,
}

impl TokenBucket {
    /// A bucket that has only `tokens` tokens in it yet.
    pub fn with(tokens: u32, rate_limit: RateLimit, now: Instant) -> Self {
        let missing = rate_limit.each.map(|each| rate_limit.depth.saturating_sub(each * tokens));
        Self { full: missing.map(|missing| now + missing) }
    }

    /// Takes `tokens` tokens. More than the bucket can hold are taken when it is full, and put it into debt.
    ///
    /// # Errors
    /// The time until there are enough tokens; nothing is taken.
    pub fn try_take(&mut self, tokens: u32, rate_limit: RateLimit, now: Instant) -> Result<(), Duration> {
        match self.wait(tokens, rate_limit, now) {
            Duration::ZERO => {
                self.take(tokens, rate_limit, now);
                Ok(())
            }
            wait => Err(wait),
        }
    }

    /// The time until `tokens` tokens could be taken; zero if they can be taken now.
    pub fn wait(&self, tokens: u32, rate_limit: RateLimit, now: Instant) -> Duration {
        let Some(each) = rate_limit.each else { return Duration::ZERO };
        let latest = now + rate_limit.depth.saturating_sub(each.saturating_mul(tokens));
        self.full.map_or(Duration::ZERO, |full| full.saturating_duration_since(latest))
    }

    /// Takes `tokens` tokens, into debt if there are not enough.
    pub fn take(&mut self, tokens: u32, rate_limit: RateLimit, now: Instant) {
        if let Some(each) = rate_limit.each {
            self.full = Some(self.full.map_or(now, |full| full.max(now)) + each.saturating_mul(tokens));
        }
    }

    /// The time until the bucket is as full as `fill`, from 0 to 1.
    pub fn wait_for_fill(&self, fill: f64, rate_limit: RateLimit, now: Instant) -> Duration {
        if rate_limit.each.is_none() {
            return Duration::ZERO;
        }
        let latest = now + rate_limit.depth.mul_f64(1.0 - fill.clamp(0.0, 1.0));
        self.full.map_or(Duration::ZERO, |full| full.saturating_duration_since(latest))
    }

    /// Whether it is full: then it is as good as a new one.
    pub fn is_full(&self, now: Instant) -> bool {
        self.full.is_none_or(|full| full <= now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many tokens can be taken at once.
    fn at_once(bucket: &mut TokenBucket, rate_limit: RateLimit, now: Instant) -> usize {
        std::iter::repeat_with(|| bucket.try_take(1, rate_limit, now))
            .take(1_000_000)
            .take_while(Result::is_ok)
            .count()
    }

    #[test]
    fn a_burst_may_come_at_once_and_then_one_after_the_other() {
        for (per_second, each) in [(1, 1000), (5, 200), (1000, 1)] {
            let burst = 10 * per_second;
            let (rate_limit, each) = (RateLimit::per_second(per_second, burst), Duration::from_millis(each));
            let (mut bucket, mut now) = (TokenBucket::default(), Instant::now());
            assert_eq!(at_once(&mut bucket, rate_limit, now), burst as usize);
            for _ in 0..3 {
                assert_eq!(bucket.try_take(1, rate_limit, now), Err(each));
                now += each / 2;
                assert_eq!(
                    bucket.try_take(1, rate_limit, now),
                    Err(each / 2),
                    "what is refused costs nothing"
                );
                now += each / 2;
                assert_eq!(at_once(&mut bucket, rate_limit, now), 1);
            }
            now += Duration::from_secs(70);
            assert_eq!(at_once(&mut bucket, rate_limit, now), burst as usize, "and no more");
        }
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let (mut bucket, now) = (TokenBucket::default(), Instant::now());
        assert_eq!(at_once(&mut bucket, RateLimit::per_second(0, 10), now), 1_000_000);
        assert_eq!(at_once(&mut bucket, RateLimit::per_minute(60, 10), now), 10);
    }

    #[test]
    fn a_bucket_may_begin_with_less_and_several_tokens_may_be_taken_together() {
        let (rate_limit, now) = (RateLimit::per_second(1, 10), Instant::now());
        let mut bucket = TokenBucket::with(4, rate_limit, now);
        assert_eq!(bucket.wait_for_fill(0.4, rate_limit, now), Duration::ZERO);
        assert_eq!(bucket.wait_for_fill(0.6, rate_limit, now), Duration::from_secs(2));
        assert_eq!(bucket.try_take(5, rate_limit, now), Err(Duration::from_secs(1)));
        assert_eq!(bucket.try_take(4, rate_limit, now), Ok(()));
        assert!(!bucket.is_full(now));
        let later = now + Duration::from_secs(10);
        assert!(bucket.is_full(later));
        assert_eq!(bucket.try_take(25, rate_limit, later), Ok(()), "more than it holds, when it is full");
        assert_eq!(bucket.try_take(1, rate_limit, later), Err(Duration::from_secs(16)));
    }

    proptest! {
        /// Against counting: over any stretch of time no more tokens are taken than the burst and what was refilled
        /// meanwhile, and a token can be taken after the wait that was returned.
        #[test]
        fn any_sequence(
            per_second in 1u32..=1000,
            pauses in prop::collection::vec(prop_oneof![3 => Just(0u64), 2 => 0u64..300, 1 => 0u64..20_000], 1..300),
        ) {
            let burst = 10 * per_second;
            let (rate_limit, begin) = (RateLimit::per_second(per_second, burst), Instant::now());
            let (mut bucket, mut now, mut through) = (TokenBucket::default(), begin, Vec::new());
            for pause in pauses {
                now += Duration::from_millis(pause);
                if let Err(wait) = bucket.try_take(1, rate_limit, now) {
                    prop_assert!(wait <= Duration::from_secs(1) / per_second);
                    now += wait;
                    prop_assert_eq!(bucket.try_take(1, rate_limit, now), Ok(()));
                }
                through.push(now);
            }
            for (first, from) in through.iter().enumerate() {
                for (last, to) in through.iter().enumerate().skip(first) {
                    let seconds = 10.0 + (*to - *from).as_secs_f64();
                    let most = seconds * f64::from(per_second);
                    prop_assert!((last - first + 1) as f64 <= most + 1e-3, "{} > {most}", last - first + 1);
                }
            }
        }
    }
}
