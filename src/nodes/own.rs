//! What this node tells of its own guests: the newest state of each, and the number of the change that made it so.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::wire::{Ask, Beat, News, Page, Said};
use crate::hub::cluster::{Door, NodeId, Presence, SeatedGuest};
use crate::protocol::GuestId;

/// The most guests of a page, and about how many bytes it has at most: far below the largest message of NATS.
pub(super) const PAGE_GUESTS: usize = 1000;
const PAGE_BYTES: usize = 128 * 1024;

/// How many bytes a guest has on the wire beside the name, at most.
const GUEST_BYTES: usize = 80;

/// How many changes may wait to be sent. What is beyond it is not sent: the others notice, and ask for a snapshot.
const WAITING_MAX: usize = 4096;

/// The guests of this node, and what is to be told of them.
pub(super) struct OwnGuests {
    own: Mutex<Own>,
    news: mpsc::Sender<News>,
}

impl OwnGuests {
    /// Also returns what is to be told, in order.
    pub(super) fn new(node: NodeId) -> (Self, mpsc::Receiver<News>) {
        let (news, waiting) = mpsc::channel(WAITING_MAX);
        (Self { own: Mutex::new(Own::new(node)), news }, waiting)
    }

    pub(super) fn tell(&self, presence: Presence) {
        // Under the lock, so that changes are sent in the order of their numbers.
        let mut own = self.own();
        if let Some(news) = own.note(presence) {
            let _ = self.news.try_send(news);
        }
    }

    /// Begins again under another number, without guests; claims up to `ended` are those of a dead node.
    pub(super) fn begin_again(&self, node: NodeId, ended: u64) {
        let mut own = self.own();
        let _ = self.news.try_send(own.goodbye());
        own.begin_again(node, ended);
    }

    pub(super) fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of the guests of this node.
#[derive(Debug)]
pub(super) struct Own {
    node: NodeId,
    guests: BTreeMap<GuestId, (SeatedGuest, u64)>,
    door: Option<(String, usize)>,
    changes: u64,
    beats: u64,
    /// Claims up to this number belonged to a lease that was lost.
    ended: u64,
}

impl Own {
    pub(super) fn new(node: NodeId) -> Self {
        Self { node, guests: BTreeMap::new(), door: None, changes: 0, beats: 0, ended: 0 }
    }

    /// Notes a change, and returns what the others are to be told; `None` where nothing changes.
    pub(super) fn note(&mut self, presence: Presence) -> Option<News> {
        match &presence {
            // Its claim may belong to another guest meanwhile; the guest is told of again after the next claim.
            Presence::Present(seated) if seated.claim <= self.ended => return None,
            Presence::Present(seated) => {
                let guest = seated.guest.id;
                if self.guests.get(&guest).is_some_and(|(known, _)| known == seated) {
                    return None;
                }
                self.changes += 1;
                self.guests.insert(guest, (seated.clone(), self.changes));
            }
            Presence::Absent(guest) => {
                self.guests.remove(guest)?;
                self.changes += 1;
            }
        }
        Some(News { node: self.node, said: Said::Change(self.changes, presence) })
    }

    pub(super) fn open_door(&mut self, origin: String, seats: usize) {
        self.door = Some((origin, seats));
    }

    /// The next heartbeat.
    pub(super) fn beat(&mut self, lease: u64) -> News {
        self.beats += 1;
        let door = self.door.clone().map(|(origin, seats)| Door { origin, guests: self.guests.len(), seats });
        let (beat, changes, guests) = (self.beats, self.changes, self.guests.len() as u64);
        News { node: self.node, said: Said::Beat(Beat { beat, changes, lease, guests, door }) }
    }

    pub(super) fn goodbye(&self) -> News {
        News { node: self.node, said: Said::Goodbye }
    }

    fn begin_again(&mut self, node: NodeId, ended: u64) {
        let door = self.door.take();
        *self = Self { door, ended, ..Self::new(node) };
    }

    /// The page of a snapshot that was asked for, with at most so many guests.
    pub(super) fn page(&self, ask: &Ask, most: usize) -> Page {
        let after = ask.after.map_or(Bound::Unbounded, |guest| Bound::Excluded(GuestId(guest)));
        let mut page = Page { changes: self.changes, guests: Vec::new(), more: false };
        let mut bytes = 0;
        for (_, (seated, number)) in self.guests.range((after, Bound::Unbounded)) {
            // A character in JSON may have six bytes.
            bytes += GUEST_BYTES + 6 * seated.guest.name.as_str().len();
            if page.guests.len() == most || bytes > PAGE_BYTES {
                page.more = true;
                break;
            }
            page.guests.push((seated.clone(), *number));
        }
        page
    }
}
