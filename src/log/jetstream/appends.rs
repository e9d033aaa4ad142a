//! What was asked to be appended and has not come back from the stream yet.
//!
//! An entry is in the stream when the stream delivers it: that is the acknowledgement. So one that another node published
//! under the same author and id answers those who wait for it here, as a duplicate.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::wire::Token;
use crate::log::{Appended, LogError};

/// Where the outcome of an append goes.
pub(super) type Reply = oneshot::Sender<Result<Vec<Appended>, LogError>>;

/// Which entry of which append.
type Place = (u64, usize);

/// The appends under way.
#[derive(Default)]
pub(super) struct Appends {
    open: HashMap<u64, Open>,
    pending: HashMap<Token, Pending>,
    next: u64,
}

struct Open {
    results: Vec<Option<Appended>>,
    left: usize,
    reply: Reply,
    begun: Instant,
    /// What the stream last said against one of its entries.
    reason: Option<String>,
}

struct Pending {
    /// In the order in which they were asked for.
    number: u64,
    payload: Bytes,
    first: Place,
    more: Vec<Place>,
    /// When it was sent; `None` until then.
    sent: Option<Instant>,
}

impl Appends {
    /// A new append of so many entries.
    pub(super) fn begin(&mut self, entries: usize, reply: Reply) -> u64 {
        self.next += 1;
        let (results, begun) = (vec![None; entries], Instant::now());
        self.open.insert(self.next, Open { results, left: entries, reply, begun, reason: None });
        self.next
    }

    /// Answers if there is nothing left to wait for.
    pub(super) fn begun(&mut self, append: u64) {
        self.finish(append);
    }

    /// One entry of an append has its outcome.
    pub(super) fn set(&mut self, (append, place): Place, appended: Appended) {
        let Some(open) = self.open.get_mut(&append) else { return };
        if open.results[place].replace(appended).is_none() {
            open.left -= 1;
        }
    }

    fn finish(&mut self, append: u64) {
        if self.open.get(&append).is_some_and(|open| open.left == 0)
            && let Some(open) = self.open.remove(&append)
        {
            let _ = open.reply.send(Ok(open.results.into_iter().flatten().collect()));
        }
    }

    /// Whether an entry of this token is under way; then this one waits for it, too.
    pub(super) fn joins(&mut self, token: &Token, place: Place) -> bool {
        let Some(pending) = self.pending.get_mut(token) else { return false };
        pending.more.push(place);
        true
    }

    /// An entry is under way.
    pub(super) fn insert(&mut self, token: Token, place: Place, payload: Bytes) {
        self.next += 1;
        let pending = Pending { number: self.next, payload, first: place, more: Vec::new(), sent: None };
        self.pending.insert(token, pending);
    }

    /// Says that an entry is about to be sent; false if nothing waits for it any more.
    pub(super) fn sending(&mut self, token: &Token, now: Instant) -> bool {
        self.pending.get_mut(token).map(|pending| pending.sent = Some(now)).is_some()
    }

    /// The stream has delivered it. Returns how many places in the window come free.
    pub(super) fn delivered(&mut self, token: &Token, seq: u64, own: bool) -> usize {
        if self.pending.is_empty() {
            return 0;
        }
        self.resolved(token, if own { Appended::New(seq) } else { Appended::Duplicate(seq) })
    }

    /// An entry under way has its outcome; those that joined it are its duplicates. Returns how many places in the window come
    /// free.
    pub(super) fn resolved(&mut self, token: &Token, appended: Appended) -> usize {
        let Some(pending) = self.pending.remove(token) else { return 0 };
        self.set(pending.first, appended);
        self.finish(pending.first.0);
        for place in pending.more {
            self.set(place, Appended::Duplicate(appended.seq()));
            self.finish(place.0);
        }
        usize::from(pending.sent.is_some())
    }

    /// Those that were sent longer ago than `after` and have not come back, in order, with their payloads.
    pub(super) fn overdue(&self, after: Duration, most: usize) -> Vec<(Token, Bytes)> {
        let is_overdue = |sent: Instant| sent.elapsed() >= after;
        let mut overdue: Vec<_> =
            self.pending.iter().filter(|(_, pending)| pending.sent.is_some_and(is_overdue)).collect();
        overdue.sort_unstable_by_key(|(_, pending)| pending.number);
        overdue.into_iter().take(most).map(|(token, pending)| (*token, pending.payload.clone())).collect()
    }

    /// Remembers why an entry is not in the stream.
    pub(super) fn note(&mut self, token: &Token, reason: String) {
        let Some(place) = self.pending.get(token).map(|pending| pending.first.0) else { return };
        if let Some(open) = self.open.get_mut(&place) {
            open.reason = Some(reason);
        }
    }

    /// Fails the appends that were begun longer ago than `after`. What of them gets into the stream all the same is found when
    /// it is asked for again. Returns how many places in the window come free.
    pub(super) fn expire(&mut self, after: Duration, error: impl Fn(Option<&str>) -> LogError) -> usize {
        let late = |open: &Open| open.begun.elapsed() >= after || open.reply.is_closed();
        let late: Vec<u64> =
            self.open.iter().filter(|(_, open)| late(open)).map(|(append, _)| *append).collect();
        if late.is_empty() {
            return 0;
        }
        for append in late {
            if let Some(open) = self.open.remove(&append) {
                let _ = open.reply.send(Err(error(open.reason.as_deref())));
            }
        }
        let mut freed = 0;
        let open = &self.open;
        self.pending.retain(|_, pending| {
            let waits = |place: &Place| open.contains_key(&place.0);
            let stays = waits(&pending.first) || pending.more.iter().any(waits);
            freed += usize::from(!stays && pending.sent.is_some());
            stays
        });
        freed
    }

    /// Whether nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}
