//! Follows the service from its launch to its being reachable, and back there whenever that is lost.
//!
//! Arti retries most things by itself, with delays that suit a client somebody is looking at: a first relay
//! that refused is left alone for at least 150 seconds, longer each time, and so are guards. A room should be
//! back soon after its network is. So when a run of Arti does not get on it is replaced by a new one, with the
//! same key and state, which tries at once.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tor_hsservice::status::{OnionServiceStatus, State};

use super::backoff::{Backoff, jittered};
use super::run::{Doubt, Plan, Run};
use super::trouble::{self, CONNECTED};
use super::{Stage, Status, Trouble};

/// How long a run that hears nothing from any relay is given, at first and at most.
const NO_RELAY: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(30));

/// How long a bootstrap that has reached a relay may stand still before the run is replaced.
const STANDSTILL: Duration = Duration::from_secs(120);

/// When the first visit is made at the latest, after the bootstrap. Arti's own word for "published" may never
/// come: in a small network it stays dissatisfied although guests get through.
const FIRST_VISIT: Duration = Duration::from_secs(5);

/// How long visits may fail before that is called trouble.
const VISITS_FAIL: Duration = Duration::from_secs(10);

/// How long visits may fail before the run is replaced, although relays are heard and if nobody is there, at
/// first and at most. On a slow network it may just take long, so it is longer each time.
const UNREACHABLE: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(600));

/// The same if somebody is there: the circuits that are up may outlive the trouble, and a new run ends them.
const UNREACHABLE_WITH_GUESTS: Duration = Duration::from_secs(900);

/// How often a room that was reachable visits itself again, give or take.
const REVISIT: Duration = Duration::from_secs(480);

/// How long after Arti has reported a loss the next visit is made: often it has made up for it by then.
const AFTER_REPORT: Duration = Duration::from_secs(2);

/// How long no relay may send anything before the room visits itself to be sure. Padding comes every few
/// seconds ([padding-spec](https://spec.torproject.org/padding-spec/connection-level-padding.html)).
const SILENCE: Duration = Duration::from_secs(30);

/// The bootstrap's share of the whole way.
const BOOTSTRAP: f32 = 0.6;

/// What is done of the whole way before the first visit that succeeds.
const UNREACHED: f32 = 0.9;

/// Watches one run after the other.
pub(super) struct Supervisor {
    plan: Plan,
    port: u16,
    status: watch::Sender<Status>,
    end: CancellationToken,
    launched: Instant,
    /// How far the service had come, as a fraction of the whole way, when something was in its way: what is
    /// said about that holds until it comes further.
    stuck_at: f32,
    no_relay: Backoff,
    unreachable: Backoff,
}

/// A run does not get on.
struct Stuck;

impl Supervisor {
    pub(super) fn new(plan: Plan, port: u16, status: watch::Sender<Status>, end: CancellationToken) -> Self {
        Self {
            plan,
            port,
            status,
            end,
            launched: Instant::now(),
            stuck_at: 0.0,
            no_relay: Backoff::new(NO_RELAY.0, NO_RELAY.1),
            unreachable: Backoff::new(UNREACHABLE.0, UNREACHABLE.1),
        }
    }

    /// Follows `run`, and those that replace it, until the end is asked for.
    pub(super) async fn supervise(mut self, mut run: Run) {
        let end = self.end.clone();
        loop {
            let Some(Stuck) = end.run_until_cancelled(self.follow(&run)).await else {
                return run.end().await;
            };
            tracing::debug!("Tor does not get on; it is started anew");
            run.end().await;
            match end.run_until_cancelled(self.start_anew()).await {
                Some(next) => run = next,
                None => return,
            }
        }
    }

    async fn start_anew(&self) -> Run {
        let mut backoff = Backoff::new(Duration::from_secs(1), NO_RELAY.1);
        loop {
            match Run::start(&self.plan) {
                Ok(run) => return run,
                Err(error) => {
                    let trouble = trouble::of_restart(&error.to_string());
                    self.status.send_modify(|status| status.trouble = Some(trouble));
                }
            }
            sleep(backoff.next()).await;
        }
    }

    async fn follow(&mut self, run: &Run) -> Stuck {
        if let Err(stuck) = self.bootstrap(run).await {
            return stuck;
        }
        self.publish(run).await;
        self.stay_reachable(run).await
    }

    async fn bootstrap(&mut self, run: &Run) -> Result<(), Stuck> {
        let patience = self.no_relay.next();
        let mut events = run.client.bootstrap_events();
        let mut ticks = interval(Duration::from_secs(1));
        let mut bootstrap = run.bootstrap();
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
            let evidence = run.evidence();
            if evidence.fraction > best {
                (best, moved) = (evidence.fraction, Instant::now());
                self.progress(run, bootstrap_stage(best), BOOTSTRAP * best);
            }
            let stalled = moved.elapsed();
            if let Some(trouble) = evidence.of_bootstrap(stalled) {
                self.trouble(trouble, BOOTSTRAP * best);
            }
            let connected = best >= CONNECTED && evidence.heard;
            if stalled > if connected && !failed { STANDSTILL } else { patience } {
                return Err(Stuck);
            }
        }
        let took = self.launched.elapsed();
        self.progress(run, Stage::Circuits, BOOTSTRAP);
        self.status.send_modify(|status| status.bootstrap_took = status.bootstrap_took.or(Some(took)));
        Ok(())
    }

    /// Waits until the service says that it has published something, but not for long.
    async fn publish(&self, run: &Run) {
        let deadline = Instant::now() + FIRST_VISIT;
        let mut events = run.service.status_events();
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
                _ => BOOTSTRAP,
            };
            self.progress(run, stage, fraction);
        }
    }

    /// Visits the room until it is reached, and again whenever there is reason to.
    async fn stay_reachable(&mut self, run: &Run) -> Stuck {
        let mut silence = SILENCE;
        self.progress(run, Stage::SelfCheck, UNREACHED);
        loop {
            let patience = Patience { no_relay: self.no_relay.next(), unreachable: self.unreachable.next() };
            let took = tokio::select! {
                took = self.reach(run) => took,
                () = patience.ends(run) => return Stuck,
            };
            self.reached(run, took);
            match timeout(jittered(REVISIT), run.doubt(silence)).await {
                // If it turns out that the room was reachable, silence is usual here.
                Ok(Doubt::Silence) => silence *= 2,
                Ok(Doubt::Reported) => sleep(AFTER_REPORT).await,
                Err(_) => {}
            }
        }
    }

    /// Visits the room until it is reached, and tells how long that visit took.
    async fn reach(&mut self, run: &Run) -> Duration {
        let visits = visits(run, self.port);
        tokio::pin!(visits);
        loop {
            match timeout(VISITS_FAIL, &mut visits).await {
                Ok(took) => return took,
                Err(_) => self.lose(run),
            }
        }
    }

    /// A step forward.
    fn progress(&self, run: &Run, stage: Stage, fraction: f32) {
        // A directory from the cache takes Arti as far as a visit, with nobody at the other end yet.
        let heard = run.traffic().heard();
        self.status.send_modify(|status| {
            (status.stage, status.fraction) =
                if heard { (stage, fraction) } else { (Stage::Connecting, 0.0) };
            if heard && fraction > self.stuck_at {
                status.trouble = None;
            }
        });
    }

    fn reached(&mut self, run: &Run, took: Duration) {
        self.stuck_at = 0.0;
        // First the time: whoever watches reads it when the stage changes.
        self.status.send_modify(|status| status.self_check_took = Some(took));
        self.progress(run, Stage::Reachable, 1.0);
        self.no_relay.reset();
        self.unreachable.reset();
    }

    fn lose(&mut self, run: &Run) {
        if self.status.borrow().stage == Stage::Reachable {
            self.progress(run, Stage::SelfCheck, UNREACHED);
        }
        let silent = run.traffic().silence() >= VISITS_FAIL;
        self.trouble(run.evidence().of_visits(silent), UNREACHED);
    }

    fn trouble(&mut self, trouble: Trouble, fraction: f32) {
        self.stuck_at = self.stuck_at.max(fraction);
        self.status.send_if_modified(|status| {
            let new = status.trouble.as_ref() != Some(&trouble);
            status.trouble = Some(trouble);
            new
        });
    }
}

/// Visits until one succeeds, and tells how long that took.
async fn visits(run: &Run, port: u16) -> Duration {
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(20));
    loop {
        match run.visit(port).await {
            Ok(took) => return took,
            Err(error) => tracing::debug!(%error, "the room does not reach itself"),
        }
        sleep(backoff.next()).await;
    }
}

/// How long a run may fail to reach the room.
struct Patience {
    /// If no relay is heard.
    no_relay: Duration,
    /// Even if relays are heard.
    unreachable: Duration,
}

impl Patience {
    /// Returns when it is over.
    async fn ends(&self, run: &Run) {
        let began = Instant::now();
        loop {
            sleep(Duration::from_secs(1)).await;
            let limit = if run.traffic().silence() > self.no_relay {
                self.no_relay
            } else if run.has_guests() {
                UNREACHABLE_WITH_GUESTS
            } else {
                self.unreachable
            };
            if began.elapsed() > limit {
                return;
            }
        }
    }
}

/// Whether the service is done with its introduction points, while it is not done altogether. Arti tells that
/// of its parts only in `Debug`; nothing but the words of the progress depends on it.
fn has_introduction_points(status: &OnionServiceStatus) -> bool {
    let parts = format!("{status:?}");
    let manager = parts.split("publisher").next().unwrap_or_default();
    manager.contains("state: Running") || manager.contains("state: DegradedReachable")
}

fn bootstrap_stage(fraction: f32) -> Stage {
    if fraction < CONNECTED { Stage::Connecting } else { Stage::Directory }
}
