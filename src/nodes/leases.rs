//! The leases of the nodes: each renews its own, and a node whose lease is not renewed is declared dead, which it cannot miss.
//!
//! Nothing depends on a common clock, nor on how long a message takes. A node is declared dead by a compare and set from the
//! revision that was not renewed for a time to a tombstone, so one that has renewed its lease meanwhile stays alive, and one that was
//! only stopped finds the tombstone at its next renewal. A tombstone is final: a node that has lost its lease begins again with
//! another number.
//!
//! Revisions of others are learned from their heartbeats, not from a watch of the bucket: that costs nothing and needs no consumer
//! that a server can lose. A view that is stale does no harm.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::bucket::{Bucket, Entry, Unanswered, WriteError};
use super::keys::NodeKeys;
use crate::hub::cluster::NodeId;

/// How long a lease that is not renewed is taken for alive.
pub(super) const LEASE_TIME: Duration = Duration::from_secs(7);

/// How long a node trusts its own lease after it was renewed; less than [`LEASE_TIME`], so that it stops before others go on.
pub(super) const TRUST_TIME: Duration = Duration::from_secs(4);

/// How many leases of others are remembered.
const REMEMBERED_MAX: usize = 4096;

/// What a lease says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaseValue {
    /// The node lives, and this is its so-manieth renewal.
    Held(u64),
    /// The node is dead, or has closed.
    Dead,
}

/// The lease of this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) node: NodeId,
    pub(super) revision: u64,
    /// Just before the renewal was sent that was acknowledged last.
    pub(super) renewed: Instant,
    /// Since when it was renewed without a pause in which a lease could have been lost.
    pub(super) unbroken: Instant,
    /// Whether it was lost, and the next one is not there yet.
    pub(super) lost: bool,
}

impl Standing {
    /// Whether no other node can have declared this one dead.
    pub(super) fn is_trusted(&self, now: Instant) -> bool {
        !self.lost && now.saturating_duration_since(self.renewed) < TRUST_TIME
    }
}

/// The leases of all nodes of the room.
pub(super) struct Leases {
    bucket: Bucket,
    keys: Arc<NodeKeys>,
    observed: Mutex<Observed>,
}

#[derive(Default)]
struct Observed {
    /// The newest revision that was heard of, and since when.
    leases: HashMap<NodeId, (u64, Instant)>,
    dead: HashSet<NodeId>,
}

/// The key of a node's lease.
pub(super) fn key(node: NodeId) -> String {
    format!("{:016x}", node.0)
}

impl Leases {
    pub(super) fn new(bucket: Bucket, keys: Arc<NodeKeys>) -> Self {
        Self { bucket, keys, observed: Mutex::default() }
    }

    /// Writes a lease where it has this revision.
    pub(super) async fn write(
        &self,
        node: NodeId,
        expected: u64,
        value: LeaseValue,
    ) -> Result<u64, WriteError> {
        let key = key(node);
        let plain = match value {
            LeaseValue::Held(renewal) => renewal.to_le_bytes().to_vec(),
            LeaseValue::Dead => Vec::new(),
        };
        let sealed = self.keys.seal(&context(&key), &plain).map_err(|error| Unanswered(error.to_string()))?;
        self.bucket.put(&key, expected, sealed).await
    }

    /// The lease of a node and its revision, from the leader; a value that is none of ours is like a tombstone.
    pub(super) async fn read(&self, node: NodeId) -> Result<Option<(u64, LeaseValue)>, Unanswered> {
        Ok(self.bucket.get(&key(node)).await?.map(|entry| (entry.revision, self.value(&entry))))
    }

    /// The nodes with a lease that is not dead, with its revision; for the check and for a start.
    pub(super) async fn all(&self) -> Result<Vec<(NodeId, u64)>, Unanswered> {
        let mut found = Vec::new();
        let mut from = 1;
        while let Some(entry) = self.bucket.next(from).await? {
            from = entry.revision + 1;
            let node = u64::from_str_radix(&entry.key, 16).ok().map(NodeId);
            if let (Some(node), LeaseValue::Held(_)) = (node, self.value(&entry)) {
                found.push((node, entry.revision));
            }
        }
        Ok(found)
    }

    fn value(&self, entry: &Entry) -> LeaseValue {
        let plain = self.keys.open(&context(&entry.key), &entry.value);
        match plain.as_deref().and_then(|plain| <[u8; 8]>::try_from(plain).ok()) {
            Some(renewal) => LeaseValue::Held(u64::from_le_bytes(renewal)),
            None => LeaseValue::Dead,
        }
    }

    /// Notes a revision of another node's lease that was heard of.
    pub(super) fn note(&self, node: NodeId, revision: u64, now: Instant) {
        let mut observed = self.observed();
        if observed.leases.len() >= REMEMBERED_MAX && !observed.leases.contains_key(&node) {
            observed.leases.retain(|_, (_, since)| now.saturating_duration_since(*since) < LEASE_TIME);
            if observed.leases.len() >= REMEMBERED_MAX {
                return;
            }
        }
        let lease = observed.leases.entry(node).or_insert((revision, now));
        if revision > lease.0 {
            *lease = (revision, now);
        }
    }

    /// The nodes whose leases were not renewed in time, as far as is known.
    pub(super) fn overdue(&self, standing: &Standing, now: Instant) -> Vec<NodeId> {
        let observed = self.observed();
        let overdue = observed.leases.iter().filter(|(_, (_, since))| {
            now.saturating_duration_since((*since).max(standing.unbroken)) >= LEASE_TIME
        });
        overdue.map(|(node, _)| *node).filter(|node| *node != standing.node).collect()
    }

    /// Whether a node is dead; declares it dead if its lease was not renewed in time. `standing` is that of this node: what was
    /// noted while it could not renew its own lease does not count, because then the others could not either.
    ///
    /// # Errors
    /// NATS does not say.
    pub(super) async fn is_dead(&self, node: NodeId, standing: &Standing) -> Result<Death, Unanswered> {
        if node == standing.node && !standing.lost {
            return Ok(Death::Alive);
        }
        let now = Instant::now();
        if !standing.is_trusted(now) {
            return Err(Unanswered("NATS did not renew this node's lease in time".into()));
        }
        let lease = {
            let observed = self.observed();
            if observed.dead.contains(&node) {
                return Ok(Death::Known);
            }
            observed.leases.get(&node).copied()
        };
        let expected = match lease {
            Some((_, since)) if now.saturating_duration_since(since.max(standing.unbroken)) < LEASE_TIME => {
                return Ok(Death::Alive);
            }
            Some((revision, _)) => revision,
            None => match self.read(node).await? {
                // Not there: a tombstone in its place makes sure that it stays so.
                None => 0,
                Some((_, LeaseValue::Dead)) => return Ok(self.note_dead(node, Death::Known)),
                Some((revision, LeaseValue::Held(_))) => {
                    self.note(node, revision, now);
                    return Ok(Death::Alive);
                }
            },
        };
        match self.write(node, expected, LeaseValue::Dead).await {
            Ok(_) => Ok(self.note_dead(node, Death::Declared)),
            Err(WriteError::Unanswered(unanswered)) => Err(unanswered),
            Err(WriteError::Conflict) => match self.read(node).await? {
                Some((_, LeaseValue::Dead)) => Ok(self.note_dead(node, Death::Known)),
                Some((revision, LeaseValue::Held(_))) => {
                    self.note(node, revision, Instant::now());
                    Ok(Death::Alive)
                }
                // It came of age meanwhile, or this revision was wrong: next time it is not there.
                None => {
                    self.observed().leases.remove(&node);
                    Ok(Death::Alive)
                }
            },
        }
    }

    fn note_dead(&self, node: NodeId, death: Death) -> Death {
        let mut observed = self.observed();
        observed.leases.remove(&node);
        if observed.dead.len() >= REMEMBERED_MAX {
            observed.dead.clear(); // the tombstones are in the bucket
        }
        observed.dead.insert(node);
        death
    }

    fn observed(&self) -> MutexGuard<'_, Observed> {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a node is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    Alive,
    /// It is, and this node has declared it.
    Declared,
    /// It is, for longer.
    Known,
}

fn context(key: &str) -> String {
    format!("lease {key}")
}
