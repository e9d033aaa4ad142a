//! Supervises the service: brings it from launch to reachable, and back there when it is lost.
//!
//! Arti retries most things by itself, with delays meant for interactive clients: a fallback directory that refused is
//! not tried again for at least 150 seconds, longer each time, and neither are guards. A room should be reachable
//! again soon after its network is. So an instance of Arti that makes no progress is replaced by a new one with the
//! same key and state, which tries at once.
//!
//! It is also replaced when circuits are to be closed because of who may find the room: the introduction points that
//! a client knows answer it for as long as they exist, and Arti gives them up only with the whole service.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tor_hsservice::status::{OnionServiceStatus, State};

use super::admission::admit;
use super::backoff::{Backoff, jittered};
use super::diagnosis::{self, CONNECTED_FRACTION};
use super::instance::{ArtiInstance, RecheckReason};
use super::launch_config::LaunchConfig;
use super::replacement::ReplaceTimeouts;
use super::status::{Problem, Stage, Status};

/// How long an instance may receive nothing from any relay before it is replaced: the first delay and the limit.
const NO_RELAY_TIMEOUT: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(30));

/// How long a bootstrap that has reached a relay may stall before the instance is replaced.
const BOOTSTRAP_STALL_TIMEOUT: Duration = Duration::from_secs(120);

/// The longest wait between the bootstrap and the first self-check. Arti's own report of "published" may never come:
/// in a small network it counts too few directories, although guests can connect.
const FIRST_SELF_CHECK: Duration = Duration::from_secs(5);

/// How long self-checks may fail before that is reported.
const SELF_CHECK_GRACE: Duration = Duration::from_secs(10);

/// How long self-checks may fail before the instance is replaced, although relays send something, while there are no
/// guests: the first delay and the limit. On a slow network it may just take long, so it is longer each time. While
/// there are guests it is not replaced, see [`super::replacement`].
const UNREACHABLE_TIMEOUT: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(600));

/// The pause between self-checks that fail: the first, and the longest, with guests and without.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(20);
const RETRY_WITH_GUESTS_MAX: Duration = Duration::from_secs(120);

/// The interval between self-checks of a reachable room, before jitter.
const SELF_CHECK_INTERVAL: Duration = Duration::from_secs(480);

/// The delay between Arti's report of a loss and the next self-check: often Arti has recovered by then.
const AFTER_REPORT: Duration = Duration::from_secs(2);

/// How long no relay may send anything before a self-check is made. Padding comes every few seconds
/// ([padding-spec](https://spec.torproject.org/padding-spec/connection-level-padding.html)).
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// [`Status::fraction`] when the bootstrap is done.
const BOOTSTRAPPED_FRACTION: f32 = 0.6;

/// [`Status::fraction`] before the first self-check that succeeds.
const SELF_CHECK_FRACTION: f32 = 0.9;

/// Runs one instance of Arti after the other.
pub(super) struct Supervisor {
    config: Arc<LaunchConfig>,
    port: u16,
    status: watch::Sender<Status>,
    end: CancellationToken,
    launched: Instant,
    /// [`Status::fraction`] when the problem was reported; the report stays until the service gets further.
    problem_at: f32,
    no_relay: Backoff,
    unreachable: Backoff,
}

/// The instance makes no progress and is to be replaced.
struct Stalled;

impl Supervisor {
    /// `port` is the one of the onion address; `end` ends [`Supervisor::run`].
    pub(super) fn new(
        config: LaunchConfig,
        port: u16,
        status: watch::Sender<Status>,
        end: CancellationToken,
    ) -> Self {
        Self {
            config: Arc::new(config),
            port,
            status,
            end,
            launched: Instant::now(),
            problem_at: 0.0,
            no_relay: Backoff::new(NO_RELAY_TIMEOUT.0, NO_RELAY_TIMEOUT.1),
            unreachable: Backoff::new(UNREACHABLE_TIMEOUT.0, UNREACHABLE_TIMEOUT.1),
        }
    }

    /// Supervises `instance`, and those that replace it, until `end` is cancelled.
    pub(super) async fn run(mut self, mut instance: ArtiInstance) {
        let end = self.end.clone();
        let config = Arc::clone(&self.config);
        loop {
            tokio::select! {
                () = end.cancelled() => return instance.shutdown().await,
                () = admit(&instance, &config) => {
                    tracing::info!("Circuits are closed and introduction points changed; guests come back by themselves.");
                }
                Stalled = self.run_until_stalled(&instance) => {
                    tracing::debug!("Tor does not get on; it is started anew");
                }
            }
            instance.shutdown().await;
            match end.run_until_cancelled(self.restart()).await {
                Some(next) => instance = next,
                None => return,
            }
        }
    }

    async fn restart(&self) -> ArtiInstance {
        let mut backoff = Backoff::new(Duration::from_secs(1), NO_RELAY_TIMEOUT.1);
        loop {
            match ArtiInstance::start(&self.config) {
                Ok(instance) => return instance,
                Err(error) => {
                    let problem = diagnosis::restart_failed(&error.to_string());
                    self.status.send_modify(|status| status.problem = Some(problem));
                }
            }
            sleep(backoff.next()).await;
        }
    }

    async fn run_until_stalled(&mut self, instance: &ArtiInstance) -> Stalled {
        if let Err(stalled) = self.bootstrap(instance).await {
            return stalled;
        }
        self.wait_until_published(instance).await;
        self.keep_reachable(instance).await
    }

    async fn bootstrap(&mut self, instance: &ArtiInstance) -> Result<(), Stalled> {
        let no_relay_timeout = self.no_relay.next();
        let mut events = instance.client.bootstrap_events();
        let mut ticks = interval(Duration::from_secs(1));
        let mut bootstrap = instance.bootstrap();
        let mut failed = false;
        let (mut best, mut moved) = (0.0, Instant::now());
        loop {
            tokio::select! {
                done = &mut bootstrap, if !failed => match done {
                    Ok(Ok(())) => break,
                    Ok(Err(reason)) => {
                        tracing::debug!(reason, "Arti gave up its bootstrap");
                        failed = true;
                    }
                    Err(error) => {
                        tracing::debug!(%error, "Arti's bootstrap broke off");
                        failed = true;
                    }
                },
                Some(_) = events.next() => {}
                _ = ticks.tick() => {}
            }
            let diagnostics = instance.diagnostics();
            if diagnostics.fraction > best {
                (best, moved) = (diagnostics.fraction, Instant::now());
                self.report_progress(instance, bootstrap_stage(best), BOOTSTRAPPED_FRACTION * best);
            }
            let stalled = moved.elapsed();
            if let Some(problem) = diagnostics.bootstrap_problem(stalled) {
                self.report_problem(problem, BOOTSTRAPPED_FRACTION * best);
            }
            let connected = best >= CONNECTED_FRACTION && diagnostics.any_received;
            let limit = if connected && !failed { BOOTSTRAP_STALL_TIMEOUT } else { no_relay_timeout };
            if stalled > limit {
                return Err(Stalled);
            }
        }
        let took = self.launched.elapsed();
        self.report_progress(instance, Stage::Circuits, BOOTSTRAPPED_FRACTION);
        self.status.send_modify(|status| status.bootstrap_took = status.bootstrap_took.or(Some(took)));
        Ok(())
    }

    /// Waits until Arti reports that the descriptor is published, at most [`FIRST_SELF_CHECK`].
    async fn wait_until_published(&self, instance: &ArtiInstance) {
        let deadline = Instant::now() + FIRST_SELF_CHECK;
        let mut events = instance.service.status_events();
        let mut stage = Stage::Circuits;
        while let Ok(Some(event)) = timeout_at(deadline, events.next()).await {
            tracing::debug!(state = ?event.state(), "the onion service reports");
            stage = stage.max(match event.state() {
                State::Running | State::DegradedReachable | State::DegradedUnreachable => return,
                State::Bootstrapping if has_introduction_points(&event) => Stage::Descriptor,
                State::Bootstrapping | State::Recovering => Stage::IntroductionPoints,
                _ => Stage::Circuits,
            });
            let fraction = match stage {
                Stage::Descriptor => 0.8,
                Stage::IntroductionPoints => 0.7,
                _ => BOOTSTRAPPED_FRACTION,
            };
            self.report_progress(instance, stage, fraction);
        }
    }

    /// Checks until the room is reached, and again after each interval or [`RecheckReason`].
    async fn keep_reachable(&mut self, instance: &ArtiInstance) -> Stalled {
        let mut idle_limit = IDLE_LIMIT;
        self.report_progress(instance, Stage::SelfCheck, SELF_CHECK_FRACTION);
        loop {
            let limits =
                ReplaceTimeouts { no_relay: self.no_relay.next(), unreachable: self.unreachable.next() };
            let took = tokio::select! {
                took = self.wait_until_reached(instance) => took,
                () = limits.expired(|| instance.observe()) => return Stalled,
            };
            self.report_reachable(instance, took);
            match timeout(jittered(SELF_CHECK_INTERVAL), instance.recheck_reason(idle_limit)).await {
                // If the room then turns out to be reachable, such pauses are usual on this network.
                Ok(RecheckReason::Idle) => idle_limit *= 2,
                Ok(RecheckReason::Reported) => sleep(AFTER_REPORT).await,
                Err(_) => {}
            }
        }
    }

    /// Checks until the room is reached, and returns how long the last check took.
    async fn wait_until_reached(&mut self, instance: &ArtiInstance) -> Duration {
        let reached = self_check_until_success(instance, self.port);
        tokio::pin!(reached);
        loop {
            match timeout(SELF_CHECK_GRACE, &mut reached).await {
                Ok(took) => return took,
                Err(_) => self.report_unreachable(instance),
            }
        }
    }

    fn report_progress(&self, instance: &ArtiInstance, stage: Stage, fraction: f32) {
        // With a directory from the cache Arti gets as far as a self-check without any relay having answered.
        let connected = instance.activity().any_received();
        self.status.send_modify(|status| {
            (status.stage, status.fraction) =
                if connected { (stage, fraction) } else { (Stage::Connecting, 0.0) };
            if connected && fraction > self.problem_at {
                status.problem = None;
            }
        });
    }

    fn report_reachable(&mut self, instance: &ArtiInstance, took: Duration) {
        self.problem_at = 0.0;
        // The time first: watchers read it when the stage changes.
        self.status.send_modify(|status| status.self_check_took = Some(took));
        self.report_progress(instance, Stage::Reachable, 1.0);
        self.no_relay.reset();
        self.unreachable.reset();
    }

    fn report_unreachable(&mut self, instance: &ArtiInstance) {
        if self.status.borrow().stage == Stage::Reachable {
            self.report_progress(instance, Stage::SelfCheck, SELF_CHECK_FRACTION);
        }
        let idle = instance.activity().idle() >= SELF_CHECK_GRACE;
        let problem = instance.diagnostics().self_check_problem(idle, instance.has_guests());
        self.report_problem(problem, SELF_CHECK_FRACTION);
    }

    fn report_problem(&mut self, problem: Problem, fraction: f32) {
        self.problem_at = self.problem_at.max(fraction);
        self.status.send_if_modified(|status| {
            let new = status.problem.as_ref() != Some(&problem);
            status.problem = Some(problem);
            new
        });
    }
}

/// Checks again and again, and returns how long the first success took.
async fn self_check_until_success(instance: &ArtiInstance, port: u16) -> Duration {
    let mut backoff = Backoff::new(RETRY, RETRY_WITH_GUESTS_MAX);
    loop {
        match instance.self_check(port).await {
            Ok(took) => return took,
            Err(error) => tracing::debug!(%error, "the room does not reach itself"),
        }
        let pause = backoff.next();
        sleep(if instance.has_guests() { pause } else { pause.min(RETRY_MAX) }).await;
    }
}

/// Whether the introduction points are established. Arti shows the state of the service's parts only in `Debug`
/// output; only the displayed stage depends on it.
fn has_introduction_points(status: &OnionServiceStatus) -> bool {
    let parts = format!("{status:?}");
    let manager = parts.split("publisher").next().unwrap_or_default();
    manager.contains("state: Running") || manager.contains("state: DegradedReachable")
}

fn bootstrap_stage(fraction: f32) -> Stage {
    if fraction < CONNECTED_FRACTION { Stage::Connecting } else { Stage::Directory }
}
