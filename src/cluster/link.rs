//! Whether the connection to NATS is up.

use std::time::Instant;

use tokio::sync::watch;

/// The state of the connection to NATS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It is up; the number counts how often it came up.
    Up(u64),
    /// It is down since then, and the client tries again and again.
    Down(Instant),
}

impl Link {
    /// Whether it is up.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Up(_))
    }
}

/// Takes note that the connection came up or went down.
pub(super) fn note(link: &watch::Sender<Link>, up: bool, count: u64) {
    link.send_if_modified(|link| match (up, *link) {
        (true, _) => {
            *link = Link::Up(count);
            true
        }
        (false, Link::Up(_)) => {
            *link = Link::Down(Instant::now());
            true
        }
        (false, Link::Down(_)) => false,
    });
}
