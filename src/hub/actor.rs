//! The actor that decides a room's order.
//!
//! One task handles all commands. Messages are appended to the log first and published after, so no reader gets
//! a message that the log does not have. All commands that wait are handled together, in one append.

mod annotating;
mod announcing;
mod claims;
mod ending;
mod entering;
mod governing;
mod holding;
mod joining;
mod remote;
mod saying;
mod storing;
mod whispering;

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::admission::Admission;
use super::appends::{Appends, wait_until};
use super::budgets::{Budgets, RateLimits};
use super::claims::{Claims, next_claimed};
use super::clock::RoomClock;
use super::cluster::Cluster;
use super::command::{Command, Present, Shared, storage_unavailable};
use super::holding::Holding;
use super::house::House;
use super::nodes::{Nodes, next_events};
use super::notices::Notices;
use super::notifier::Notifier;
use super::pending::PendingAppend;
use super::presence::{OccupancyBounds, Presence};
use super::reserving::ReservationLimits;
use super::roster::Roster;
use super::roster::change::ClaimedName;
use super::speaker::Speaker;
use super::typing::TypingLimits;
use super::waiting::WaitingList;
use crate::config::{HistorySettings, RoomSettings};
use crate::log::{RoomIdentity, RoomState};
use crate::protocol::event::{Kept, RoomLine};
use crate::protocol::words::WordList;
use crate::protocol::{Act, GuestId, Identity, Policy};

/// The most commands that are handled together.
const BATCH: usize = 1024;

/// How often seats are checked for expiry.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);

/// How often the log is trimmed to the retention.
const TRIM_EVERY: Duration = Duration::from_secs(30);

/// The log as the room's task begins with it.
pub(super) struct FollowedLog {
    pub(super) identity: RoomIdentity,
    pub(super) state: RoomState,
    pub(super) appends: Appends,
    pub(super) cluster: Option<Arc<dyn Cluster>>,
}

/// The task that decides a room's order.
pub(super) struct RoomActor {
    shared: Arc<Shared>,
    roster: Roster,
    budgets: Budgets,
    presence: Presence,
    /// The shortest time between two announcements of the occupancy.
    occupancy_every: Duration,
    /// The title that the host wants, until the room has it.
    title: Option<String>,
    /// What follows from the log up to the newest published entry.
    state: RoomState,
    /// The part of the state that guests are told.
    policy: Arc<Policy>,
    admission: Admission,
    /// The words of the state, ready to be looked for.
    words: WordList,
    holding: Holding,
    waiting: WaitingList,
    typing: TypingLimits,
    reservation_limits: ReservationLimits,
    /// The guests whose use of a reserved name is being noted.
    uses: HashSet<GuestId>,
    /// The newest acts that the log has and that do not count: their authors are told so.
    refused: VecDeque<u64>,
    kept: Kept,
    identity: RoomIdentity,
    clock: RoomClock,
    /// Weak, so that the actor does not keep itself alive.
    seats: mpsc::WeakUnboundedSender<Command>,
    notifier: Notifier,
    appends: Appends,
    /// What is appended when one of the appends under way is answered: nothing while another one may be begun.
    backlog: PendingAppend,
    notices: Notices,
    nodes: Option<Nodes>,
    claims: Option<Claims>,
    /// The last trim of the log.
    trimming: Option<JoinHandle<Vec<u64>>>,
    /// Whether the room was removed.
    ended: bool,
    /// For how many seconds no guest has been in it.
    empty_for: u32,
    /// The rooms of the address that are listed, where there are several.
    rooms: Arc<[RoomLine]>,
}

impl RoomActor {
    pub(super) fn new(
        settings: &RoomSettings,
        history: &HistorySettings,
        log: FollowedLog,
        shared: Arc<Shared>,
        bounds: OccupancyBounds,
        seats: mpsc::WeakUnboundedSender<Command>,
        house: &House,
    ) -> Self {
        let FollowedLog { identity, state, appends, cluster } = log;
        let mut roster = Roster::new(settings.guests, settings.away);
        if cluster.is_some() {
            roster.share();
        }
        roster.set_cap(state.policy.cap);
        shared.entrance.set(&state.policy);
        roster.set_reserved(state.reserved.clone());
        let asked = seats.clone();
        let ask = move |circuit| {
            asked.upgrade().is_some_and(|room| room.send(Command::GiveUpSeat(circuit)).is_ok())
        };
        roster.be_in_house(house.seats.of_room(ask));
        Self {
            notifier: Notifier::new(Arc::clone(&shared.wait_queue)),
            shared,
            roster,
            budgets: Budgets::among(RateLimits::new(settings), house.circuits.clone()),
            presence: Presence::new(bounds),
            occupancy_every: bounds.every,
            title: Some(settings.title.clone()),
            policy: Arc::new(state.policy.clone()),
            words: WordList::new(&state.words),
            holding: Holding::default(),
            state,
            admission: Admission::default(),
            waiting: WaitingList::default(),
            typing: TypingLimits::default(),
            reservation_limits: ReservationLimits::default(),
            uses: HashSet::new(),
            refused: VecDeque::new(),
            kept: Kept { messages: history.messages, days: history.days },
            clock: RoomClock::start(identity.clock, &identity.secret),
            identity,
            seats,
            appends,
            backlog: PendingAppend::default(),
            notices: Notices::default(),
            nodes: cluster.as_ref().map(Nodes::new),
            claims: cluster.map(Claims::new),
            trimming: None,
            ended: false,
            empty_for: 0,
            rooms: Arc::default(),
        }
    }

    pub(super) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        let mut commands = Vec::with_capacity(BATCH);
        let (mut expire, mut trim) = (interval(EXPIRE_EVERY), interval(TRIM_EVERY));
        let mut occupancy = interval(self.occupancy_every);
        occupancy.set_missed_tick_behavior(MissedTickBehavior::Delay);
        expire.set_missed_tick_behavior(MissedTickBehavior::Delay);
        trim.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.change_title().await;
        loop {
            // What is said while the log writes goes into one append together.
            let holds_back = self.appends.is_full() && !self.appends.is_late();
            let late_at = holds_back.then(|| self.appends.late_at());
            tokio::select! {
                biased;
                // The ticks first: however busy the inbox, seats expire and the log is trimmed.
                _ = expire.tick() => self.expire().await,
                _ = occupancy.tick(), if self.presence.is_due() || self.notices.is_due() => self.announce_due(),
                _ = trim.tick() => {
                    self.trim();
                    self.change_title().await;
                }
                step = self.appends.step() => {
                    self.take(step);
                    self.take_steps().await;
                }
                events = next_events(&mut self.nodes), if self.nodes.is_some() => self.heed(events),
                claimed = next_claimed(&mut self.claims), if self.claims.is_some() => {
                    self.claimed(claimed).await;
                }
                taken = inbox.recv_many(&mut commands, BATCH), if late_at.is_none() => {
                    if taken == 0 {
                        return self.settle_all().await;
                    }
                    self.handle_all(&mut commands).await;
                    if self.ended {
                        return self.settle_all().await;
                    }
                }
                () = wait_until(late_at), if late_at.is_some() => self.appends.set_late(),
                // Until the woken readers were polled, and the sockets were polled for input.
                () = yield_now(), if self.notifier.is_due() => {}
            }
            self.tell_nodes();
            self.tell_facts();
            self.notifier.set_head(self.shared.position());
            if self.notifier.is_due() {
                self.notify_some();
            }
        }
    }

    fn notify_some(&mut self) {
        let ring = self.shared.ring.read().unwrap_or_else(PoisonError::into_inner);
        self.notifier.notify_some(&ring);
    }

    async fn handle_all(&mut self, commands: &mut Vec<Command>) {
        let mut pending = PendingAppend::default();
        for command in commands.drain(..) {
            let Some(command) = self.hold_back(command) else { continue };
            match command {
                Command::Publish(speaker, says, reply) => self.admit(speaker, says, reply, &mut pending),
                // As messages: many guests may react at once.
                Command::Act(
                    Some(speaker),
                    id,
                    act @ (Act::Edit { .. } | Act::React { .. }),
                    found,
                    reply,
                ) => {
                    self.admit_annotating(speaker, (id, act), &found, reply, &mut pending);
                }
                // What is not for the log does not wait for it.
                Command::Whisper(..) | Command::Typing(_) => self.handle(command, None).await,
                // Messages that came before a change of presence are published before it, and the log and the ring have the
                // same newest message for those who join.
                command => {
                    self.append(std::mem::take(&mut pending)).await;
                    self.settle().await;
                    self.handle(command, None).await;
                }
            }
        }
        self.append(pending).await;
    }

    /// Does what a command asks for, with the claim that it was put aside for.
    async fn handle(&mut self, command: Command, claimed: Option<ClaimedName>) {
        match command {
            Command::Join(hello, circuit, moves, reply) => {
                self.roster.set_moving(moves);
                // If the answer is not awaited any more, the seat in it is dropped and frees itself.
                let joined = self.join(*hello, circuit, claimed).await;
                self.roster.set_moving(false);
                let guest = joined.as_ref().ok().map(|join| join.welcome.guest.id);
                let _ = reply.send(joined);
                self.note_use(guest).await;
            }
            Command::JoinStateless(hello, circuit, reply) => {
                let joined = self.join_stateless(*hello, circuit, claimed).await;
                let guest = joined.as_ref().ok().map(|join| join.welcome.guest.id);
                let _ = reply.send(joined);
                self.note_use(guest).await;
            }
            Command::Members(hello, circuit, reply) => {
                let _ = reply.send(self.members(*hello, circuit, claimed).await);
            }
            Command::Touch(token, circuit, reply) => {
                let _ = reply.send(self.touch(token, circuit).await);
            }
            Command::Act(speaker, id, act, found, reply) => self.act(speaker, id, act, &found, reply).await,
            Command::Gate(command) => self.handle_gate(command).await,
            Command::State(reply) => {
                let _ = reply.send(Ok(self.state.clone()));
            }
            Command::Salt(name, reply) => {
                let known = self.state.reserved.of_name(&name);
                let under = known.map_or(&name, |known| known.under.as_ref().unwrap_or(&known.name));
                let _ = reply.send(Ok(Identity::salt(under, &self.identity.secret)));
            }
            Command::Whisper(speaker, whisper, reply) => drop(reply.send(self.whisper(speaker, whisper))),
            Command::Typing(speaker) => self.tell_typing(speaker),
            Command::Rename(speaker, name, reply) => {
                let _ = reply.send(self.rename(speaker, name, claimed));
            }
            Command::Leave(Speaker { guest, connection }) => {
                let change = self.roster.leave(guest, connection);
                self.announce(change.as_slice());
            }
            Command::Disconnect(guest, connection) => {
                let change = self.roster.disconnect(guest, connection, Instant::now());
                self.announce(change.as_slice());
            }
            Command::Present(reply) => {
                let (guests, clock) = (self.presence.all(&self.roster), self.clock());
                let _ = reply.send(Ok(Present { guests, clock }));
            }
            Command::Rooms(news) => self.tell_rooms(&news),
            Command::GiveUpSeat(circuit) => {
                let change = self.roster.give_up(circuit);
                self.announce(change.as_slice());
            }
            Command::IsQuiet(reply) => {
                let _ = reply.send(Ok(self.is_quiet()));
            }
            Command::End(reason, reply) => {
                self.end(&reason).await;
                let _ = reply.send(Ok(()));
            }
            Command::Snapshot(reply) => {
                let _ = reply.send(self.snapshot().await.map_err(storage_unavailable));
            }
            Command::Publish(..) => {}
        }
    }

    /// Frees the seats that are no longer held, and forgets buckets that are full.
    async fn expire(&mut self) {
        self.settle().await;
        let now = Instant::now();
        let changes = self.roster.expire(now);
        if let Some(claims) = &mut self.claims {
            claims.retry();
            claims.release_kept(|guest, name| self.roster.is_elsewhere(guest, name));
        }
        self.announce(&changes);
        self.admission.prune(self.policy.slow, now);
        self.expire_waiting(now);
        if self.appends.is_empty() {
            self.uses.clear();
        }
        self.note_emptiness();
        let circuits = self.roster.circuits();
        self.budgets.prune(|guest| self.roster.has(guest), |circuit| circuits.contains(&circuit), now);
    }

    fn clock(&self) -> u64 {
        self.clock.now()
    }
}
