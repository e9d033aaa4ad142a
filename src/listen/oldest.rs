//! Circuits, or connections, in the order of their arrival, of which the oldest can be told to end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// A limited number of members. When one more enters, the oldest is told to end.
pub struct OldestFirst {
    limit: usize,
    members: Mutex<Members>,
    /// Notified when a member has left.
    left: Notify,
}

#[derive(Default)]
struct Members {
    /// The number of the next member. Members are numbered in the order of arrival.
    next: u64,
    present: BTreeMap<u64, Member>,
}

struct Member {
    since: Instant,
    evicted: CancellationToken,
}

/// A place in [`OldestFirst`], given back when dropped.
pub struct Membership {
    number: u64,
    group: Arc<OldestFirst>,
    evicted: CancellationToken,
}

impl OldestFirst {
    /// No members yet, and at most `limit` at once.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, members: Mutex::default(), left: Notify::new() })
    }

    /// Adds a member. At the limit the oldest one loses its place and is told.
    pub fn enter(self: &Arc<Self>) -> Membership {
        let mut members = self.lock();
        while members.present.len() >= self.limit {
            let Some((_, oldest)) = members.present.pop_first() else { break };
            oldest.evicted.cancel();
        }
        let (number, evicted) = (members.next, CancellationToken::new());
        members.next += 1;
        members.present.insert(number, Member { since: Instant::now(), evicted: evicted.clone() });
        Membership { number, group: Arc::clone(self), evicted }
    }

    /// Returns when another member would push out none, or only one that has been here for `time`.
    pub async fn oldest_had(&self, time: Duration) {
        loop {
            let oldest = {
                let members = self.lock();
                let full = members.present.len() >= self.limit;
                members.present.first_key_value().filter(|_| full).map(|(_, oldest)| oldest.since)
            };
            let Some(since) = oldest else { return };
            tokio::select! {
                () = self.left.notified() => {}
                () = sleep_until(since + time) => return,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Membership {
    /// Returns when this member has lost its place to a newer one.
    pub async fn evicted(&self) {
        self.evicted.cancelled().await;
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.group.lock().present.remove(&self.number);
        self.group.left.notify_one();
    }
}
