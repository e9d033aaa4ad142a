//! The traffic of strangers, by a process of its own so that its work is not done on the thread that takes the times.
//!
//! Every kind of traffic is bounded: it ends by itself after a time, a number of connections or of bytes, and it goes
//! nowhere but to a SOCKS port of this machine and one onion service behind it.

mod connection;
mod flood;
mod noscript;
mod seats;
mod slow;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use onionroom_bench::Outcome;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use self::connection::Connection;
use crate::route::Route;

/// The most connections of one attack.
const CONNECTIONS_MAX: u64 = 50_000;
/// The most bytes that one attack sends.
const BYTES_MAX: u64 = 8 << 30;
/// How long circuits may take before an attack begins without them.
const CIRCUITS_DEADLINE: Duration = Duration::from_secs(90);
/// How many circuits are built at the same time.
const CIRCUITS_AT_ONCE: usize = 16;
/// Between the end of a connection and the next one in its place.
const PAUSE: Duration = Duration::from_millis(100);
/// The same after a refusal.
const REFUSED_PAUSE: Duration = Duration::from_millis(250);

/// What the process is told to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) kind: Kind,
    pub(crate) route: Route,
    pub(crate) seconds: u64,
}

/// A kind of traffic.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// On each circuit a connection for everything that costs the room work, as fast as it goes.
    Flood { circuits: usize },
    /// On each circuit guests who join, say one thing, and stay.
    Seats { circuits: usize, each: usize },
    /// Connections that are held open, and do not read or send only now and then.
    Slow { connections: usize, each: usize },
}

/// What the attackers did.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Deeds {
    /// Connections to the room.
    pub(crate) connections: u64,
    /// Attempts that Tor refused, or that the room ended before they were connections.
    pub(crate) unconnected: u64,
    /// The most connections at once.
    pub(crate) connections_at_once: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    /// Welcomes over WebSockets.
    pub(crate) welcomes: u64,
    /// The most guests of theirs on WebSockets at once.
    pub(crate) guests_at_once: u64,
    /// Connections that the room closed.
    pub(crate) closed: u64,
    /// What the room refused, by code or status.
    pub(crate) refused: BTreeMap<String, u64>,
}

/// One stranger: a way to the room, and the common counts.
#[derive(Clone)]
pub(crate) struct Stranger {
    route: Route,
    /// The circuit.
    user: String,
    until: Instant,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicU64,
    unconnected: AtomicU64,
    open: AtomicU64,
    open_most: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    welcomes: AtomicU64,
    guests: AtomicU64,
    guests_most: AtomicU64,
    closed: AtomicU64,
    refused: Mutex<BTreeMap<String, u64>>,
}

/// Counts one up for as long as it lives.
struct Present<'a>(&'a AtomicU64);

impl<'a> Present<'a> {
    fn new(now: &'a AtomicU64, most: &AtomicU64) -> Self {
        most.fetch_max(now.fetch_add(1, Relaxed) + 1, Relaxed);
        Self(now)
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Carries out an order, given as JSON; prints `ready` when the measurement may begin, and at the end `done ` and the
/// [`Deeds`].
pub(crate) async fn run(order: &str) -> Outcome<()> {
    let Order { kind, route, seconds } = serde_json::from_str(order)?;
    let counts = Arc::new(Counts::default());
    let circuits = match kind {
        Kind::Flood { circuits } | Kind::Seats { circuits, .. } => circuits,
        Kind::Slow { connections, each } => connections.div_ceil(each),
    };
    let users: Vec<String> = (0..circuits).map(|_| route.new_circuit()).collect();
    build(&route, &users).await;
    println!("ready");
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut tasks = JoinSet::new();
    let mut left = match kind {
        Kind::Slow { connections, .. } => connections,
        Kind::Flood { .. } | Kind::Seats { .. } => usize::MAX,
    };
    for user in users {
        let stranger = Stranger { route: route.clone(), user, until, counts: Arc::clone(&counts) };
        match kind {
            Kind::Flood { .. } => flood::begin(&stranger, &mut tasks),
            Kind::Seats { each, .. } => {
                (0..each).for_each(|_| drop(tasks.spawn(seats::hold(stranger.clone()))))
            }
            Kind::Slow { each, .. } => {
                for _ in 0..each.min(left) {
                    left -= 1;
                    tasks.spawn(slow::hold(stranger.clone(), left));
                }
            }
        }
    }
    // Dropping the tasks ends all connections.
    sleep_until(until).await;
    drop(tasks);
    println!("done {}", serde_json::to_string(&counts.deeds())?);
    Ok(())
}

/// Builds the circuits of these users, a few at a time: a client that builds hundreds at once gets none of them done.
async fn build(route: &Route, users: &[String]) {
    let mut left = users.iter().cloned();
    let mut building = JoinSet::new();
    let all = async {
        loop {
            while building.len() < CIRCUITS_AT_ONCE {
                let (route, Some(user)) = (route.clone(), left.next()) else { break };
                building.spawn(async move { drop(route.connect(&user).await) });
            }
            if building.join_next().await.is_none() {
                return;
            }
        }
    };
    // Those that are missing then are built by the first connections.
    let _ = tokio::time::timeout(CIRCUITS_DEADLINE, all).await;
}

impl Stranger {
    /// Whether there is time, and a connection and bytes are left of what one attack may have.
    fn goes_on(&self) -> bool {
        Instant::now() < self.until
            && self.counts.connections.load(Relaxed) + self.counts.unconnected.load(Relaxed) < CONNECTIONS_MAX
            && self.counts.sent.load(Relaxed) < BYTES_MAX
    }

    /// Does this again and again, each time on a new connection.
    async fn again<F: Future<Output = Outcome<()>>>(self, mut deed: impl FnMut(Self) -> F) {
        while self.goes_on() {
            let ended = timeout_at(self.until, deed(self.clone())).await;
            match ended {
                Ok(Err(_)) => sleep(REFUSED_PAUSE).await,
                Ok(Ok(())) => sleep(PAUSE).await,
                Err(_) => return,
            }
        }
    }

    /// A stream to the room.
    async fn connect(&self) -> Outcome<Connection<'_>> {
        match self.route.connect(&self.user).await {
            Ok(stream) => {
                let stream = stream.into_inner();
                // Closing discards what Tor has not read yet: an attack has an end.
                stream.set_zero_linger()?;
                Ok(Connection::new(stream, self))
            }
            Err(error) => {
                self.counts.unconnected.fetch_add(1, Relaxed);
                Err(error)
            }
        }
    }

    fn refused(&self, why: &str) {
        let mut refused = self.counts.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused.entry(why.to_owned()).or_default() += 1;
    }
}

impl Counts {
    fn deeds(&self) -> Deeds {
        let [connections, unconnected, connections_at_once] =
            [&self.connections, &self.unconnected, &self.open_most].map(|count| count.load(Relaxed));
        let [bytes_sent, bytes_received, welcomes] =
            [&self.sent, &self.received, &self.welcomes].map(|count| count.load(Relaxed));
        Deeds {
            connections,
            unconnected,
            connections_at_once,
            bytes_sent,
            bytes_received,
            welcomes,
            guests_at_once: self.guests_most.load(Relaxed),
            closed: self.closed.load(Relaxed),
            refused: self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
