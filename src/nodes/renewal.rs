//! This node's own lease: made, renewed, lost and made anew.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::bucket::{Unanswered, WriteError};
use super::claims::Claims;
use super::leases::{LeaseValue, Leases, Standing, TRUST_TIME};
use super::own::OwnGuests;
use crate::hub::cluster::{ClusterEvent, NodeId};

/// How often a lease is renewed.
pub(super) const RENEWAL: Duration = Duration::from_secs(2);

/// How soon after a renewal without an answer.
const RETRY: Duration = Duration::from_millis(500);

/// How often the connection is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// What a renewal came to.
enum Renewal {
    Renewed,
    /// Another node has declared this one dead, or the lease is gone.
    Lost,
    /// It is not known.
    Unanswered,
}

/// The renewal of this node's lease.
pub(super) struct Renewing {
    client: Client,
    leases: Arc<Leases>,
    standing: watch::Sender<Standing>,
    renewals: u64,
    /// A renewal had no answer: what the bucket has is to be read first.
    in_doubt: bool,
    claims: Arc<Claims>,
    guests: Arc<OwnGuests>,
    events: mpsc::UnboundedSender<ClusterEvent>,
}

/// Makes a lease with a new number.
///
/// # Errors
/// NATS does not answer, or the operating system has no randomness.
pub(super) async fn make(leases: &Leases) -> Result<Standing, Unanswered> {
    let node = NodeId(getrandom::u64().map_err(|error| Unanswered(error.to_string()))?);
    let renewed = Instant::now();
    match leases.write(node, 0, LeaseValue::Held(0)).await {
        Ok(revision) => Ok(Standing { node, revision, renewed, unbroken: renewed, lost: false }),
        Err(WriteError::Conflict) => Err(Unanswered("another node has drawn the same number".into())),
        Err(WriteError::Unanswered(unanswered)) => Err(unanswered),
    }
}

/// Says whether the cluster answers this node, each time that changes: by its connection and by its lease.
pub(super) async fn tell_availability(
    client: Client,
    mut standing: watch::Receiver<Standing>,
    events: mpsc::UnboundedSender<ClusterEvent>,
) {
    let mut told = None;
    loop {
        let connected = client.connection_state() == State::Connected;
        let available = connected && standing.borrow_and_update().is_trusted(Instant::now());
        if told != Some(available) {
            told = Some(available);
            let _ = events.send(ClusterEvent::Available(available));
        }
        // Its end is that of this node.
        if timeout(LOOK, standing.changed()).await.is_ok_and(|changed| changed.is_err()) {
            return;
        }
    }
}

impl Renewing {
    pub(super) fn new(
        client: Client,
        leases: Arc<Leases>,
        standing: watch::Sender<Standing>,
        claims: Arc<Claims>,
        guests: Arc<OwnGuests>,
        events: mpsc::UnboundedSender<ClusterEvent>,
    ) -> Self {
        Self { client, leases, standing, renewals: 0, in_doubt: false, claims, guests, events }
    }

    /// Renews the lease until this is dropped.
    pub(super) async fn run(mut self) {
        let mut next = Instant::now() + RENEWAL;
        loop {
            sleep_until(next).await;
            if self.client.connection_state() != State::Connected {
                next = Instant::now() + RETRY;
                continue;
            }
            let begun = Instant::now();
            let outcome = match timeout(TRUST_TIME, self.renew()).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    self.in_doubt = true;
                    Renewal::Unanswered
                }
            };
            next = match outcome {
                Renewal::Renewed => begun + RENEWAL,
                Renewal::Unanswered => Instant::now() + RETRY,
                Renewal::Lost => {
                    self.begin_again().await;
                    Instant::now() + RENEWAL
                }
            };
        }
    }

    async fn renew(&mut self) -> Renewal {
        let standing = *self.standing.borrow();
        let mut expected = standing.revision;
        if self.in_doubt {
            match self.leases.read(standing.node).await {
                Ok(Some((revision, LeaseValue::Held(_)))) => expected = revision.max(expected),
                Ok(_) => return Renewal::Lost,
                Err(_) => return Renewal::Unanswered,
            }
        }
        self.renewals += 1;
        let sent = Instant::now();
        match self.leases.write(standing.node, expected, LeaseValue::Held(self.renewals)).await {
            Ok(revision) => {
                self.in_doubt = false;
                self.standing.send_modify(|standing| {
                    if sent.saturating_duration_since(standing.renewed) > TRUST_TIME {
                        standing.unbroken = sent;
                    }
                    (standing.revision, standing.renewed) = (revision, sent);
                });
                Renewal::Renewed
            }
            // Either a renewal of this node was late, or the lease is lost: the bucket says which.
            Err(WriteError::Conflict) if self.in_doubt => Renewal::Unanswered,
            Err(WriteError::Conflict) => match self.leases.read(standing.node).await {
                Ok(Some((_, LeaseValue::Held(_)))) | Err(_) => {
                    self.in_doubt = true;
                    Renewal::Unanswered
                }
                Ok(_) => Renewal::Lost,
            },
            Err(WriteError::Unanswered(_)) => {
                self.in_doubt = true;
                Renewal::Unanswered
            }
        }
    }

    /// After the lease was lost: takes another number, and then says so, when claims can be made again.
    async fn begin_again(&mut self) {
        tracing::info!("this node was taken for dead by another one; it begins again with another number");
        self.standing.send_modify(|standing| standing.lost = true);
        // From here on no claim is answered. The one who declared this node dead takes the claims away.
        let (_, ended) = self.claims.forget();
        let made = loop {
            if self.client.connection_state() == State::Connected
                && let Ok(made) = make(&self.leases).await
            {
                break made;
            }
            sleep(RETRY).await;
        };
        (self.renewals, self.in_doubt) = (0, false);
        self.guests.begin_again(made.node, ended);
        self.standing.send_replace(made);
        let _ = self.events.send(ClusterEvent::LeaseLost);
    }
}
