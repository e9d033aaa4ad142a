//! The clocks that the time is counted by.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A clock that can be set, and one that cannot.
pub(super) trait Clocks: Send + 'static {
    /// The time of day, in seconds since 1970; 0 before that.
    fn wall(&self) -> u64;

    /// The time since some moment, which goes on while the machine sleeps where the system has such a clock.
    fn passed(&self) -> Duration;
}

impl<T: Clocks + ?Sized> Clocks for Box<T> {
    fn wall(&self) -> u64 {
        (**self).wall()
    }

    fn passed(&self) -> Duration {
        (**self).passed()
    }
}

/// Those of the system. What Linux has at `/proc/uptime` counts the time in which the machine sleeps as well (proc(5)).
pub(super) struct SystemClocks {
    since: Instant,
    /// What `/proc/uptime` said then, if it can be read.
    uptime: Option<Duration>,
}

impl SystemClocks {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), uptime: uptime() }
    }
}

impl Clocks for SystemClocks {
    fn wall(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    fn passed(&self) -> Duration {
        let slept = self.uptime.and_then(|then| uptime()?.checked_sub(then));
        slept.unwrap_or_default().max(self.since.elapsed())
    }
}

fn uptime() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_go_on() {
        let clocks = SystemClocks::new();
        assert!(clocks.uptime.is_some_and(|uptime| uptime > Duration::ZERO));
        assert!(clocks.wall() > 1_700_000_000);
        let (before, now) = (clocks.passed(), clocks.passed());
        assert!(before <= now && now < Duration::from_secs(600), "{before:?} {now:?}");
    }
}
