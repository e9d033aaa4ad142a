//! What is known of the log without asking the file: which messages are kept, and the newest number.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::log::Span;
use crate::log::index::MessageIndex;

/// Shared by the writer thread, which changes it, and those who ask for the span, who wait for no disk.
#[derive(Debug, Clone)]
pub(super) struct View {
    state: Arc<Mutex<State>>,
    /// The room's clock when the log was opened, in seconds.
    clock: u64,
    opened: Instant,
}

/// The index and the newest sequence number given.
#[derive(Debug)]
pub(super) struct State {
    pub(super) index: MessageIndex,
    pub(super) head: u64,
}

impl View {
    /// A view of a log whose clock shows `clock` now.
    pub(super) fn new(index: MessageIndex, head: u64, clock: u64) -> Self {
        Self { state: Arc::new(Mutex::new(State { index, head })), clock, opened: Instant::now() }
    }

    /// The room's clock, computed as the actor does, from the same start.
    pub(super) fn clock(&self) -> u64 {
        self.clock + self.opened.elapsed().as_secs()
    }

    /// The state as it is now: what is too old by now is evicted.
    pub(super) fn now(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.index.evict(self.clock());
        state
    }

    /// Where the kept messages lie.
    pub(super) fn span(&self) -> Span {
        let state = self.now();
        let first = state.index.first().unwrap_or(state.head + 1);
        Span { first, head: state.head, whole_from: state.index.whole_from() }
    }
}
