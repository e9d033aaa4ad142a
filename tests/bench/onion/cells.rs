//! How full the cells are, as the visitors' Tor client counts them: its `CIRC_BW` events
//! ([control-spec](https://spec.torproject.org/control-spec/replies.html#CIRC_BW)) tell for each circuit how many
//! bytes of the relay cells that came in were payload (`DELIVERED_READ`) and how many of their 498 were not
//! (`OVERHEAD_READ`). That holds for every relay cell from the service, also for those that open and acknowledge.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use onionroom::lab::Network;
use tokio::task::JoinHandle;
use tokio::time::{Duration, sleep};

use crate::kit::Outcome;

/// The payload of a relay cell, in bytes.
const PAYLOAD: u64 = 498;

/// The client tells once a second what has come in.
const TOLD: Duration = Duration::from_millis(1500);

/// What has come in to the visitors' client on all its circuits.
pub(crate) struct Cells {
    counts: Arc<Counts>,
    listener: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    delivered: AtomicU64,
    overhead: AtomicU64,
}

/// A reading, or the difference of two.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Reading {
    delivered: u64,
    overhead: u64,
}

impl Cells {
    /// Counts from here on.
    pub(crate) async fn counted(network: &Network) -> Outcome<Self> {
        let mut events = network.connect_control().await?.events("CIRC_BW").await?;
        let counts = Arc::<Counts>::default();
        let counted = Arc::clone(&counts);
        let listener = tokio::spawn(async move {
            while let Ok(event) = events.next().await {
                for word in event.split(' ') {
                    let number = |text: &str| text.parse().unwrap_or(0);
                    match word.split_once('=') {
                        Some(("DELIVERED_READ", bytes)) => {
                            counted.delivered.fetch_add(number(bytes), Relaxed)
                        }
                        Some(("OVERHEAD_READ", bytes)) => counted.overhead.fetch_add(number(bytes), Relaxed),
                        _ => 0,
                    };
                }
            }
        });
        Ok(Self { counts, listener })
    }

    /// What there is up to now, waiting until the client has told of it.
    pub(crate) async fn read(&self) -> Reading {
        sleep(TOLD).await;
        let Counts { delivered, overhead } = &*self.counts;
        Reading { delivered: delivered.load(Relaxed), overhead: overhead.load(Relaxed) }
    }
}

impl Drop for Cells {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Reading {
    /// What came in since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self { delivered: self.delivered - earlier.delivered, overhead: self.overhead - earlier.overhead }
    }

    /// How many cells it was.
    pub(crate) fn cells(self) -> u64 {
        (self.delivered + self.overhead) / PAYLOAD
    }

    /// How much of the cells was payload, 0 to 1.
    pub(crate) fn fullness(self) -> f64 {
        self.delivered as f64 / (self.delivered + self.overhead).max(1) as f64
    }
}
