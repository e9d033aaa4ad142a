//! What is done about claims in the background: they are given up, those without an answer are settled, and those of dead nodes are
//! taken away.
//!
//! Each piece of work is done again until NATS has answered, or until this node has lost its lease: then its claims are those of a
//! dead node. The queue has at most what claims have written, and claims are refused while NATS does not answer.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::bucket::{Unanswered, WriteError};
use super::claim::{Owner, Part, Work};
use super::claims::Claims;
use super::leases::Death;
use crate::hub::cluster::NodeId;

/// How many pieces of work are under way at once.
const AT_ONCE: usize = 16;

/// How soon after a failure it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Does the work as it comes, until this is dropped.
pub(super) async fn run(claims: Arc<Claims>, work: mpsc::UnboundedReceiver<Work>) {
    let work = futures_util::stream::unfold(work, |mut work| async move { Some((work.recv().await?, work)) });
    let each = work.for_each_concurrent(AT_ONCE, |work| {
        let claims = Arc::clone(&claims);
        async move {
            let node = claims.standing.borrow().node;
            while let Err(Unanswered(why)) = claims.attend(&work).await {
                tracing::debug!(%why, "a claim waits to be given up");
                sleep(RETRY).await;
                if claims.standing.borrow().node != node {
                    return;
                }
            }
        }
    });
    each.await;
}

impl Claims {
    /// Does a piece of work; what is already done is done again without harm.
    async fn attend(&self, work: &Work) -> Result<(), Unanswered> {
        match work {
            Work::Release(claim) => {
                for part in &claim.parts {
                    self.delete(part, &claim.owner).await?;
                }
                Ok(())
            }
            Work::GiveBack(part, before) => self.give_back(part, before).await,
            Work::Settle { key, expected, owner, before } => {
                // The same write again: once it is answered, the first one was carried out before it or never will be.
                let written = match self.bucket.put(key, *expected, self.value(key, owner)?).await {
                    Ok(revision) => Some(revision),
                    Err(WriteError::Unanswered(unanswered)) => return Err(unanswered),
                    Err(WriteError::Conflict) => self
                        .bucket
                        .get(key)
                        .await?
                        .filter(|entry| self.owner(entry).as_ref() == Some(owner))
                        .map(|entry| entry.revision),
                };
                let Some(revision) = written else { return Ok(()) };
                let part = Part { key: key.clone(), revision };
                match before {
                    Some(before) => self.give_back(&part, before).await,
                    None => self.delete(&part, owner).await,
                }
            }
            Work::Sweep(node) => self.sweep(*node).await,
        }
    }

    /// Deletes a part, unless it belongs to another claim meanwhile.
    pub(super) async fn delete(&self, part: &Part, owner: &Owner) -> Result<(), Unanswered> {
        if self.bucket.delete(part.revision).await? {
            return Ok(());
        }
        // It may have been taken over and given back, under another revision.
        match self.bucket.get(&part.key).await? {
            Some(entry) if self.owner(&entry).as_ref() == Some(owner) => {
                match self.bucket.delete(entry.revision).await? {
                    true => Ok(()),
                    false => Err(Unanswered("a claim that is there cannot be deleted".into())),
                }
            }
            _ => Ok(()),
        }
    }

    async fn give_back(&self, part: &Part, before: &Owner) -> Result<(), Unanswered> {
        match self.bucket.put(&part.key, part.revision, self.value(&part.key, before)?).await {
            Ok(_) | Err(WriteError::Conflict) => Ok(()),
            Err(WriteError::Unanswered(unanswered)) => Err(unanswered),
        }
    }

    /// Deletes what no guest has. One key at a time: nothing waits for it.
    async fn sweep(&self, only: Option<NodeId>) -> Result<(), Unanswered> {
        let mut from = 1;
        while let Some(entry) = self.bucket.next(from).await? {
            from = entry.revision + 1;
            let owner = self.owner(&entry);
            let standing = *self.standing.borrow();
            let left = match owner {
                Some(owner) if only.is_some_and(|only| only != owner.node) => false,
                Some(owner) if owner.node == standing.node && !standing.lost => !self.knows(&owner),
                Some(owner) => self.leases.is_dead(owner.node, &standing).await? != Death::Alive,
                None => only.is_none(),
            };
            if left {
                self.bucket.delete(entry.revision).await?;
            }
        }
        Ok(())
    }
}
