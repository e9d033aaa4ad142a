//! Follows the service from its launch to its being reachable, and back there whenever that is lost.
//!
//! Arti retries most things by itself, with delays that suit a client somebody is looking at: a first relay
//! that refused is left alone for at least 150 seconds, longer each time, and so are guards. A room should be
//! back soon after its network is. So when a run of Arti does not get on it is replaced by a new one, with the
//! same key and state, which tries at once.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tor_hsservice::status::State;

use super::backoff::{Backoff, jittered};
use super::run::{Plan, Run};
use super::{Stage, Status, trouble};

/// How long a run that has not reached a single relay is given, at first and at most.
const NO_RELAY: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(30));

/// How long a run that has reached a relay may stand still before it is replaced.
const STANDSTILL: Duration = Duration::from_secs(120);

/// When the first visit is made at the latest, after the bootstrap. Arti's own word for "published" may never
/// come: in a small network it stays dissatisfied although guests get through.
const FIRST_VISIT: Duration = Duration::from_secs(5);

/// How long visits may fail before that is called trouble.
const VISITS_FAIL: Duration = Duration::from_secs(15);

/// How long visits may fail before the run is replaced, if nobody is there.
const UNREACHABLE: Duration = Duration::from_secs(90);

/// The same if somebody is: the circuits that are up may outlive the trouble, and a new run ends them.
const UNREACHABLE_WITH_GUESTS: Duration = Duration::from_secs(600);

/// How often a room that was reachable visits itself again, give or take.
const REVISIT: Duration = Duration::from_secs(480);

/// How long after a sign of trouble from Arti the next visit is made.
const REVISIT_SOON: Duration = Duration::from_secs(2);

/// Watches one run after the other.
pub(super) struct Supervisor {
    plan: Plan,
    port: u16,
    status: watch::Sender<Status>,
    end: CancellationToken,
    launched: Instant,
    no_relay: Backoff,
}

/// A run does not get on.
struct Stuck;

impl Supervisor {
    pub(super) fn new(plan: Plan, port: u16, status: watch::Sender<Status>, end: CancellationToken) -> Self {
        let no_relay = Backoff::new(NO_RELAY.0, NO_RELAY.1);
        Self { plan, port, status, end, launched: Instant::now(), no_relay }
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
        self.no_relay.reset();
        self.publish(run).await;
        self.visit(run).await
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
            let state = run.client.bootstrap_status();
            if state.as_frac() > best {
                (best, moved) = (state.as_frac(), Instant::now());
                self.progress(bootstrap_stage(best), 0.6 * best);
            }
            let stalled = moved.elapsed();
            if let Some(trouble) = trouble::of_bootstrap(&state, stalled, self.plan.network.is_some()) {
                self.trouble(trouble);
            }
            if stalled > if best > 0.0 && !failed { STANDSTILL } else { patience } {
                return Err(Stuck);
            }
        }
        let took = self.launched.elapsed();
        self.progress(Stage::Circuits, 0.6);
        self.status.send_modify(|status| status.bootstrap_took = status.bootstrap_took.or(Some(took)));
        Ok(())
    }

    /// Waits until the service says that it has published something, but not for long.
    async fn publish(&self, run: &Run) {
        let deadline = Instant::now() + FIRST_VISIT;
        let mut events = run.service.status_events();
        while let Ok(Some(event)) = timeout_at(deadline, events.next()).await {
            tracing::debug!(state = ?event.state(), "the onion service reports");
            match event.state() {
                State::Running | State::DegradedReachable | State::DegradedUnreachable => return,
                State::Recovering => self.progress(Stage::IntroductionPoints, 0.7),
                State::Bootstrapping => self.progress(Stage::Descriptor, 0.8),
                _ => {}
            }
        }
    }

    /// Visits the room again and again.
    async fn visit(&self, run: &Run) -> Stuck {
        let mut reachable = Instant::now();
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(20));
        self.progress(Stage::SelfCheck, 0.9);
        loop {
            match run.visit(self.port).await {
                Ok(took) => {
                    self.reached(took);
                    backoff.reset();
                    run.sign_of_trouble(jittered(REVISIT)).await;
                    sleep(REVISIT_SOON).await;
                    reachable = Instant::now();
                }
                Err(error) => {
                    tracing::debug!(%error, "the room does not reach itself");
                    let failing = reachable.elapsed();
                    if failing > VISITS_FAIL {
                        self.lost();
                    }
                    if failing > if run.has_guests() { UNREACHABLE_WITH_GUESTS } else { UNREACHABLE } {
                        return Stuck;
                    }
                    sleep(backoff.next()).await;
                }
            }
        }
    }

    fn progress(&self, stage: Stage, fraction: f32) {
        self.status.send_modify(|status| {
            *status = Status { stage, fraction, trouble: None, ..status.clone() };
        });
    }

    fn reached(&self, took: Duration) {
        self.status.send_modify(|status| {
            *status = Status {
                stage: Stage::Reachable,
                fraction: 1.0,
                trouble: None,
                self_check_took: Some(took),
                ..status.clone()
            };
        });
    }

    fn lost(&self) {
        self.status.send_if_modified(|status| {
            let changed = status.trouble.is_none();
            status.stage = Stage::SelfCheck;
            status.fraction = 0.9;
            status.trouble.get_or_insert_with(trouble::of_self_check);
            changed
        });
    }

    fn trouble(&self, trouble: super::Trouble) {
        self.status.send_if_modified(|status| {
            let changed = status.trouble.as_ref() != Some(&trouble);
            status.trouble = Some(trouble);
            changed
        });
    }
}

/// Arti's fraction is 0.15 for being connected and 0.85 for the directory.
fn bootstrap_stage(fraction: f32) -> Stage {
    if fraction < 0.15 { Stage::Connecting } else { Stage::Directory }
}
