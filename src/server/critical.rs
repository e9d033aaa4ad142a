//! Tasks that a room cannot do without.

use tokio_util::sync::CancellationToken;

/// Held by such a task: reports its end, unless the room is closing.
pub(super) struct CriticalTask {
    pub(super) closing: CancellationToken,
    pub(super) failed: CancellationToken,
}

impl Drop for CriticalTask {
    fn drop(&mut self) {
        if !self.closing.is_cancelled() {
            self.failed.cancel();
        }
    }
}
