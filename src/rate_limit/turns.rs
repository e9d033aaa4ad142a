//! Work that is too long for a task which serves guests: done on a thread of the blocking pool, one piece after the other.

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Turns for one kind of work, of which few wait and the rest is refused.
#[derive(Debug)]
pub struct Turns {
    /// Whose turn it is.
    turn: Semaphore,
    /// The places of those who wait or have their turn.
    places: Semaphore,
}

impl Turns {
    /// With at most so many that wait.
    pub const fn new(waiting_max: usize) -> Self {
        Self { turn: Semaphore::const_new(1), places: Semaphore::const_new(waiting_max + 1) }
    }

    /// Does a piece of work in its turn; `None` if too many wait already. Where the answer is not waited for any more, what waits
    /// gives up its place, and what is being done is dropped when it is done.
    pub async fn take<T: Send + 'static>(
        &'static self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let place = self.places.try_acquire().ok()?;
        let turn = self.turn.acquire().await.ok()?;
        let done = spawn_blocking(move || {
            let done = work();
            drop((turn, place));
            done
        });
        done.await.ok()
    }

    /// How many more could wait now, or be done.
    #[cfg(test)]
    pub(crate) fn free_places(&self) -> usize {
        self.places.available_permits()
    }
}
