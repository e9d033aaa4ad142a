//! What the requests of a room on several nodes share beside what every room has.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::protocol::epochs::Epochs;
use crate::protocol::request::Cursor;
use crate::protocol::{Code, Refusal};

/// How long a guest who has read further at another node waits until this one has read as far.
const CATCH_UP: Duration = Duration::from_secs(5);

/// The other doors, and how far this node is.
pub(super) struct NodeShared {
    /// The origins of the other doors, the least busy first.
    doors: RwLock<Arc<[String]>>,
    /// The newest entry that was published here.
    published: watch::Sender<u64>,
    epochs: Arc<Epochs>,
}

impl NodeShared {
    /// Of a node that has published up to `head`.
    pub(super) fn new(head: u64, epochs: Arc<Epochs>) -> Self {
        Self { doors: RwLock::default(), published: watch::Sender::new(head), epochs }
    }

    pub(super) fn doors(&self) -> Arc<[String]> {
        Arc::clone(&self.doors.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_doors(&self, now: &Arc<[String]>) {
        *self.doors.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(now);
    }

    /// Notes that entries were published up to this one.
    pub(super) fn note_published(&self, seq: u64) {
        self.published.send_replace(seq);
    }

    /// Waits until this node has published what a guest with this cursor has read, perhaps at another node: a cursor beyond
    /// the newest entry would otherwise be taken for one of another log.
    ///
    /// # Errors
    /// `not_kept` when that takes too long.
    pub(super) async fn catch_up(&self, cursor: &Cursor) -> Result<(), Refusal> {
        if cursor.epoch.as_deref() != Some(self.epochs.present()) {
            return Ok(());
        }
        let mut published = self.published.subscribe();
        let caught_up = timeout(CATCH_UP, published.wait_for(|published| *published >= cursor.after)).await;
        caught_up.map(drop).map_err(|_| {
            let sentence =
                "This node of the room has not received yet what you have read. Try again a little later.";
            Refusal::new(Code::StorageUnavailable, sentence)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(after: u64, epoch: &str) -> Cursor {
        Cursor { after, epoch: Some(epoch.into()) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cursor_from_a_node_that_is_ahead_is_waited_for() {
        let node = Arc::new(NodeShared::new(7, Arc::new(Epochs::first("one".into()))));
        assert_eq!(node.catch_up(&cursor(7, "one")).await, Ok(()));
        assert_eq!(node.catch_up(&cursor(9, "another")).await, Ok(()), "that is another log");
        let waiting = tokio::spawn({
            let node = Arc::clone(&node);
            async move { node.catch_up(&cursor(9, "one")).await }
        });
        node.note_published(8);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        node.note_published(12);
        assert_eq!(waiting.await.unwrap(), Ok(()));
        let refusal = node.catch_up(&cursor(13, "one")).await.unwrap_err();
        assert_eq!(refusal.code, Code::StorageUnavailable, "a client tries again");
    }
}
