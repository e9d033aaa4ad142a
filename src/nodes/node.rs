//! This node of the room: opened, asked and closed.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval_at, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bucket::{Bucket, Unanswered, WriteError};
use super::claim::Work;
use super::claims::{self, Claims};
use super::keys::NodeKeys;
use super::layout;
use super::leases::{LeaseValue, Leases, Standing};
use super::own::OwnGuests;
use super::presence::Presence as Presences;
use super::releases;
use super::renewal::{self, Renewing};
use crate::cluster::{ApiError, ClusterError, Connection};
use crate::hub::cluster::{ClaimError, Cluster, ClusterEvent, Presence};
use crate::protocol::{GuestId, Name};

/// How many events may wait for the room.
const EVENTS_MAX: usize = 1024;

/// What the leases are called in messages.
const LEASES: &str = "the leases of the machines";

/// When claims of dead nodes are looked for first, when all leases were observed for long enough, and how often then.
const FIRST_SWEEP: Duration = Duration::from_secs(10);
const SWEEPS: Duration = Duration::from_secs(60 * 60);

/// How long closing may take, and of that, how long the lease may take to end: the rest is for claims to be given up. Together
/// less than what [`Server::close`](crate::server::Server::close) has left for it.
const CLOSE_WAIT: Duration = Duration::from_millis(1400);
const CLOSE_LEASE: Duration = Duration::from_millis(800);

/// A node of a room on several machines, by NATS.
pub struct NatsCluster {
    pub(super) keys: Arc<NodeKeys>,
    pub(super) leases: Arc<Leases>,
    pub(super) claims: Arc<Claims>,
    pub(super) guests: Arc<OwnGuests>,
    pub(super) standing: watch::Receiver<Standing>,
    events: Mutex<Option<Events>>,
    doors: bool,
    /// Ends the tasks that write.
    ending: CancellationToken,
    /// Ends what tells and hears.
    closing: CancellationToken,
    tasks: TaskTracker,
}

struct Events {
    own: mpsc::UnboundedReceiver<ClusterEvent>,
    others: mpsc::Receiver<ClusterEvent>,
}

impl NatsCluster {
    /// Joins the other nodes of a room. With `doors` they are told where guests reach this node.
    ///
    /// # Errors
    /// JetStream does not answer, or refuses.
    pub async fn join(connection: &Connection, doors: bool) -> Result<Self, ClusterError> {
        let client = connection.client().clone();
        let keys = Arc::new(NodeKeys::of(connection));
        let leases = Bucket::open(connection, LEASES, layout::leases(connection)).await?;
        let leases = Arc::new(Leases::new(leases, Arc::clone(&keys)));
        let names = Bucket::open(connection, "the names of guests", layout::claims(connection)).await?;
        let unanswered = |Unanswered(why)| ApiError::NoAnswer(why).about(LEASES);
        let now = Instant::now();
        for (node, revision) in leases.all().await.map_err(unanswered)? {
            leases.note(node, revision, now);
        }
        let (standing_sender, standing) = watch::channel(renewal::make(&leases).await.map_err(unanswered)?);
        let (own_events, own) = mpsc::unbounded_channel();
        let (other_events, others) = mpsc::channel(EVENTS_MAX);
        let (work, works) = mpsc::unbounded_channel();
        let claims = Arc::new(Claims::new(
            names,
            Arc::clone(&keys),
            Arc::clone(&leases),
            standing.clone(),
            work.clone(),
        ));
        let (guests, news) = OwnGuests::new(standing.borrow().node);
        let guests = Arc::new(guests);
        let (ending, closing, tasks) =
            (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let presence = Presences {
            client: client.clone(),
            keys: Arc::clone(&keys),
            subjects: layout::subjects(connection),
            guests: Arc::clone(&guests),
            leases: Arc::clone(&leases),
            standing: standing.clone(),
            work: work.clone(),
            events: other_events,
        };
        let presence = presence.start(news, closing.clone()).await;
        tasks.spawn(presence.map_err(|error| ApiError::NoAnswer(error.to_string()).about(LEASES))?);
        let cluster = Self {
            keys,
            leases: Arc::clone(&leases),
            claims: Arc::clone(&claims),
            guests: Arc::clone(&guests),
            standing: standing.clone(),
            events: Mutex::new(Some(Events { own, others })),
            doors,
            ending,
            closing,
            tasks,
        };
        cluster.spawn(renewal::tell_availability(client.clone(), standing, own_events.clone()));
        cluster.spawn(
            Renewing::new(client, leases, standing_sender, Arc::clone(&claims), guests, own_events).run(),
        );
        cluster.spawn(releases::run(claims, works));
        cluster.spawn(sweep_now_and_then(work));
        Ok(cluster)
    }

    /// Runs a task until the node closes.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let ending = self.ending.clone();
        self.tasks.spawn(async move {
            let _ = ending.run_until_cancelled(pin!(task)).await;
        });
    }

    /// Leaves the others. Takes less than a second and a half where NATS does not answer.
    async fn leave(&self) {
        let until = Instant::now() + CLOSE_WAIT;
        self.ending.cancel();
        self.closing.cancel();
        let (claims, _) = self.claims.forget();
        self.tasks.close();
        if timeout(CLOSE_LEASE, self.end_lease()).await.is_err() {
            tracing::debug!(
                "NATS did not take note that this node closes; it is taken for dead in a few seconds"
            );
            let _ = timeout_at(until, self.tasks.wait()).await;
            return;
        }
        // Their lease is dead, so that all of them are free; to take them away is good order.
        let give_up = stream::iter(claims).for_each_concurrent(64, |claim| async move {
            for part in &claim.parts {
                let _ = self.claims.delete(part, &claim.owner).await;
            }
        });
        let _ = timeout_at(until, give_up).await;
        let _ = timeout_at(until, self.tasks.wait()).await;
    }

    /// Writes the tombstone of this node's own lease.
    async fn end_lease(&self) {
        let Standing { node, mut revision, .. } = *self.standing.borrow();
        while let Err(error) = self.leases.write(node, revision, LeaseValue::Dead).await {
            match (error, self.leases.read(node).await) {
                // A renewal was under way.
                (WriteError::Conflict, Ok(Some((newer, LeaseValue::Held(_))))) => revision = newer,
                _ => return,
            }
        }
    }
}

impl Drop for NatsCluster {
    fn drop(&mut self) {
        self.ending.cancel();
        self.closing.cancel();
    }
}

impl Cluster for NatsCluster {
    fn claim(&self, guest: GuestId, name: &Name) -> BoxFuture<'static, Result<u64, ClaimError>> {
        Arc::clone(&self.claims).claim(guest, claims::parts(&self.keys, name)).boxed()
    }

    fn release(&self, guest: GuestId, _name: &Name, claim: u64) {
        self.claims.release(guest, claim);
    }

    fn tell(&self, presence: Presence) {
        self.guests.tell(presence);
    }

    fn open_door(&self, origin: String, seats: usize) {
        if self.doors {
            self.guests.own().open_door(origin, seats);
        }
    }

    fn events(&self) -> BoxStream<'static, ClusterEvent> {
        let taken = self.events.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Events { own, others }) = taken else { return stream::pending().boxed() };
        let own = stream::unfold(own, |mut own| async move { Some((own.recv().await?, own)) });
        let others = stream::unfold(others, |mut others| async move { Some((others.recv().await?, others)) });
        stream::select(own, others).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.leave().boxed()
    }
}

async fn sweep_now_and_then(work: mpsc::UnboundedSender<Work>) {
    let mut sweeps = interval_at(Instant::now() + FIRST_SWEEP, SWEEPS);
    loop {
        sweeps.tick().await;
        let _ = work.send(Work::Sweep(None));
    }
}
