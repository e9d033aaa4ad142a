//! When an instance of Arti whose self-checks fail is replaced.
//!
//! A new instance often finds the way where the old one waits, but ends every stream. So it is begun only where there
//! is nothing to lose.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often the state is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long no relay may have sent anything before the streams of guests count as lost. Their connections end by
/// themselves, for lack of an answer to a ping, at about the same time.
const NO_RELAY_WITH_GUESTS: Duration = Duration::from_secs(120);

/// What is seen of the instance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation {
    /// The time since any relay sent anything.
    pub(super) idle: Duration,
    /// Whether guests are connected, see [`super::guests::Guests::connected`].
    pub(super) guests: bool,
}

/// How long self-checks may fail before the instance is replaced, while no guests are connected.
#[derive(Debug)]
pub(super) struct ReplaceTimeouts {
    /// While no relay sends anything.
    pub(super) no_relay: Duration,
    /// While relays send something.
    pub(super) unreachable: Duration,
}

impl ReplaceTimeouts {
    /// Returns when the instance is to be replaced: while guests are connected and any relay sends something, never.
    /// The time without guests counts from when the last one has gone.
    pub(super) async fn expired(&self, observe: impl Fn() -> Observation) {
        let mut alone_since = Instant::now();
        loop {
            sleep(INTERVAL).await;
            let Observation { idle, guests } = observe();
            if guests {
                if idle > NO_RELAY_WITH_GUESTS {
                    return;
                }
                alone_since = Instant::now();
                continue;
            }
            let limit = if idle > self.no_relay { self.no_relay } else { self.unreachable };
            if alone_since.elapsed() > limit {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use std::cell::Cell;

    use tokio::time::timeout;

    use super::*;

    const TIMEOUTS: ReplaceTimeouts =
        ReplaceTimeouts { no_relay: Duration::from_secs(15), unreachable: Duration::from_secs(120) };
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const SENDING: Duration = Duration::from_secs(3);

    /// Guards: after 900 s of failed self-checks Arti was once replaced under the guests.
    #[tokio::test(start_paused = true)]
    async fn an_instance_that_guests_are_using_is_never_replaced() {
        let in_use = || Observation { idle: SENDING, guests: true };
        timeout(DAY, TIMEOUTS.expired(in_use)).await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn when_the_guests_have_gone_it_is_replaced_after_the_usual_time() {
        let since = Instant::now();
        let gone_after = Duration::from_secs(1000);
        let observe = || Observation { idle: SENDING, guests: since.elapsed() < gone_after };
        timeout(DAY, TIMEOUTS.expired(observe)).await.unwrap();
        let alone = since.elapsed() - gone_after;
        assert!(alone >= TIMEOUTS.unreachable && alone < TIMEOUTS.unreachable + 3 * INTERVAL, "{alone:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn guests_who_come_and_go_use_it_too() {
        let seen = Cell::new(0_u64);
        let observe = || {
            seen.set(seen.get() + 1);
            Observation { idle: SENDING, guests: seen.get().is_multiple_of(60) }
        };
        timeout(DAY, TIMEOUTS.expired(observe)).await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn without_any_relay_the_streams_are_lost_and_it_is_replaced() {
        let since = Instant::now();
        let silent = |guests| move || Observation { idle: since.elapsed(), guests };
        timeout(DAY, TIMEOUTS.expired(silent(true))).await.unwrap();
        assert!(
            since.elapsed() > NO_RELAY_WITH_GUESTS && since.elapsed() < NO_RELAY_WITH_GUESTS + 3 * INTERVAL
        );

        let since = Instant::now();
        timeout(DAY, TIMEOUTS.expired(|| Observation { idle: since.elapsed(), guests: false }))
            .await
            .unwrap();
        assert!(since.elapsed() < TIMEOUTS.no_relay + 3 * INTERVAL);
    }
}
