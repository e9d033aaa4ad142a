//! The task that tells the other nodes of this one, and hears them.
//!
//! One subject for what nodes tell all others, plain publish, and one for each node that snapshots are asked from. Everything is
//! sealed; what does not open, is not new or is too much is dropped and counted.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, Message, Request, Subscriber};
use futures_util::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::bucket::Unanswered;
use super::claim::Work;
use super::keys::NodeKeys;
use super::leases::{Death, Leases, Standing};
use super::own::{OwnGuests, PAGE_GUESTS};
use super::peers::Peers;
use super::wire::{Ask, News, Page};
use crate::hub::cluster::{ClusterEvent, Door, NodeId};
use crate::protocol::GuestId;
use crate::rate_limit::{RateLimit, TokenBucket};

/// A heartbeat follows each renewal of the lease; without one, it comes after this time.
const BEAT: Duration = Duration::from_millis(2500);

/// How often silence, leases and doors are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Requests for a snapshot are put off by a random time up to this, so that not all nodes ask one at once; after a failure by
/// this more.
const ASK_WAIT: Duration = Duration::from_millis(500);

/// How long a page may take.
const PAGE_WAIT: Duration = Duration::from_secs(2);

/// How many snapshots are under way at once.
const SNAPSHOTS_MAX: usize = 8;

/// How many leases of others are looked into at once.
const DEATHS_MAX: usize = 4;

/// How long a message may take to be handed to the connection.
const SEND_WAIT: Duration = Duration::from_millis(500);

/// How many own numbers of before are remembered, so that what is still on the way is not taken for another node's.
const WAS_MAX: usize = 64;

/// Pages that are answered: many nodes may ask at once, but none for ever.
const PAGES_PER_SECOND: u32 = 200;
const PAGES_AT_ONCE: u32 = 1000;

/// The subjects of a room.
#[derive(Debug, Clone)]
pub(super) struct Subjects {
    /// What nodes tell all others.
    pub(super) news: String,
    /// Where snapshots are asked for; the node's number follows.
    pub(super) ask: String,
}

impl Subjects {
    pub(super) fn ask_of(&self, node: NodeId) -> String {
        format!("{}.{:016x}", self.ask, node.0)
    }
}

/// What the task needs.
pub(super) struct Presence {
    pub(super) client: Client,
    pub(super) keys: Arc<NodeKeys>,
    pub(super) subjects: Subjects,
    pub(super) guests: Arc<OwnGuests>,
    pub(super) leases: Arc<Leases>,
    pub(super) standing: watch::Receiver<Standing>,
    pub(super) work: mpsc::UnboundedSender<Work>,
    pub(super) events: mpsc::Sender<ClusterEvent>,
}

/// An answer to a request for a page.
struct Answer {
    node: NodeId,
    after: Option<GuestId>,
    page: Option<Page>,
}

/// The task's state.
struct Running {
    it: Presence,
    /// This node's number, and those of before.
    node: NodeId,
    was: VecDeque<NodeId>,
    peers: Peers,
    answers: JoinSet<Answer>,
    deaths: JoinSet<(NodeId, Result<Death, Unanswered>)>,
    dying: HashSet<NodeId>,
    pages: TokenBucket,
    doors: Vec<Door>,
    doors_told: Instant,
    said: Vec<ClusterEvent>,
}

impl Presence {
    /// Subscribes, and returns the task: it runs until `closing`, and says goodbye then.
    ///
    /// # Errors
    /// The connection is closed.
    pub(super) async fn start(
        self,
        news: mpsc::Receiver<News>,
        closing: CancellationToken,
    ) -> Result<impl Future<Output = ()> + Send + 'static, async_nats::SubscribeError> {
        let heard = self.client.subscribe(self.subjects.news.clone()).await?;
        let node = self.standing.borrow().node;
        let asked = self.client.subscribe(self.subjects.ask_of(node)).await?;
        let running = Running {
            it: self,
            node,
            was: VecDeque::new(),
            peers: Peers::default(),
            answers: JoinSet::new(),
            deaths: JoinSet::new(),
            dying: HashSet::new(),
            pages: TokenBucket::default(),
            doors: Vec::new(),
            doors_told: Instant::now(),
            said: Vec::new(),
        };
        Ok(running.run(news, heard, asked, closing))
    }
}

impl Running {
    async fn run(
        mut self,
        mut news: mpsc::Receiver<News>,
        mut heard: Subscriber,
        mut asked: Subscriber,
        closing: CancellationToken,
    ) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_beat = Instant::now();
        loop {
            tokio::select! {
                () = closing.cancelled() => break,
                Some(news) = news.recv() => self.publish(&news).await,
                message = heard.next() => match message {
                    Some(message) => self.hear(&message),
                    None => break, // the connection was closed for good
                },
                Some(message) = asked.next() => self.answer(message).await,
                Some(Ok(answer)) = self.answers.join_next() => self.take_in(answer),
                Some(Ok((node, death))) = self.deaths.join_next() => self.bury(node, &death),
                Ok(()) = self.it.standing.changed() => {
                    if self.changed_number()
                        && let Ok(subscribed) = self.it.client.subscribe(self.it.subjects.ask_of(self.node)).await
                    {
                        asked = subscribed;
                    }
                    next_beat = Instant::now();
                }
                () = sleep_until(next_beat) => {
                    self.beat().await;
                    next_beat = Instant::now() + BEAT;
                }
                _ = looks.tick() => self.look(),
            }
            for event in self.said.drain(..) {
                // Waits for the room; what is missed meanwhile is repaired by a snapshot.
                let _ = self.it.events.send(event).await;
            }
        }
        let goodbye = self.it.guests.own().goodbye();
        self.publish(&goodbye).await;
        let _ = timeout(SEND_WAIT, self.it.client.flush()).await;
    }

    /// Publishes; where that cannot be done now, the others notice by the numbers.
    async fn publish(&mut self, news: &News) {
        let Ok(sealed) = news.seal(&self.it.keys) else { return };
        self.send(self.it.subjects.news.clone(), sealed).await;
    }

    async fn send(&self, subject: String, sealed: Vec<u8>) {
        if self.it.client.connection_state() == State::Connected {
            let _ = timeout(SEND_WAIT, self.it.client.publish(subject, sealed.into())).await;
        }
    }

    async fn beat(&mut self) {
        let standing = *self.it.standing.borrow();
        // Between two numbers: the next beat is that of the new one.
        if standing.node == self.node && !standing.lost {
            let beat = self.it.guests.own().beat(standing.revision);
            self.publish(&beat).await;
        }
    }

    /// Whether this node has another number since.
    fn changed_number(&mut self) -> bool {
        let node = self.it.standing.borrow_and_update().node;
        let changed = node != self.node;
        if changed {
            self.was.truncate(WAS_MAX - 1);
            self.was.push_front(self.node);
            self.node = node;
        }
        changed
    }

    fn hear(&mut self, message: &Message) {
        match News::open(&self.it.keys, &message.payload) {
            Some(news) if news.node == self.node || self.was.contains(&news.node) => {}
            Some(news) => self.peers.hear(news, Instant::now(), some_time(ASK_WAIT), &mut self.said),
            None => self.peers.dropped += 1,
        }
    }

    /// Answers a request for a page of a snapshot.
    async fn answer(&mut self, message: Message) {
        let limit = RateLimit::per_second(PAGES_PER_SECOND, PAGES_AT_ONCE);
        let (Some(reply), Some(ask)) = (message.reply, Ask::open(&self.it.keys, &message.payload)) else {
            self.peers.dropped += 1;
            return;
        };
        if self.pages.try_take(1, limit, Instant::now()).is_err() {
            return;
        }
        let page = self.it.guests.own().page(&ask, PAGE_GUESTS);
        if let Ok(sealed) = page.seal(&self.it.keys, &ask) {
            self.send(reply.into_string(), sealed).await;
        }
    }

    fn ask(&mut self, node: NodeId, after: Option<GuestId>) {
        let (client, keys) = (self.it.client.clone(), Arc::clone(&self.it.keys));
        let subject = self.it.subjects.ask_of(node);
        self.answers.spawn(async move {
            let page = async {
                let ask = Ask::new(after).ok()?;
                let request = Request::new().payload(ask.seal(&keys).ok()?.into()).timeout(Some(PAGE_WAIT));
                let reply = timeout(PAGE_WAIT, client.send_request(subject, request)).await.ok()?.ok()?;
                Page::open(&keys, &ask, &reply.payload)
            };
            Answer { node, after, page: page.await }
        });
    }

    fn take_in(&mut self, answer: Answer) {
        let Answer { node, after, page } = answer;
        let now = Instant::now();
        match page {
            Some(page) => {
                let next = self.peers.page(node, after, page, now, &mut self.said);
                if next.is_some() {
                    self.ask(node, next);
                }
            }
            None => self.peers.not_answered(node, now + ASK_WAIT + some_time(ASK_WAIT)),
        }
    }

    /// Looks at what is due.
    fn look(&mut self) {
        let now = Instant::now();
        self.peers.expire(now, &mut self.said);
        for (node, revision) in self.peers.leases() {
            self.it.leases.note(node, revision, now);
        }
        for node in self.peers.due(now, SNAPSHOTS_MAX.saturating_sub(self.answers.len())) {
            self.ask(node, None);
        }
        let standing = *self.it.standing.borrow();
        if standing.is_trusted(now) {
            for node in self.it.leases.overdue(&standing, now) {
                if self.deaths.len() < DEATHS_MAX && self.dying.insert(node) {
                    let leases = Arc::clone(&self.it.leases);
                    self.deaths.spawn(async move {
                        // Not all at once: one compare and set is enough.
                        sleep(some_time(ASK_WAIT)).await;
                        (node, leases.is_dead(node, &standing).await)
                    });
                }
            }
        }
        self.tell_doors(now);
    }

    fn bury(&mut self, node: NodeId, death: &Result<Death, Unanswered>) {
        self.dying.remove(&node);
        match death {
            Ok(Death::Declared) => {
                self.peers.gone(node, &mut self.said);
                let _ = self.it.work.send(Work::Sweep(Some(node)));
            }
            Ok(Death::Known) => self.peers.gone(node, &mut self.said),
            Ok(Death::Alive) | Err(_) => {}
        }
    }

    fn tell_doors(&mut self, now: Instant) {
        if now.saturating_duration_since(self.doors_told) < Duration::from_secs(1) {
            return;
        }
        let doors = self.peers.doors();
        if doors != self.doors {
            self.doors.clone_from(&doors);
            self.doors_told = now;
            self.said.push(ClusterEvent::Doors(doors));
            let (nodes, guests) = self.peers.shown();
            tracing::debug!(nodes, guests, dropped = self.peers.dropped, "the other nodes");
        }
    }
}

/// A random time up to this.
fn some_time(most: Duration) -> Duration {
    let share = getrandom::u32().unwrap_or(u32::MAX);
    most.mul_f64(f64::from(share) / f64::from(u32::MAX))
}
