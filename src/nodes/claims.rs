//! Claims of names: one key for each part of a name's confusable key, owned under the lease of a node.
//!
//! The parts are written in the order of their keys, so of two guests who want crossing pairs one gets both. A part that a guest
//! has is taken over by a compare and set, as is one of a node that is dead; nothing is taken over before all parts are known to be
//! available. The value of a claim has a tag, drawn for each claim: by it a claim finds its own parts again, when an answer was lost
//! or a part was given back.
//!
//! A claim is good while the lease of its node is: a node that answers a claim trusts its lease after the last write, and is the same
//! node as before the first.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

use super::bucket::{Bucket, Entry, Unanswered, WriteError};
use super::claim::{Claim, Owner, Part, Work};
use super::keys::NodeKeys;
use super::leases::{Death, Leases, Standing};
use crate::hub::cluster::{ClaimError, NodeId};
use crate::protocol::{GuestId, Name};

/// How long a claim may take.
const CLAIM_WAIT: Duration = Duration::from_secs(5);

/// The claims of this node, and the bucket of all.
pub(super) struct Claims {
    pub(super) bucket: Bucket,
    pub(super) keys: Arc<NodeKeys>,
    pub(super) leases: Arc<Leases>,
    pub(super) standing: watch::Receiver<Standing>,
    held: Mutex<Held>,
    pub(super) work: mpsc::UnboundedSender<Work>,
}

#[derive(Default)]
struct Held {
    claims: HashMap<u64, Claim>,
    /// The tags of those and of claims that are being made.
    tags: HashSet<u64>,
    /// The highest number of a claim so far.
    newest: u64,
}

/// What a claim knows of a part.
struct Wanted {
    key: String,
    /// What stands there, if it was read.
    before: Option<Entry>,
    written: Option<u64>,
}

/// Why an attempt ended.
enum Ended {
    Taken,
    Unavailable(Unanswered),
}

impl From<Unanswered> for Ended {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unavailable(unanswered)
    }
}

impl Claims {
    pub(super) fn new(
        bucket: Bucket,
        keys: Arc<NodeKeys>,
        leases: Arc<Leases>,
        standing: watch::Receiver<Standing>,
        work: mpsc::UnboundedSender<Work>,
    ) -> Self {
        Self { bucket, keys, leases, standing, held: Mutex::default(), work }
    }

    /// Claims a name for a guest, and returns the number of the claim.
    pub(super) async fn claim(
        self: Arc<Self>,
        guest: GuestId,
        parts: [String; 2],
    ) -> Result<u64, ClaimError> {
        let before = *self.standing.borrow();
        if !before.is_trusted(Instant::now()) {
            return Err(ClaimError::Unavailable("NATS did not renew this node's lease in time".into()));
        }
        let tag = getrandom::u64().map_err(|error| ClaimError::Unavailable(error.to_string()))?;
        let owner = Owner { node: before.node, guest, tag };
        let mut attempt = Attempt::new(&self, owner, parts);
        let outcome = timeout(CLAIM_WAIT, attempt.run(&before));
        let outcome =
            outcome.await.unwrap_or_else(|_| Err(Unanswered("NATS did not answer in time".into()).into()));
        let number = match outcome {
            Ok(number) => number,
            Err(Ended::Taken) => return Err(ClaimError::Taken),
            Err(Ended::Unavailable(Unanswered(why))) => return Err(ClaimError::Unavailable(why)),
        };
        let claim = attempt.into_claim();
        let after = *self.standing.borrow();
        if after.node != before.node || !after.is_trusted(Instant::now()) {
            self.held().tags.remove(&tag);
            let _ = self.work.send(Work::Release(claim));
            return Err(ClaimError::Unavailable("this node's lease ended meanwhile".into()));
        }
        let mut held = self.held();
        held.newest = held.newest.max(number);
        held.claims.insert(number, claim);
        Ok(number)
    }

    /// Gives a claim up, in the background.
    pub(super) fn release(&self, guest: GuestId, number: u64) {
        let mut held = self.held();
        if held.claims.get(&number).is_some_and(|claim| claim.owner.guest == guest)
            && let Some(claim) = held.claims.remove(&number)
        {
            held.tags.remove(&claim.owner.tag);
            let _ = self.work.send(Work::Release(claim));
        }
    }

    /// Forgets all claims, and returns them with the highest number of one so far.
    pub(super) fn forget(&self) -> (Vec<Claim>, u64) {
        let mut held = self.held();
        held.tags.clear();
        (held.claims.drain().map(|(_, claim)| claim).collect(), held.newest)
    }

    /// Whether a claim with this tag is held or being made here.
    pub(super) fn knows(&self, owner: &Owner) -> bool {
        self.held().tags.contains(&owner.tag)
    }

    /// Whose a value is; `None` for one that is none of ours, which is like that of a dead node.
    pub(super) fn owner(&self, entry: &Entry) -> Option<Owner> {
        let plain = self.keys.open(&context(&entry.key), &entry.value)?;
        let plain = <[u8; 24]>::try_from(plain).ok()?;
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| plain[at + byte]));
        Some(Owner { node: NodeId(number(0)), guest: GuestId(number(8)), tag: number(16) })
    }

    pub(super) fn value(&self, key: &str, owner: &Owner) -> Result<Vec<u8>, Unanswered> {
        let plain = [owner.node.0, owner.guest.0, owner.tag].map(u64::to_le_bytes).concat();
        self.keys.seal(&context(key), &plain).map_err(|error| Unanswered(error.to_string()))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys of the parts of a name.
pub(super) fn parts(keys: &NodeKeys, name: &Name) -> [String; 2] {
    let mut parts = name.confusable_key().parts().map(|part| keys.name(&part));
    parts.sort();
    parts
}

fn context(key: &str) -> String {
    format!("claim {key}")
}

/// A claim that is being made. Dropped before its end, what it may have written is given up in the background.
struct Attempt<'a> {
    claims: &'a Claims,
    owner: Owner,
    wanted: Vec<Wanted>,
    /// The part whose write has no answer yet, and the revision that was expected.
    in_doubt: Option<(usize, u64)>,
    done: bool,
}

impl<'a> Attempt<'a> {
    fn new(claims: &'a Claims, owner: Owner, parts: [String; 2]) -> Self {
        claims.held().tags.insert(owner.tag);
        let wanted = parts.map(|key| Wanted { key, before: None, written: None }).into();
        Self { claims, owner, wanted, in_doubt: None, done: false }
    }

    async fn run(&mut self, standing: &Standing) -> Result<u64, Ended> {
        while let Some(at) = self.wanted.iter().position(|part| part.written.is_none()) {
            let part = &self.wanted[at];
            // First as if it were free: it mostly is, and a write says so as well as a read.
            let expected = part.before.as_ref().map_or(0, |entry| entry.revision);
            let value = self.claims.value(&part.key, &self.owner)?;
            self.in_doubt = Some((at, expected));
            match self.claims.bucket.put(&part.key, expected, value).await {
                Ok(revision) => {
                    self.in_doubt = None;
                    self.wanted[at].written = Some(revision);
                }
                Err(WriteError::Conflict) => {
                    self.in_doubt = None;
                    self.look(standing).await?;
                }
                Err(WriteError::Unanswered(unanswered)) => return Err(unanswered.into()),
            }
        }
        self.done = true;
        Ok(self.wanted.iter().filter_map(|part| part.written).max().unwrap_or_default())
    }

    /// Reads the parts that are not written yet, and ends where one is taken.
    async fn look(&mut self, standing: &Standing) -> Result<(), Ended> {
        for part in self.wanted.iter_mut().filter(|part| part.written.is_none()) {
            part.before = self.claims.bucket.get(&part.key).await?;
            let owner = part.before.as_ref().and_then(|entry| self.claims.owner(entry));
            if let Some(owner) = owner.filter(|owner| owner.guest != self.owner.guest) {
                match self.claims.leases.is_dead(owner.node, standing).await? {
                    Death::Alive => return Err(Ended::Taken),
                    Death::Declared => {
                        let _ = self.claims.work.send(Work::Sweep(Some(owner.node)));
                    }
                    Death::Known => {}
                }
            }
        }
        Ok(())
    }

    fn into_claim(mut self) -> Claim {
        self.done = true;
        Claim { owner: self.owner, parts: self.written().collect() }
    }

    fn written(&self) -> impl Iterator<Item = Part> + '_ {
        let written = self.wanted.iter();
        written.filter_map(|part| Some(Part { key: part.key.clone(), revision: part.written? }))
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        self.claims.held().tags.remove(&self.owner.tag);
        for part in &self.wanted {
            let Some(revision) = part.written else { continue };
            let part_written = Part { key: part.key.clone(), revision };
            let before = part.before.as_ref().and_then(|entry| self.claims.owner(entry));
            // What was taken over from another claim of the same guest goes back to it.
            let work = match before.filter(|before| before.guest == self.owner.guest) {
                Some(before) => Work::GiveBack(part_written, before),
                None => Work::Release(Claim { owner: self.owner, parts: vec![part_written] }),
            };
            let _ = self.claims.work.send(work);
        }
        if let Some((at, expected)) = self.in_doubt {
            let part = &self.wanted[at];
            let before = part.before.as_ref().and_then(|entry| self.claims.owner(entry));
            let before = before.filter(|before| before.guest == self.owner.guest);
            let _ = self.claims.work.send(Work::Settle {
                key: part.key.clone(),
                expected,
                owner: self.owner,
                before,
            });
        }
    }
}
