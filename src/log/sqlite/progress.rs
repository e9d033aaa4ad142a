//! How far the opening of a log is, for those who wait, and how it is called off.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The opening of a log, as another thread sees it.
#[derive(Debug, Default)]
pub struct Opening {
    step: Mutex<OpeningStep>,
    cancelled: AtomicBool,
}

/// What a log that is being opened is busy with. Each may take many seconds when much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpeningStep {
    /// It has just begun.
    #[default]
    Begun,
    /// The file, which has so many bytes, is checked for damage.
    Checking(u64),
    /// The kept messages are being counted.
    Reading,
    /// So many messages that are no longer kept are being erased. The rest is erased while the room is open already.
    Erasing(usize),
    /// The log is open, or was refused.
    Ended,
}

impl Opening {
    /// What it is busy with.
    pub fn step(&self) -> OpeningStep {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it within a moment: the log is not opened, and nothing is lost.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(super) fn tell(&self, step: OpeningStep) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }
}
