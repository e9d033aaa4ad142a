//! Whether guests are connected, and with that, whether replacing the instance of Arti would cost anyone anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::activity::Activity;

/// How long no stream may have carried a byte, in either direction, before they all count as dead. The room pings a
/// WebSocket and ends a stalled write far sooner.
const SILENCE: Duration = Duration::from_secs(300);

/// The open streams of one instance of Arti.
#[derive(Debug)]
pub(super) struct Guests {
    streams: AtomicUsize,
    activity: Arc<Activity>,
}

/// Counts as an open stream until it is dropped.
#[derive(Debug)]
pub(super) struct OpenStream(Arc<Guests>);

impl Guests {
    /// None yet.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { streams: AtomicUsize::new(0), activity: Activity::new() })
    }

    /// Counts one more stream.
    pub(super) fn opened(self: &Arc<Self>) -> OpenStream {
        self.streams.fetch_add(1, Ordering::Relaxed);
        self.activity.record();
        OpenStream(Arc::clone(self))
    }

    /// Whether a stream is open, and any has carried something lately. Neither an introduction nor a circuit counts:
    /// every stranger can have those without having reached the room.
    pub(super) fn connected(&self) -> bool {
        self.streams.load(Ordering::Relaxed) > 0 && self.activity.idle() < SILENCE
    }
}

impl OpenStream {
    /// Records that the stream has carried something.
    pub(super) fn moved(&self) {
        self.0.activity.record();
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn guests_are_streams_that_carry_something() {
        let guests = Guests::new();
        assert!(!guests.connected());
        let (first, second) = (guests.opened(), guests.opened());
        advance(SILENCE / 2).await;
        first.moved();
        advance(SILENCE / 2).await;
        assert!(guests.connected());
        advance(SILENCE / 2).await;
        assert!(!guests.connected(), "dead, though nobody has noticed");
        second.moved();
        assert!(guests.connected());
        drop((first, second));
        assert!(!guests.connected());
    }
}
