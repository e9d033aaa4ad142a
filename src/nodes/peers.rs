//! The other nodes, as this one knows them by what they say: pure state, without a clock of its own.
//!
//! Changes are numbered by their node. Who has missed one asks for a snapshot; until it is there, what arrives is applied as it
//! comes, and the number of a guest's newest change decides which is newer. The guests of a node are shown only while it has
//! answered with a snapshot since it was heard: so what is replayed of a node that is gone shows nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::peer::{Peer, SILENCE};
use super::wire::{News, Page, Said};
use crate::hub::cluster::{ClusterEvent, Door, NodeId};
use crate::protocol::GuestId;

/// How long a silent node's counters are remembered.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// How many nodes are known at once.
pub(super) const PEERS_MAX: usize = 256;

/// The other nodes.
#[derive(Debug, Default)]
pub(super) struct Peers {
    peers: BTreeMap<NodeId, Peer>,
    /// What was dropped: malformed, forged, replayed or too much.
    pub(super) dropped: u64,
}

impl Peers {
    /// Takes in what a node says; `wait` is put before a request for a snapshot that becomes necessary.
    pub(super) fn hear(&mut self, news: News, now: Instant, wait: Duration, events: &mut Vec<ClusterEvent>) {
        let News { node, said } = news;
        if matches!(said, Said::Goodbye) {
            self.gone(node, events);
            return;
        }
        if !self.peers.contains_key(&node) && !self.make_place(now) {
            self.dropped += 1;
            return;
        }
        let peer = self.peers.entry(node).or_insert_with(|| Peer::new(now + wait));
        let is_news = match said {
            Said::Change(number, presence) => peer.change(node, number, presence, now + wait, events),
            Said::Beat(beat) => peer.beat(beat, now + wait),
            Said::Goodbye => false,
        };
        if is_news {
            peer.heard(now, now + wait);
        } else {
            self.dropped += 1;
        }
    }

    /// Whether there is a place for one more; one that is silent and shown no more makes it.
    fn make_place(&mut self, now: Instant) -> bool {
        if self.peers.len() < PEERS_MAX {
            return true;
        }
        let silent = self.peers.iter().filter(|(_, peer)| !peer.is_shown());
        let oldest =
            silent.min_by_key(|(_, peer)| peer.last_heard).map(|(node, peer)| (*node, peer.last_heard));
        match oldest {
            Some((node, heard)) if now.saturating_duration_since(heard) > SILENCE => {
                self.peers.remove(&node);
                true
            }
            _ => false,
        }
    }

    /// Takes a page of a snapshot in; returns after which guest to go on, or `None` after the last one.
    pub(super) fn page(
        &mut self,
        node: NodeId,
        after: Option<GuestId>,
        page: Page,
        now: Instant,
        events: &mut Vec<ClusterEvent>,
    ) -> Option<GuestId> {
        self.peers.get_mut(&node)?.page(node, after, page, now, events)
    }

    /// A snapshot was not answered: it is asked for again at that time.
    pub(super) fn not_answered(&mut self, node: NodeId, again: Instant) {
        if let Some(peer) = self.peers.get_mut(&node) {
            peer.ask_again(again);
        }
    }

    /// The nodes that are to be asked for a snapshot now, at most so many; each is under way from then on.
    pub(super) fn due(&mut self, now: Instant, most: usize) -> Vec<NodeId> {
        let due = self.peers.iter_mut().filter(|(_, peer)| peer.is_to_be_asked(now)).take(most);
        due.map(|(node, peer)| {
            peer.ask();
            *node
        })
        .collect()
    }

    /// Takes the guests of nodes that have said nothing for too long for absent.
    pub(super) fn expire(&mut self, now: Instant, events: &mut Vec<ClusterEvent>) {
        for (node, peer) in &mut self.peers {
            if now.saturating_duration_since(peer.last_heard) >= SILENCE {
                peer.hide(*node, events);
            }
        }
        self.peers.retain(|_, peer| now.saturating_duration_since(peer.last_heard) < REMEMBERED);
    }

    /// The nodes with the revision of the lease that they told last.
    pub(super) fn leases(&self) -> impl Iterator<Item = (NodeId, u64)> + '_ {
        let open = self.peers.iter().filter(|(_, peer)| peer.lease > 0 && !peer.is_closed());
        open.map(|(node, peer)| (*node, peer.lease))
    }

    /// A node is gone: it has said so, or is dead.
    pub(super) fn gone(&mut self, node: NodeId, events: &mut Vec<ClusterEvent>) {
        if let Some(peer) = self.peers.get_mut(&node) {
            peer.hide(node, events);
            peer.close();
        }
    }

    /// The doors of the nodes that are present, the least busy first.
    pub(super) fn doors(&self) -> Vec<Door> {
        let shown = self.peers.values().filter(|peer| peer.is_shown());
        let mut doors: Vec<Door> = shown.filter_map(|peer| peer.door.clone()).collect();
        // By the share of their seats that is taken.
        doors.sort_by(|one, other| {
            let taken = |door: &Door, seats: &Door| door.guests as u128 * seats.seats.max(1) as u128;
            taken(one, other).cmp(&taken(other, one)).then_with(|| one.origin.cmp(&other.origin))
        });
        doors
    }

    /// How many nodes and guests are shown.
    pub(super) fn shown(&self) -> (usize, usize) {
        let shown = self.peers.values().filter(|peer| peer.is_shown());
        shown.fold((0, 0), |(nodes, guests), peer| (nodes + 1, guests + peer.guests()))
    }
}
