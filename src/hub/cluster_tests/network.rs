//! Several nodes in one process: claims in a table, events on links that can be slow or lose them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{mpsc, oneshot};

use crate::hub::cluster::{ClaimError, Cluster, ClusterEvent, Door, NodeId, Presence, SeatedGuest};
use crate::protocol::{GuestId, Name};

/// What can go wrong between nodes, each counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::hub) enum Fault {
    /// What the first node tells the second one waits.
    Hold(usize, usize),
    /// What waits arrives.
    Free(usize, usize),
    /// What waits is lost, and the next is not.
    Lose(usize, usize),
    /// The second node is told all that the first one has told, as where it has missed something.
    Repair(usize, usize),
    /// The node's claims fail.
    ClaimsFail(usize),
    /// The node's claims wait.
    ClaimsHang(usize),
    /// The node's claims are answered, those that wait as well.
    ClaimsWork(usize),
    /// The node is taken for dead, and learns it at once.
    LeaseLost(usize),
    /// The node reaches nothing and is taken for dead.
    Vanish(usize),
    /// It reaches everything again.
    Return(usize),
}

/// Where faults come from, so that the same schedule can be played on other clusters.
pub(in crate::hub) trait Faults {
    fn node(&self, node: usize) -> Arc<dyn Cluster>;
    fn inflict(&self, fault: Fault);
    /// The numbers of the claims that count, and of those that some node's guest has.
    fn claims(&self) -> (BTreeSet<u64>, BTreeSet<u64>);
    /// The guests whose claims count, with the parts of the names' keys.
    fn claimed(&self) -> BTreeSet<(GuestId, String)>;
    /// The guests with a seat at this node.
    fn seated(&self, node: usize) -> BTreeMap<GuestId, SeatedGuest>;
}

#[derive(Clone)]
pub(in crate::hub) struct Network(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    next_claim: u64,
    next_node: u64,
    /// By the parts of confusable keys.
    claims: HashMap<String, Record>,
    nodes: Vec<Node>,
    links: HashMap<(usize, usize), Link>,
}

#[derive(Clone, Copy)]
struct Record {
    guest: GuestId,
    node: NodeId,
    number: u64,
}

struct Node {
    id: NodeId,
    /// What it has told since it has its lease.
    told: BTreeMap<GuestId, SeatedGuest>,
    events: mpsc::UnboundedSender<ClusterEvent>,
    taken: Option<mpsc::UnboundedReceiver<ClusterEvent>>,
    claims: ClaimMode,
    hanging: Vec<oneshot::Sender<()>>,
    vanished: bool,
    door: Option<(String, usize)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ClaimMode {
    Work,
    Fail,
    Hang,
}

#[derive(Default)]
struct Link {
    held: bool,
    queue: VecDeque<(NodeId, Presence)>,
    /// What the second node believes to be at the first, by the number that the first had.
    known: BTreeMap<GuestId, NodeId>,
}

impl Network {
    pub(in crate::hub) fn new(nodes: usize) -> Self {
        let mut state = State::default();
        for _ in 0..nodes {
            let (events, taken) = mpsc::unbounded_channel();
            let id = state.fresh();
            state.nodes.push(Node {
                id,
                told: BTreeMap::new(),
                events,
                taken: Some(taken),
                claims: ClaimMode::Work,
                hanging: Vec::new(),
                vanished: false,
                door: None,
            });
        }
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Tells a node something, as if it had happened.
    pub(in crate::hub) fn send(&self, node: usize, event: ClusterEvent) {
        let _ = self.state().nodes[node].events.send(event);
    }

    /// Who has claimed this name.
    pub(in crate::hub) fn claimant(&self, name: &str) -> Option<GuestId> {
        let name = Name::parse(name).unwrap();
        let state = self.state();
        name.confusable_key().parts().iter().find_map(|key| state.claims.get(key)).map(|record| record.guest)
    }

    /// How many claims were made.
    pub(in crate::hub) fn made(&self) -> u64 {
        self.state().next_claim
    }
}

impl State {
    fn fresh(&mut self) -> NodeId {
        self.next_node += 1;
        NodeId(self.next_node)
    }

    fn has_lease(&self, node: NodeId) -> bool {
        self.nodes.iter().any(|known| known.id == node)
    }

    fn claim(&mut self, at: usize, guest: GuestId, name: &Name) -> Result<u64, ClaimError> {
        let keys = name.confusable_key().parts();
        let taken = keys
            .iter()
            .filter_map(|key| self.claims.get(key))
            .any(|record| record.guest != guest && self.has_lease(record.node));
        if taken {
            return Err(ClaimError::Taken);
        }
        self.next_claim += 1;
        let record = Record { guest, node: self.nodes[at].id, number: self.next_claim };
        self.claims.extend(keys.map(|key| (key, record)));
        Ok(self.next_claim)
    }

    fn send(&mut self, from: usize, to: usize, presence: Presence) {
        let id = self.nodes[from].id;
        let cut = self.nodes[from].vanished || self.nodes[to].vanished;
        let link = self.links.entry((from, to)).or_default();
        if cut {
            return;
        }
        link.queue.push_back((id, presence));
        if !link.held {
            self.flush(from, to);
        }
    }

    fn flush(&mut self, from: usize, to: usize) {
        let link = self.links.entry((from, to)).or_default();
        for (node, presence) in link.queue.drain(..) {
            let event = match presence {
                Presence::Present(seated) => {
                    link.known.insert(seated.guest.id, node);
                    ClusterEvent::Present(node, seated)
                }
                Presence::Absent(guest) => {
                    link.known.remove(&guest);
                    ClusterEvent::Absent(node, guest)
                }
            };
            let _ = self.nodes[to].events.send(event);
        }
    }

    /// What the second node has missed of the first.
    fn repair(&mut self, from: usize, to: usize) {
        if self.nodes[from].vanished || self.nodes[to].vanished {
            return;
        }
        let (id, told) = (self.nodes[from].id, self.nodes[from].told.clone());
        let link = self.links.entry((from, to)).or_default();
        link.queue.clear();
        let gone: Vec<_> = link
            .known
            .iter()
            .filter(|(guest, node)| **node != id || !told.contains_key(guest))
            .map(|(guest, node)| (*guest, *node))
            .collect();
        for (guest, node) in gone {
            link.known.remove(&guest);
            let _ = self.nodes[to].events.send(ClusterEvent::Absent(node, guest));
        }
        for seated in told.into_values() {
            link.known.insert(seated.guest.id, id);
            let _ = self.nodes[to].events.send(ClusterEvent::Present(id, seated));
        }
    }

    /// The node's lease is over: the others forget its guests, and its claims do not count.
    fn end_lease(&mut self, node: usize) {
        let id = self.fresh();
        self.nodes[node].id = id;
        self.nodes[node].told.clear();
        for to in (0..self.nodes.len()).filter(|to| *to != node) {
            if !self.nodes[to].vanished {
                let link = self.links.entry((node, to)).or_default();
                link.queue.clear();
                for (guest, was) in std::mem::take(&mut link.known) {
                    let _ = self.nodes[to].events.send(ClusterEvent::Absent(was, guest));
                }
            }
        }
    }
}

impl Faults for Network {
    fn node(&self, node: usize) -> Arc<dyn Cluster> {
        Arc::new(NodeOf { network: self.clone(), node })
    }

    fn inflict(&self, fault: Fault) {
        let mut state = self.state();
        let state = &mut *state;
        match fault {
            Fault::Hold(from, to) => state.links.entry((from, to)).or_default().held = true,
            Fault::Free(from, to) => {
                state.links.entry((from, to)).or_default().held = false;
                state.flush(from, to);
            }
            Fault::Lose(from, to) => {
                let link = state.links.entry((from, to)).or_default();
                link.queue.clear();
                link.held = false;
            }
            Fault::Repair(from, to) => state.repair(from, to),
            Fault::ClaimsFail(node) => state.nodes[node].claims = ClaimMode::Fail,
            Fault::ClaimsHang(node) => state.nodes[node].claims = ClaimMode::Hang,
            Fault::ClaimsWork(node) => {
                state.nodes[node].claims = ClaimMode::Work;
                state.nodes[node].hanging.clear();
            }
            Fault::LeaseLost(node) => {
                state.end_lease(node);
                let _ = state.nodes[node].events.send(ClusterEvent::LeaseLost);
            }
            Fault::Vanish(node) => {
                state.end_lease(node);
                state.nodes[node].vanished = true;
                let _ = state.nodes[node].events.send(ClusterEvent::Available(false));
            }
            Fault::Return(node) => {
                if std::mem::take(&mut state.nodes[node].vanished) {
                    let _ = state.nodes[node].events.send(ClusterEvent::LeaseLost);
                    let _ = state.nodes[node].events.send(ClusterEvent::Available(true));
                    for other in (0..state.nodes.len()).filter(|other| *other != node) {
                        state.repair(node, other);
                        state.repair(other, node);
                    }
                }
            }
        }
    }

    fn claims(&self) -> (BTreeSet<u64>, BTreeSet<u64>) {
        let state = self.state();
        let counting = state.claims.values().filter(|record| state.has_lease(record.node));
        let told = state.nodes.iter().flat_map(|node| node.told.values());
        (counting.map(|record| record.number).collect(), told.map(|seated| seated.claim).collect())
    }

    fn claimed(&self) -> BTreeSet<(GuestId, String)> {
        let state = self.state();
        let counting = state.claims.iter().filter(|(_, record)| state.has_lease(record.node));
        counting.map(|(key, record)| (record.guest, key.clone())).collect()
    }

    fn seated(&self, node: usize) -> BTreeMap<GuestId, SeatedGuest> {
        self.state().nodes[node].told.clone()
    }
}

/// One of the nodes.
struct NodeOf {
    network: Network,
    node: usize,
}

impl Cluster for NodeOf {
    fn claim(&self, guest: GuestId, name: &Name) -> BoxFuture<'static, Result<u64, ClaimError>> {
        let (network, at, name) = (self.network.clone(), self.node, name.clone());
        async move {
            let wait = {
                let mut state = network.state();
                let node = &mut state.nodes[at];
                (node.claims == ClaimMode::Hang).then(|| {
                    let (go_on, wait) = oneshot::channel();
                    node.hanging.push(go_on);
                    wait
                })
            };
            if let Some(wait) = wait {
                let _ = wait.await;
            }
            // As an answer comes later than the request.
            tokio::task::yield_now().await;
            let mut state = network.state();
            if state.nodes[at].vanished || state.nodes[at].claims == ClaimMode::Fail {
                return Err(ClaimError::Unavailable("no quorum".into()));
            }
            state.claim(at, guest, &name)
        }
        .boxed()
    }

    fn release(&self, guest: GuestId, name: &Name, claim: u64) {
        let mut state = self.network.state();
        for key in name.confusable_key().parts() {
            if state.claims.get(&key).is_some_and(|record| record.guest == guest && record.number == claim) {
                state.claims.remove(&key);
            }
        }
    }

    fn tell(&self, presence: Presence) {
        let mut state = self.network.state();
        match &presence {
            Presence::Present(seated) => {
                drop(state.nodes[self.node].told.insert(seated.guest.id, seated.clone()));
            }
            Presence::Absent(guest) => drop(state.nodes[self.node].told.remove(guest)),
        }
        for to in (0..state.nodes.len()).filter(|to| *to != self.node) {
            state.send(self.node, to, presence.clone());
        }
    }

    fn open_door(&self, origin: String, seats: usize) {
        let mut state = self.network.state();
        state.nodes[self.node].door = Some((origin, seats));
        for (place, node) in state.nodes.iter().enumerate() {
            let doors = state.nodes.iter().enumerate().filter(|(other, _)| *other != place);
            let doors = doors.filter_map(|(_, other)| {
                let (origin, seats) = other.door.clone()?;
                Some(Door { origin, guests: other.told.len(), seats })
            });
            let _ = node.events.send(ClusterEvent::Doors(doors.collect()));
        }
    }

    fn events(&self) -> BoxStream<'static, ClusterEvent> {
        let mut taken = self.network.state().nodes[self.node].taken.take().unwrap();
        futures_util::stream::poll_fn(move |context| taken.poll_recv(context)).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
