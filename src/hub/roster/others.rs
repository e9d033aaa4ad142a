//! The guests at other nodes, as far as this node knows.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::hub::cluster::{NodeId, SeatedGuest};
use crate::protocol::{Guest, GuestId};

/// How long a guest whom their node has no more is listed: when they move to another node, that may be known a little later.
pub(in crate::hub) const LINGER: Duration = Duration::from_secs(1);

/// How long a claim that has ended is remembered, so that what was told before does not bring its guest back.
const REMEMBER: Duration = Duration::from_secs(30);

/// How many of them are remembered at most.
const REMEMBERED_MAX: usize = 16_384;

/// A guest at another node.
#[derive(Debug)]
pub(in crate::hub) struct Remote {
    /// The node with the highest claim; `None` when it has told that they are gone.
    pub(in crate::hub) node: Option<NodeId>,
    pub(in crate::hub) seated: SeatedGuest,
    /// Where they stand in the roster; `None` while they are not shown, because a guest with a higher claim has a name that
    /// is confusable with theirs.
    pub(in crate::hub) arrival: Option<u64>,
}

impl Remote {
    /// Whether a guest with this claim may have a name that is confusable with theirs.
    pub(in crate::hub) fn yields_to(&self, claim: u64) -> bool {
        self.node.is_none() || self.seated.claim < claim
    }
}

/// The guests at other nodes.
#[derive(Debug, Default)]
pub(in crate::hub) struct Others {
    guests: HashMap<GuestId, Remote>,
    /// Those who are shown, by the order of arrival.
    shown: BTreeMap<u64, GuestId>,
    /// Those who are not.
    hidden: BTreeSet<GuestId>,
    /// Those who are gone, with the end of their time, which is ascending.
    lingering: VecDeque<(Instant, GuestId)>,
    /// The highest claim of guests who were at two nodes or have left, oldest first.
    ended: HashMap<GuestId, u64>,
    forgotten_at: VecDeque<(Instant, GuestId, u64)>,
}

impl Others {
    /// All of them, to be marked.
    pub(in crate::hub) fn guests_mut(&mut self) -> impl Iterator<Item = &mut Guest> {
        self.guests.values_mut().map(|remote| &mut remote.seated.guest)
    }

    /// How many are shown.
    pub(in crate::hub) fn count(&self) -> usize {
        self.shown.len()
    }

    pub(in crate::hub) fn get(&self, id: GuestId) -> Option<&Remote> {
        self.guests.get(&id)
    }

    /// Those who are shown, with their places.
    pub(in crate::hub) fn shown(&self) -> impl Iterator<Item = (u64, &Remote)> {
        self.shown.iter().filter_map(|(arrival, id)| Some((*arrival, self.guests.get(id)?)))
    }

    /// Those who are not shown.
    pub(in crate::hub) fn hidden(&self) -> &BTreeSet<GuestId> {
        &self.hidden
    }

    /// Takes a guest in place of what was known of them.
    pub(in crate::hub) fn insert(&mut self, remote: Remote) {
        let id = remote.seated.guest.id;
        self.remove(id);
        match remote.arrival {
            Some(arrival) => drop(self.shown.insert(arrival, id)),
            None => drop(self.hidden.insert(id)),
        }
        self.guests.insert(id, remote);
    }

    /// Forgets a guest.
    pub(in crate::hub) fn remove(&mut self, id: GuestId) -> Option<Remote> {
        let remote = self.guests.remove(&id)?;
        match remote.arrival {
            Some(arrival) => drop(self.shown.remove(&arrival)),
            None => drop(self.hidden.remove(&id)),
        }
        Some(remote)
    }

    /// Notes that the guest is gone, if the node with the highest claim says so.
    pub(in crate::hub) fn linger(&mut self, node: NodeId, id: GuestId, now: Instant) {
        if let Some(remote) = self.guests.get_mut(&id)
            && remote.node == Some(node)
        {
            remote.node = None;
            self.lingering.push_back((now + LINGER, id));
        }
    }

    /// Those whose time is over and who have not come back.
    pub(in crate::hub) fn over(&mut self, now: Instant) -> Vec<GuestId> {
        let mut over = Vec::new();
        while let Some((until, id)) = self.lingering.front().copied()
            && until <= now
        {
            self.lingering.pop_front();
            if self.guests.get(&id).is_some_and(|remote| remote.node.is_none()) {
                over.push(id);
            }
        }
        while let Some((until, id, claim)) = self.forgotten_at.front().copied()
            && until <= now
        {
            self.forgotten_at.pop_front();
            if self.ended.get(&id) == Some(&claim) {
                self.ended.remove(&id);
            }
        }
        over
    }

    /// Notes that a guest had this claim, and does not need it any more.
    pub(in crate::hub) fn end(&mut self, id: GuestId, claim: u64, now: Instant) {
        if self.ended.get(&id).is_some_and(|ended| *ended >= claim) {
            return;
        }
        self.ended.insert(id, claim);
        self.forgotten_at.push_back((now + REMEMBER, id, claim));
        if self.forgotten_at.len() > REMEMBERED_MAX
            && let Some((_, id, claim)) = self.forgotten_at.pop_front()
            && self.ended.get(&id) == Some(&claim)
        {
            self.ended.remove(&id);
        }
    }

    /// Whether a higher claim of this guest has ended.
    pub(in crate::hub) fn is_stale(&self, id: GuestId, claim: u64) -> bool {
        self.ended.get(&id).is_some_and(|ended| *ended > claim)
    }

    /// Forgets the claims that have ended.
    pub(in crate::hub) fn forget_ended(&mut self) {
        self.ended.clear();
        self.forgotten_at.clear();
    }
}
