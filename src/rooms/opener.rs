//! What is needed to open a room.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, Semaphore};

use super::listing::Listing;
use super::logs::Logs;
use crate::hub::House;

/// How many rooms are opened at the same time: each needs a thread, and the disk.
const OPENING_MOST: usize = 4;

/// How many rooms may be open in which nothing is done; beyond that the one that was so for longest is closed.
pub(super) const IDLE_MOST: usize = 32;

/// What is needed to open a room, and how many are open.
pub(super) struct Opener {
    pub(super) logs: Arc<dyn Logs>,
    pub(super) house: Arc<House>,
    pub(super) listing: Listing,
    pub(super) turns: Semaphore,
    /// Told when more rooms are open than may be idle.
    pub(super) crowded: Notify,
    open: AtomicUsize,
}

impl Opener {
    pub(super) fn new(logs: Arc<dyn Logs>, house: Arc<House>) -> Self {
        let (turns, crowded) = (Semaphore::new(OPENING_MOST), Notify::new());
        Self { logs, house, listing: Listing::default(), turns, crowded, open: AtomicUsize::new(0) }
    }

    pub(super) fn note_opened(&self) {
        if self.open.fetch_add(1, Ordering::Relaxed) >= IDLE_MOST {
            self.crowded.notify_one();
        }
    }

    pub(super) fn note_closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}
