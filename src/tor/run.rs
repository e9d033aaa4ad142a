//! One run of Arti: a client of the Tor network with the room's onion service on it.

use std::sync::Arc;
use std::time::Duration;

use arti_client::{BootstrapBehavior, TorClient};
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use tor_hscrypto::pk::HsIdKeypair;
use tor_hsservice::status::State;
use tor_hsservice::{RendRequest, RunningOnionService};
use tor_llcrypto::pk::ed25519;
use tor_llcrypto::rng::CautiousRng;
use tor_proto::ClockSkew;

use super::network::PrivateNetwork;
use super::rendezvous::ArtiIntroduction;
use super::self_check::SelfCheckError;
use super::storage::Storage;
use super::tasks::Tasks;
use super::traffic::{ObservedRuntime, Traffic, observed};
use super::trouble::Evidence;
use super::{OnionAddress, TorError, configuration, self_check};

/// How long the end of a run may take before what is left of it is abandoned.
const END: Duration = Duration::from_secs(2);

/// Who holds the token that guests are counted by when there are none: the run, and the task that hands
/// introductions on.
const OWN_GUESTS: usize = 2;

/// A client as Arti makes them here.
pub(super) type Client = Arc<TorClient<ObservedRuntime>>;

/// What every run of one room needs.
pub(super) struct Plan {
    pub(super) storage: Storage,
    pub(super) network: Option<PrivateNetwork>,
    /// The identity of an ephemeral room, which no keystore keeps from one run to the next.
    pub(super) identity: Option<Identity>,
    /// Where introductions go.
    pub(super) introductions: mpsc::Sender<ArtiIntroduction>,
}

/// A service's identity key, in memory only.
pub(super) struct Identity(ed25519::Keypair);

impl Identity {
    /// A new one.
    pub(super) fn generate() -> Self {
        Self(ed25519::Keypair::generate(&mut CautiousRng))
    }

    fn keypair(&self) -> HsIdKeypair {
        ed25519::ExpandedKeypair::from(&self.0).into()
    }
}

/// Arti at work. Dropping it ends everything it does, soon; [`Run::end`] waits for that.
pub(super) struct Run {
    pub(super) client: Client,
    pub(super) service: Arc<RunningOnionService>,
    pub(super) address: OnionAddress,
    private: bool,
    traffic: Arc<Traffic>,
    guests: Arc<()>,
    tasks: OwnTasks,
}

/// Why the room may not be reachable any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Arti reports that something was lost.
    Reported,
    /// Nothing comes from the network.
    Silence,
}

/// Tasks that end when this is dropped.
struct OwnTasks(Tasks);

impl Run {
    /// Starts Arti and launches the service. Nothing waits for the network; [`Run::bootstrap`] does.
    ///
    /// # Errors
    /// When Arti cannot start: its directories, a key it cannot read.
    pub(super) fn start(plan: &Plan) -> Result<Self, TorError> {
        // Whoever was first has installed it; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tasks = OwnTasks(Tasks::here());
        let traffic = Traffic::new();
        let client = TorClient::with_runtime(observed(&tasks.0, Arc::clone(&traffic)))
            .config(configuration::client(&plan.storage, plan.network.as_ref())?)
            // Without it the service could not be launched before the bootstrap is done.
            .bootstrap_behavior(BootstrapBehavior::OnDemand)
            .create_unbootstrapped()
            .map_err(|error| start("its client did not start", &error))?;
        if let Err(error) = plan.storage.forget_introduction_points(configuration::NICKNAME) {
            tracing::debug!(%error, "the old introduction points are used again");
        }
        let config = configuration::service()?;
        let (service, requests) = match &plan.identity {
            None => client.launch_onion_service(config).map(|launched| launched.map(boxed)),
            Some(identity) => client
                .launch_onion_service_with_hsid(config, identity.keypair())
                .map(|launched| launched.map(boxed)),
        }
        .map_err(|error| start("the onion service did not start", &error))?
        .ok_or_else(|| start("the onion service did not start", &"it is disabled"))?;
        let identity = service
            .onion_address()
            .ok_or_else(|| start("the onion service did not start", &"its key cannot be found"))?;
        let guests = Arc::new(());
        tasks.0.spawn(hand_on(requests, plan.introductions.clone(), Arc::clone(&guests)));
        let (address, private) = (OnionAddress::new(identity), plan.network.is_some());
        Ok(Self { client, service, address, private, traffic, guests, tasks })
    }

    /// Starts to connect and to download the directory. The task ends when the client can be used, or when
    /// Arti gives up, with a sentence why.
    pub(super) fn bootstrap(&self) -> AbortOnDropHandle<Result<(), String>> {
        let client = Arc::clone(&self.client);
        let bootstrap = async move { client.bootstrap().await.map_err(|error| error.to_string()) };
        AbortOnDropHandle::new(tokio::spawn(bootstrap))
    }

    /// Visits the room through Tor, see [`self_check::visit`].
    pub(super) async fn visit(&self, port: u16) -> Result<Duration, SelfCheckError> {
        let visit = self_check::visit(Arc::clone(&self.client), self.address.clone(), port);
        match AbortOnDropHandle::new(tokio::spawn(visit)).await {
            Ok(outcome) => outcome,
            Err(broken) => Err(std::io::Error::other(broken).into()),
        }
    }

    /// Waits for a reason to doubt that the room can be reached: Arti says that introduction points or the
    /// descriptor are in a worse state than before, or no relay has sent anything for as long as `silence`.
    pub(super) async fn doubt(&self, silence: Duration) -> Doubt {
        tokio::select! {
            () = self.worse() => Doubt::Reported,
            () = self.silent(silence) => Doubt::Silence,
        }
    }

    async fn worse(&self) {
        let mut events = self.service.status_events();
        let mut before = self.service.status().state();
        while let Some(event) = events.next().await {
            let now = event.state();
            if now != before && matches!(now, State::Recovering | State::Broken) {
                return;
            }
            before = now;
        }
    }

    async fn silent(&self, limit: Duration) {
        loop {
            let left = limit.saturating_sub(self.traffic.silence());
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }

    /// What can be told about how the run gets on.
    pub(super) fn evidence(&self) -> Evidence {
        let status = self.client.bootstrap_status();
        let estimate = self.client.circmgr().ok().and_then(|circuits| circuits.skew_events().get());
        Evidence {
            fraction: status.as_frac(),
            blockage: status.blocked().map(|blockage| blockage.kind()),
            clock: estimate.filter(|skew| skew.noteworthy()).map_or(ClockSkew::None, |skew| skew.skew()),
            heard: self.traffic.heard(),
            private: self.private,
        }
    }

    /// What comes from the relays.
    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Whether anybody waits to be met or has a stream open.
    pub(super) fn has_guests(&self) -> bool {
        Arc::strong_count(&self.guests) > OWN_GUESTS
    }

    /// Ends it, and waits until it has ended and its locks are given back, but no longer than two seconds.
    pub(super) async fn end(self) {
        let Self { client, service, tasks, .. } = self;
        drop((client, service));
        if timeout(END, tasks.0.take().shutdown()).await.is_err() {
            tracing::debug!("the end of Arti's tasks was not seen");
        }
    }
}

impl Drop for OwnTasks {
    fn drop(&mut self) {
        self.0.take().abort_all();
    }
}

type Requests = std::pin::Pin<Box<dyn Stream<Item = RendRequest> + Send>>;

/// The two ways to launch give streams of two types.
fn boxed(
    (service, requests): (Arc<RunningOnionService>, impl Stream<Item = RendRequest> + Send + 'static),
) -> (Arc<RunningOnionService>, Requests) {
    (service, Box::pin(requests))
}

/// Brings introductions to the accept loop. When that does not keep up they are dropped here, where it costs
/// least; the clients try again.
async fn hand_on(mut requests: Requests, introductions: mpsc::Sender<ArtiIntroduction>, guests: Arc<()>) {
    while let Some(request) = requests.next().await {
        match introductions.try_send(ArtiIntroduction::new(request, &guests)) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                tracing::debug!("an introduction was dropped: too many are waiting");
            }
            Err(mpsc::error::TrySendError::Closed(_)) => return,
        }
    }
}

fn start(what: &str, cause: &dyn std::fmt::Display) -> TorError {
    TorError::Start {
        reason: format!("{what} ({cause})"),
        advice: "If it stays, look at --log debug, and check the data directory.",
    }
}
