//! What is known of the log without asking the file: which messages are kept, and the newest number.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::log::Span;
use crate::log::index::MessageIndex;

/// Shared by the writer thread, which changes it, and those who ask for the span, who wait for no disk.
#[derive(Debug, Clone)]
pub(super) struct View(Arc<Mutex<State>>);

/// The index, the newest sequence number given, and the room's clock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) index: MessageIndex,
    pub(super) head: u64,
    /// What the room's clock showed when the log was last told, in seconds. The log has no clock of its own: the rate of
    /// the room's is not known here.
    pub(super) clock: u64,
}

impl View {
    /// A view of a log whose clock shows `clock` now.
    pub(super) fn new(index: MessageIndex, head: u64, clock: u64) -> Self {
        Self(Arc::new(Mutex::new(State { index, head, clock })))
    }

    /// The room's clock, as far as the log was told.
    pub(super) fn clock(&self) -> u64 {
        self.state().clock
    }

    /// Tells what the room's clock shows now.
    pub(super) fn tell(&self, clock: u64) {
        let mut state = self.state();
        state.clock = state.clock.max(clock);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state as it is now: what is too old by now is evicted.
    pub(super) fn now(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        let clock = state.clock;
        state.index.evict(clock);
        state
    }

    /// The cursor that leaves `count` kept messages below `before`.
    pub(super) fn cursor_before(&self, before: u64, count: usize) -> u64 {
        self.now().index.cursor_before(before, count)
    }

    /// Where the kept messages lie.
    pub(super) fn span(&self) -> Span {
        let state = self.now();
        let first = state.index.first().unwrap_or(state.head + 1);
        Span { first, head: state.head, whole_from: state.index.whole_from() }
    }
}
