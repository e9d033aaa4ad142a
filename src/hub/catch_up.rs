//! What the requests of a room on several nodes share beside what every room has.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, timeout};

use crate::log::Log;
use crate::protocol::epochs::Epochs;
use crate::protocol::request::Cursor;
use crate::protocol::{Code, Refusal};

/// How long a guest who has read further at another node waits until this one has read as far.
const CATCH_UP: Duration = Duration::from_secs(5);

/// The other doors, and how far this node is.
pub(super) struct NodeShared {
    /// The origins of the other doors, the least busy first.
    doors: RwLock<Arc<[String]>>,
    /// Whether a quorum of the cluster answers this node.
    available: AtomicBool,
    /// The newest entry that was published here.
    published: watch::Sender<u64>,
    epochs: Arc<Epochs>,
    /// The newest entry that there is anywhere, if that was answered, and when it was asked for.
    newest: Mutex<Option<(Instant, Option<u64>)>>,
}

impl NodeShared {
    /// Of a node that has published up to `head`.
    pub(super) fn new(head: u64, epochs: Arc<Epochs>) -> Self {
        Self {
            doors: RwLock::default(),
            available: AtomicBool::new(true),
            published: watch::Sender::new(head),
            epochs,
            newest: Mutex::default(),
        }
    }

    pub(super) fn doors(&self) -> Arc<[String]> {
        Arc::clone(&self.doors.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_doors(&self, now: &Arc<[String]>) {
        *self.doors.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(now);
    }

    /// Whether this node can take guests, whose names have to be claimed.
    pub(super) fn is_available(&self) -> bool {
        self.available.load(Ordering::Relaxed)
    }

    pub(super) fn set_available(&self, available: bool) {
        self.available.store(available, Ordering::Relaxed);
    }

    /// Notes that entries were published up to this one.
    pub(super) fn note_published(&self, seq: u64) {
        self.published.send_replace(seq);
    }

    /// Waits until this node has published what a guest with this cursor has read, perhaps at another node: a cursor beyond
    /// the newest entry would otherwise be taken for one of another log. That it is where nothing so new is anywhere: it is made
    /// up, or the servers were restored from an older copy. Then the guest goes on as in a room on one machine.
    ///
    /// # Errors
    /// `not_kept` when that takes too long.
    pub(super) async fn catch_up(&self, cursor: &Cursor, log: &dyn Log) -> Result<(), Refusal> {
        if cursor.epoch.as_deref() != Some(self.epochs.present()) {
            return Ok(());
        }
        let (mut published, since) = (self.published.subscribe(), Instant::now());
        let caught_up = published.wait_for(|published| *published >= cursor.after);
        let caught_up = timeout(CATCH_UP, caught_up).await.is_ok();
        if caught_up || self.newest(log, since).await.is_some_and(|newest| newest < cursor.after) {
            return Ok(());
        }
        let sentence =
            "This node of the room has not received yet what you have read. Try again a little later.";
        Err(Refusal::new(Code::StorageUnavailable, sentence))
    }

    /// The newest entry that there was anywhere at this time or later; `None` if that cannot be told. All who wait share one
    /// question.
    async fn newest(&self, log: &dyn Log, since: Instant) -> Option<u64> {
        let mut known = self.newest.lock().await;
        match *known {
            Some((asked, newest)) if asked >= since => newest,
            _ => {
                let asked = Instant::now();
                let newest = log.newest().await.ok();
                *known = Some((asked, newest));
                newest
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Entry, MemoryLog, Retention};
    use crate::protocol::{Body, GuestId, MessageId, Name};

    fn cursor(after: u64, epoch: &str) -> Cursor {
        Cursor { after, epoch: Some(epoch.into()) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cursor_from_a_node_that_is_ahead_is_waited_for() {
        let node = Arc::new(NodeShared::new(7, Arc::new(Epochs::first("one".into()))));
        let log = Arc::new(MemoryLog::new(Retention { messages: 100, bytes: 0, age: None }).unwrap());
        let entry = |id: u64| Entry {
            at: 0,
            author: GuestId(1),
            id: MessageId::parse(&id.to_string()).unwrap(),
            body: Body::Message { name: Name::parse("Ann").unwrap(), text: "text".into() },
        };
        log.append((0..20).map(entry).collect()).await.unwrap();
        assert_eq!(node.catch_up(&cursor(7, "one"), &*log).await, Ok(()));
        assert_eq!(node.catch_up(&cursor(9, "another"), &*log).await, Ok(()), "that is another log");
        let waiting = tokio::spawn({
            let (node, log) = (Arc::clone(&node), Arc::clone(&log));
            async move { node.catch_up(&cursor(9, "one"), &*log).await }
        });
        node.note_published(8);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        node.note_published(12);
        assert_eq!(waiting.await.unwrap(), Ok(()));
        let refusal = node.catch_up(&cursor(13, "one"), &*log).await.unwrap_err();
        assert_eq!(refusal.code, Code::StorageUnavailable, "a client tries again");
        // Guards against a guest who is kept out of a room whose servers were restored from an older copy.
        assert_eq!(node.catch_up(&cursor(21, "one"), &*log).await, Ok(()), "there is nothing so new");
    }
}
