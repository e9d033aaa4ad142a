//! How far the opening of a log is, for those who wait, and how it is called off.

use std::fmt::{self, Display, Formatter};
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

/// For the host.
impl Display for OpeningStep {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun => write!(formatter, "Opening the messages…"),
            Self::Checking(bytes) => {
                let megabytes = bytes.div_ceil(1_000_000);
                write!(formatter, "Opening the messages: looking for damage in {megabytes} MB…")
            }
            Self::Reading => write!(formatter, "Opening the messages: counting those that are kept…"),
            Self::Erasing(1) => {
                write!(formatter, "Opening the messages: erasing one that is no longer kept…")
            }
            Self::Erasing(left) => {
                write!(formatter, "Opening the messages: erasing {left} that are no longer kept…")
            }
            Self::Ended => write!(formatter, "Opening the room…"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_words() {
        let words =
            |step: OpeningStep| step.to_string().trim_start_matches("Opening the messages").to_owned();
        assert_eq!(words(OpeningStep::Begun), "…");
        assert_eq!(words(OpeningStep::Checking(812_000_001)), ": looking for damage in 813 MB…");
        assert_eq!(words(OpeningStep::Reading), ": counting those that are kept…");
        assert_eq!(words(OpeningStep::Erasing(1)), ": erasing one that is no longer kept…");
        assert_eq!(words(OpeningStep::Erasing(90_211)), ": erasing 90211 that are no longer kept…");
        assert_eq!(words(OpeningStep::Ended), "Opening the room…");
    }
}
