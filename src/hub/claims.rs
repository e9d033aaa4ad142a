//! The claims of names that are under way, and the requests that wait for them.
//!
//! The room's task never waits for the cluster. A request that needs a claim is put aside, and what the same guest asks for
//! after it is kept behind it, in order; everything else goes on. A claim that comes too late for its request is released.
//!
//! A claim that was made for nothing may have taken over the one of the same guest at another node. Then it is kept for as long
//! as they are there under that name: without it another guest could get the name.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::cluster::{ClaimError, Cluster};
use super::command::Command;
use crate::language::Language;
use crate::protocol::{Code, GuestId, Name, Refusal};

/// How long a request waits for its claim.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(5);

/// How many requests wait for claims at most.
const ASIDE_MAX: usize = 1024;

/// How many requests of one guest wait behind another one at most.
const BEHIND_MAX: usize = 64;

/// How many claims are made again at once.
const RENEWALS_MAX: usize = 32;

/// How many names are tried for a guest who asks for none.
pub(super) const TRIES: u32 = 8;

/// What a claim is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A request that was put aside.
    Request,
    /// The name that a guest has already.
    Renewal,
    /// A request that was answered before, because the claim came too late.
    Late,
    /// Another name for a guest who cannot keep theirs, with how many were tried by now.
    Replacement(u32),
}

/// The outcome of a claim.
pub(super) struct Claimed {
    pub(super) guest: GuestId,
    pub(super) name: Name,
    pub(super) purpose: Purpose,
    /// Whether the lease is still the one that the claim was asked for under.
    pub(super) counts: bool,
    pub(super) result: Result<u64, ClaimError>,
}

/// A request that waits for its claim.
pub(super) struct Aside {
    pub(super) command: Command,
    /// How many names were tried, if the guest has asked for none.
    pub(super) tries: Option<u32>,
    /// What the guest has asked for since.
    pub(super) behind: Vec<Command>,
}

/// The claims that are under way.
pub(super) struct Claims {
    cluster: Arc<dyn Cluster>,
    under_way: FuturesUnordered<BoxFuture<'static, (Claimed, u64)>>,
    aside: HashMap<GuestId, Aside>,
    /// Counts the leases.
    lease: u64,
    /// The guests whose claims are to be made again.
    renewals: VecDeque<GuestId>,
    /// Those for whom that is under way.
    renewing: HashSet<GuestId>,
    /// Those for whom it is to be tried again later.
    later: Vec<GuestId>,
    /// The claims that came too late, from the tasks that have asked for them.
    late: (mpsc::UnboundedSender<Claimed>, mpsc::UnboundedReceiver<Claimed>),
    /// The claims of guests at other nodes.
    kept: HashMap<GuestId, (Name, u64)>,
}

impl Claims {
    pub(super) fn new(cluster: Arc<dyn Cluster>) -> Self {
        Self {
            cluster,
            under_way: FuturesUnordered::new(),
            aside: HashMap::new(),
            lease: 0,
            renewals: VecDeque::new(),
            renewing: HashSet::new(),
            later: Vec::new(),
            late: mpsc::unbounded_channel(),
            kept: HashMap::new(),
        }
    }

    pub(super) fn cluster(&self) -> &dyn Cluster {
        &*self.cluster
    }

    /// Completes with the next outcome.
    pub(super) async fn next(&mut self) -> Claimed {
        tokio::select! {
            biased;
            Some((claimed, lease)) = self.under_way.next() => {
                if claimed.purpose != Purpose::Request {
                    self.renewing.remove(&claimed.guest);
                }
                Claimed { counts: lease == self.lease, ..claimed }
            }
            Some(claimed) = self.late.1.recv() => claimed,
            else => std::future::pending().await,
        }
    }

    /// Asks for a claim.
    pub(super) fn ask(&mut self, guest: GuestId, name: Name, purpose: Purpose) {
        if purpose != Purpose::Request {
            self.renewing.insert(guest);
        }
        let (lease, cluster, claim) =
            (self.lease, Arc::clone(&self.cluster), self.cluster.claim(guest, &name));
        let (reply, mut answer) = oneshot::channel();
        let (claimed, late) = (name.clone(), self.late.0.clone());
        // A task of its own: a claim that is not waited for any more must not be left over.
        tokio::spawn(async move {
            let Err(Ok(number)) = reply.send(claim.await) else { return };
            let (name, purpose, result) = (claimed.clone(), Purpose::Late, Ok(number));
            if late.send(Claimed { guest, name, purpose, counts: true, result }).is_err() {
                cluster.release(guest, &claimed, number);
            }
        });
        let answered = async move {
            let result = match timeout(CLAIM_TIMEOUT, &mut answer).await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(unanswered()),
                Err(_) => {
                    answer.close();
                    answer.try_recv().unwrap_or_else(|_| Err(unanswered()))
                }
            };
            (Claimed { guest, name, purpose, counts: true, result }, lease)
        };
        self.under_way.push(answered.boxed());
    }

    /// Puts a request aside until its claim has come; `Some` where too many wait.
    pub(super) fn put_aside(
        &mut self,
        guest: GuestId,
        name: Name,
        command: Command,
        tries: Option<u32>,
    ) -> Option<Command> {
        if self.aside.len() >= ASIDE_MAX {
            return Some(command);
        }
        self.aside.insert(guest, Aside { command, tries, behind: Vec::new() });
        self.ask(guest, name, Purpose::Request);
        None
    }

    /// Keeps a command behind the guest's request that was put aside; `Some` if there is none. Where too many wait it is
    /// refused, unless it gives something up.
    pub(super) fn keep_behind(&mut self, guest: GuestId, command: Command) -> Option<Command> {
        let Some(aside) = self.aside.get_mut(&guest) else { return Some(command) };
        if aside.behind.len() >= BEHIND_MAX && !command.gives_up() {
            command.refuse(unavailable("too many requests wait"));
        } else {
            aside.behind.push(command);
        }
        None
    }

    /// Counts one more name for the guest's request; `None` if they have asked for a name, or [`TRIES`] were tried.
    pub(super) fn tried(&mut self, guest: GuestId) -> Option<u32> {
        let tries = self.aside.get_mut(&guest)?.tries.as_mut()?;
        *tries += 1;
        (*tries <= TRIES).then_some(*tries)
    }

    /// The language of the guest's request.
    pub(super) fn language(&self, guest: GuestId) -> Language {
        self.aside.get(&guest).map(|aside| aside.command.language()).unwrap_or_default()
    }

    /// Whether the guest's request is still waited for.
    pub(super) fn is_awaited(&self, guest: GuestId) -> bool {
        self.aside.get(&guest).is_some_and(|aside| aside.command.is_awaited())
    }

    /// Takes the guest's request, and what was asked for after it.
    pub(super) fn take_aside(&mut self, guest: GuestId) -> Option<Aside> {
        self.aside.remove(&guest)
    }

    /// Keeps a claim that took over the one of a guest at another node.
    pub(super) fn keep(&mut self, guest: GuestId, name: Name, number: u64) {
        if let Some((name, number)) = self.kept.insert(guest, (name, number)) {
            self.cluster.release(guest, &name, number);
        }
    }

    /// Releases the claims of guests who are not at another node any more, or not under that name.
    pub(super) fn release_kept(&mut self, is_needed: impl Fn(GuestId, &Name) -> bool) {
        let cluster = &self.cluster;
        self.kept.retain(|guest, (name, number)| {
            let needed = is_needed(*guest, name);
            if !needed {
                cluster.release(*guest, name, *number);
            }
            needed
        });
    }

    /// Begins a new lease: the claims of these guests are to be made again.
    pub(super) fn begin_lease(&mut self, guests: Vec<GuestId>) {
        self.kept.clear();
        self.lease += 1;
        self.later.clear();
        self.renewals = guests.into();
    }

    /// The claim of this guest's name is to be made again.
    pub(super) fn renew(&mut self, guest: GuestId) {
        self.renewals.push_back(guest);
    }

    /// The same a little later.
    pub(super) fn renew_later(&mut self, guest: GuestId) {
        self.later.push(guest);
    }

    /// Tries again what could not be done before.
    pub(super) fn retry(&mut self) {
        self.renewals.extend(self.later.drain(..));
    }

    /// The next guest whose claim is to be made again now.
    pub(super) fn next_renewal(&mut self) -> Option<GuestId> {
        if self.renewing.len() >= RENEWALS_MAX {
            return None;
        }
        // A guest for whom it is under way is asked for again after that.
        for _ in 0..self.renewals.len() {
            let guest = self.renewals.pop_front()?;
            if !self.renewing.contains(&guest) {
                return Some(guest);
            }
            self.renewals.push_back(guest);
        }
        None
    }
}

fn unanswered() -> ClaimError {
    ClaimError::Unavailable("no answer in time".into())
}

/// The refusal for a request that needs a claim which cannot be had now.
pub(super) fn unavailable(reason: &str) -> Refusal {
    tracing::debug!(reason, "a request was refused");
    Refusal::new(
        Code::StorageUnavailable,
        "The machines of this room do not reach each other at the moment, so no name can be given out. Try again a little later.",
    )
}

/// The next outcome of a claim, if this room claims names.
pub(super) async fn next_claimed(claims: &mut Option<Claims>) -> Claimed {
    match claims {
        Some(claims) => claims.next().await,
        None => std::future::pending().await,
    }
}
