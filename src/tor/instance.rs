//! One instance of Arti: a client of the Tor network with the room's onion service on it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arti_client::KeystoreSelector;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use tor_config::Reconfigure;
use tor_hsservice::status::State;
use tor_hsservice::{RendRequest, RunningOnionService};
use tor_proto::ClockSkew;

use super::activity::Activity;
use super::address::OnionAddress;
use super::client::{self, Client};
use super::configuration::{self, OWN_CLIENT};
use super::diagnosis::Diagnostics;
use super::error::TorError;
use super::guests::Guests;
use super::launch_config::LaunchConfig;
use super::rendezvous::ArtiIntroduction;
use super::replacement::Observation;
use super::self_check::{self, SelfCheckError};
use super::tasks::Tasks;
use crate::invitations::Access;

/// How long [`ArtiInstance::shutdown`] waits for Arti's tasks before it abandons them.
pub(super) const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// Arti at work. Dropping it aborts all its tasks; [`ArtiInstance::shutdown`] also waits for them.
pub(super) struct ArtiInstance {
    pub(super) client: Client,
    pub(super) service: Arc<RunningOnionService>,
    pub(super) address: OnionAddress,
    /// Who could find the room when the instance was started.
    pub(super) admitted: Access,
    private: bool,
    activity: Arc<Activity>,
    guests: Arc<Guests>,
    tasks: AbortOnDropTasks,
}

/// Why the room may not be reachable any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecheckReason {
    /// Arti reports that the service's state got worse.
    Reported,
    /// No relay has sent anything for a time.
    Idle,
}

/// Tasks that are aborted when this is dropped.
struct AbortOnDropTasks(Tasks);

impl ArtiInstance {
    /// Starts Arti and launches the service. Nothing waits for the network; [`ArtiInstance::bootstrap`] does.
    ///
    /// # Errors
    /// When Arti cannot start: its directories, a key it cannot read.
    pub(super) fn start(config: &LaunchConfig) -> Result<Self, TorError> {
        let tasks = Tasks::start(config.threads)
            .map_err(|error| TorError::start("its threads did not start", &error))?;
        let tasks = AbortOnDropTasks(tasks);
        let activity = Activity::new();
        let client = client::create(config, &tasks.0, Arc::clone(&activity))?;
        if let Err(error) = config.storage.forget_introduction_points(configuration::NICKNAME) {
            tracing::debug!(%error, "the old introduction points are used again");
        }
        let admitted = config.access.borrow().clone();
        let service_config =
            configuration::service(&config.options, &admitted, (OWN_CLIENT[0], config.own_key.public()))?;
        let failed = "the onion service did not start";
        let (service, requests) = match &config.keypair {
            None => client.launch_onion_service(service_config).map(|launched| launched.map(boxed)),
            Some(keypair) => client
                .launch_onion_service_with_hsid(service_config, keypair.expanded())
                .map(|launched| launched.map(boxed)),
        }
        .map_err(|error| TorError::start(failed, &error))?
        .ok_or_else(|| TorError::start(failed, &"it is disabled"))?;
        let identity =
            service.onion_address().ok_or_else(|| TorError::start(failed, &"its key cannot be found"))?;
        // The keystore of a data directory still has the key of an instance before.
        let renewed =
            client.remove_service_discovery_key(KeystoreSelector::Primary, identity).and_then(|_| {
                let key = admitted.is_private().then(|| config.own_key.secret());
                key.map(|key| client.insert_service_discovery_key(KeystoreSelector::Primary, identity, key))
                    .transpose()
            });
        renewed.map_err(|error| TorError::start("the key of its own client cannot be kept", &error))?;
        let guests = Guests::new();
        tasks.0.spawn(forward_introductions(requests, config.introductions.clone(), Arc::clone(&guests)));
        let (address, private) = (OnionAddress::new(identity), config.network.is_some());
        Ok(Self { client, service, address, admitted, private, activity, guests, tasks })
    }

    /// Publishes the service for those who may find it now. The circuits that there are stay, and the introduction points.
    /// Arti publishes at most once a minute. What differs from the last in `turn` alone is published as well.
    ///
    /// # Errors
    /// When Arti refuses; nothing is changed then.
    pub(super) fn admit(&self, config: &LaunchConfig, access: &Access, turn: bool) -> Result<(), TorError> {
        let own = (OWN_CLIENT[usize::from(turn)], config.own_key.public());
        let service = configuration::service(&config.options, access, own)?;
        let done = self.service.reconfigure(service, Reconfigure::AllOrNothing);
        done.map_err(|error| TorError::start("the onion service was not changed", &error))
    }

    /// Starts to connect and to download the directory. The task ends when the client can be used, or when
    /// Arti gives up, with a sentence why.
    pub(super) fn bootstrap(&self) -> AbortOnDropHandle<Result<(), String>> {
        let client = Arc::clone(&self.client);
        let bootstrap = async move { client.bootstrap().await.map_err(|error| error.to_string()) };
        AbortOnDropHandle::new(self.tasks.0.handle().spawn(bootstrap))
    }

    /// Connects to the room through Tor, see [`self_check::connect`].
    ///
    /// # Errors
    /// When the room is not reached within 30 seconds.
    pub(super) async fn self_check(&self, port: u16) -> Result<Duration, SelfCheckError> {
        let check = self_check::connect(Arc::clone(&self.client), self.address.clone(), port);
        match AbortOnDropHandle::new(self.tasks.0.handle().spawn(check)).await {
            Ok(outcome) => outcome,
            Err(broken) => Err(std::io::Error::other(broken).into()),
        }
    }

    /// Waits for a reason to check again whether the room can be reached: Arti reports that introduction points
    /// or the descriptor are in a worse state than before, or no relay has sent anything for `idle_limit`.
    pub(super) async fn recheck_reason(&self, idle_limit: Duration) -> RecheckReason {
        tokio::select! {
            () = self.state_worsened() => RecheckReason::Reported,
            () = self.idle_for(idle_limit) => RecheckReason::Idle,
        }
    }

    async fn state_worsened(&self) {
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

    async fn idle_for(&self, limit: Duration) {
        loop {
            let left = limit.saturating_sub(self.activity.idle());
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }

    /// What is known about the progress of this instance.
    pub(super) fn diagnostics(&self) -> Diagnostics {
        let status = self.client.bootstrap_status();
        let estimate = self.client.circmgr().ok().and_then(|circuits| circuits.skew_events().get());
        Diagnostics {
            fraction: status.as_frac(),
            blockage: status.blocked().map(|blockage| blockage.kind()),
            clock: estimate.filter(|skew| skew.noteworthy()).map_or(ClockSkew::None, |skew| skew.skew()),
            any_received: self.activity.any_received(),
            private: self.private,
        }
    }

    /// When relays sent something.
    pub(super) fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Whether guests are connected, see [`Guests::connected`].
    pub(super) fn has_guests(&self) -> bool {
        self.guests.connected()
    }

    /// What decides whether the instance is replaced.
    pub(super) fn observe(&self) -> Observation {
        Observation { idle: self.activity.idle(), guests: self.has_guests() }
    }

    /// Ends the instance and waits until its tasks have ended and its locks are released, but no longer than two
    /// seconds.
    pub(super) async fn shutdown(self) {
        let Self { client, service, tasks, .. } = self;
        drop((client, service));
        if timeout(SHUTDOWN_TIMEOUT, tasks.0.close().shutdown()).await.is_err() {
            tracing::debug!("the end of Arti's tasks was not seen");
        }
    }
}

impl Drop for AbortOnDropTasks {
    fn drop(&mut self) {
        self.0.close().abort_all();
    }
}

type Requests = Pin<Box<dyn Stream<Item = RendRequest> + Send>>;

/// Gives the streams of the two ways to launch one type.
fn boxed(
    (service, requests): (Arc<RunningOnionService>, impl Stream<Item = RendRequest> + Send + 'static),
) -> (Arc<RunningOnionService>, Requests) {
    (service, Box::pin(requests))
}

/// Sends introductions to the accept loop, one when it can take one. The others wait in Arti, where those with most
/// proof of work go first; when too many wait, those with least are dropped there, and the newest of equals.
async fn forward_introductions(
    mut requests: Requests,
    introductions: mpsc::Sender<ArtiIntroduction>,
    guests: Arc<Guests>,
) {
    while let Ok(place) = introductions.reserve().await {
        let Some(request) = requests.next().await else { return };
        place.send(ArtiIntroduction::new(request, &guests));
    }
}
