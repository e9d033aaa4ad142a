//! Any order of what guests do and of faults between three nodes.
//!
//! At every moment the names in each roster are unique, as a roster is told and as it is asked for. When everything reaches
//! everything again, all rosters are the same, each guest has one seat at most, each claim that counts is of a
//! guest who is there, and what was acknowledged is in the log, once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use proptest::prelude::*;
use serde_json::Value;

use super::network::{Fault, Faults};
use super::{AWAY, Nodes, hello, hello_as, pass, settle};
use crate::hub::{Join, Reader};
use crate::protocol::{EventBatch, Guest, GuestId, MessageId, Name, Say, Token};

const NODES: usize = 3;
const GUESTS: usize = 4;

/// Few, and some confusable, so that guests ask for the same.
const NAMES: [&str; 5] = ["Ann", "ANN", "Bob", "Eve", "Rob"];

#[derive(Debug, Clone)]
enum Step {
    /// A guest comes in at a node, with a name or without, on a connection or by a request.
    Join(usize, usize, Option<usize>, bool),
    Rename(usize, usize, usize),
    Leave(usize, usize),
    /// A connection breaks.
    Break(usize, usize),
    Say(usize, usize),
    Fault(Fault),
    Pass(u64),
}

fn fault() -> impl Strategy<Value = Fault> {
    let pair = (0..NODES, 1..NODES).prop_map(|(from, by)| (from, (from + by) % NODES));
    prop_oneof![
        4 => pair.clone().prop_map(|(from, to)| Fault::Hold(from, to)),
        4 => pair.clone().prop_map(|(from, to)| Fault::Free(from, to)),
        2 => pair.clone().prop_map(|(from, to)| Fault::Lose(from, to)),
        3 => pair.prop_map(|(from, to)| Fault::Repair(from, to)),
        1 => (0..NODES).prop_map(Fault::ClaimsFail),
        2 => (0..NODES).prop_map(Fault::ClaimsHang),
        4 => (0..NODES).prop_map(Fault::ClaimsWork),
        2 => (0..NODES).prop_map(Fault::LeaseLost),
        1 => (0..NODES).prop_map(Fault::Vanish),
        2 => (0..NODES).prop_map(Fault::Return),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let at = (0..NODES, 0..GUESTS);
    let name = prop::option::weighted(0.6, 0..NAMES.len());
    prop_oneof![
        8 => (at.clone(), name, prop::bool::weighted(0.7))
            .prop_map(|((node, guest), name, connects)| Step::Join(node, guest, name, connects)),
        4 => (at.clone(), 0..NAMES.len()).prop_map(|((node, guest), name)| Step::Rename(node, guest, name)),
        2 => at.clone().prop_map(|(node, guest)| Step::Leave(node, guest)),
        2 => at.clone().prop_map(|(node, guest)| Step::Break(node, guest)),
        4 => at.prop_map(|(node, guest)| Step::Say(node, guest)),
        8 => fault().prop_map(Step::Fault),
        3 => (1u64..7000).prop_map(Step::Pass),
    ]
}

/// What the guests' programs have.
#[derive(Default)]
struct Held {
    connections: HashMap<(usize, usize), Join>,
    /// The messages that were acknowledged, by their numbers.
    acknowledged: BTreeMap<u64, String>,
}

/// A guest who reads at a node, and what they know.
struct Witness {
    reader: Reader,
    known: BTreeMap<GuestId, Name>,
    join: Join,
}

struct World {
    nodes: Nodes,
    tokens: Vec<Token>,
    held: Arc<Mutex<Held>>,
    witnesses: Vec<Witness>,
    said: u64,
}

impl World {
    async fn new() -> Self {
        let nodes = Nodes::open(NODES).await;
        let tokens = (0..GUESTS).map(|_| Token::random().unwrap()).collect();
        let mut witnesses = Vec::new();
        for node in 0..NODES {
            let join = nodes.rooms[node].join(hello(&format!("Witness {node}"))).await.unwrap();
            let known = join.welcome.guests.iter().map(|guest| (guest.id, guest.name.clone())).collect();
            let reader = Reader::new(&nodes.rooms[node], &join, None);
            witnesses.push(Witness { reader, known, join });
        }
        Self { nodes, tokens, held: Arc::default(), witnesses, said: 0 }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Join(node, guest, name, connects) => {
                let hello = hello_as(&self.tokens[guest], name.map(|name| NAMES[name]));
                let (room, held) = (self.nodes.rooms[node].clone(), Arc::clone(&self.held));
                tokio::spawn(async move {
                    if connects {
                        if let Ok(join) = room.join(hello).await {
                            held.lock().unwrap().connections.insert((node, guest), join);
                        }
                    } else {
                        let _ = room.join_stateless(hello).await;
                    }
                });
            }
            Step::Rename(node, guest, name) => {
                let held = self.held.lock().unwrap();
                if let Some(join) = held.connections.get(&(node, guest)) {
                    let name = Name::parse(NAMES[name]).unwrap();
                    tokio::spawn(self.nodes.rooms[node].rename(&join.seat, name));
                }
            }
            Step::Leave(node, guest) => {
                if let Some(join) = self.held.lock().unwrap().connections.remove(&(node, guest)) {
                    join.seat.leave();
                }
            }
            Step::Break(node, guest) => {
                drop(self.held.lock().unwrap().connections.remove(&(node, guest)));
            }
            Step::Say(node, guest) => {
                self.said += 1;
                let id = format!("{}", self.said);
                let held = Arc::clone(&self.held);
                let guard = self.held.lock().unwrap();
                if let Some(join) = guard.connections.get(&(node, guest)) {
                    let say = Say { id: MessageId::parse(&id).unwrap(), text: id.clone(), reply: None };
                    let published = self.nodes.rooms[node].publish(&join.seat, vec![say]);
                    tokio::spawn(async move {
                        if let [Ok(seq)] = published.await.results[..] {
                            held.lock().unwrap().acknowledged.insert(seq, id);
                        }
                    });
                }
            }
            Step::Fault(fault) => self.nodes.network.inflict(fault),
            Step::Pass(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
        }
        settle().await;
        // A transport ends when its guest has lost the seat.
        self.held.lock().unwrap().connections.retain(|_, join| join.seat.lost().now_or_never().is_none());
        settle().await;
        self.check().await;
    }

    async fn check(&mut self) {
        for node in 0..NODES {
            let guests = self.nodes.roster(node).await;
            unique(guests.iter().map(|guest| &guest.name));
            self.witnesses[node].read().await;
        }
    }

    /// Everything works and reaches everything again, and much time passes.
    async fn calm(&mut self) {
        for node in 0..NODES {
            self.nodes.network.inflict(Fault::ClaimsWork(node));
            self.nodes.network.inflict(Fault::Return(node));
        }
        for _ in 0..3 {
            for (from, to) in (0..NODES).flat_map(|from| (0..NODES).map(move |to| (from, to))) {
                if from != to {
                    self.nodes.network.inflict(Fault::Free(from, to));
                    self.nodes.network.inflict(Fault::Repair(from, to));
                }
            }
            pass(AWAY + Duration::from_secs(40)).await;
            self.held.lock().unwrap().connections.retain(|_, join| join.seat.lost().now_or_never().is_none());
            pass(AWAY + Duration::from_secs(2)).await;
        }
    }

    async fn end(mut self) {
        self.calm().await;
        self.check().await;
        let mut first = self.nodes.roster(0).await;
        first.sort_by_key(|guest| guest.id);
        let mut seats: BTreeMap<GuestId, usize> = BTreeMap::new();
        for node in 0..NODES {
            let mut guests: Vec<Guest> = self.nodes.roster(node).await;
            guests.sort_by_key(|guest| guest.id);
            assert_eq!(guests, first, "node {node}");
            let known = &self.witnesses[node].known;
            assert!(
                known.iter().eq(guests.iter().map(|guest| (&guest.id, &guest.name))),
                "what was told at {node}"
            );
            for guest in self.nodes.network.seated(node).keys() {
                assert_eq!(seats.insert(*guest, node), None, "a guest at two nodes");
            }
        }
        assert!(seats.keys().eq(first.iter().map(|guest| &guest.id)), "who is listed has a seat");
        let secret = self.nodes.log.identity().await.unwrap().secret;
        let kept = self.nodes.log.read(0, usize::MAX).await.unwrap();
        for (node, guest) in self.held.lock().unwrap().connections.keys() {
            assert_eq!(
                seats.get(&self.tokens[*guest].guest(&secret)),
                Some(node),
                "who is connected has a seat"
            );
        }
        let keys =
            first.iter().flat_map(|guest| guest.name.confusable_key().parts().map(|key| (guest.id, key)));
        let needed: BTreeSet<_> = keys.collect();
        let claimed = self.nodes.network.claimed();
        assert!(claimed.is_subset(&needed), "each claim is of a guest who is there: {claimed:?} {needed:?}");
        let ids: BTreeMap<u64, String> =
            kept.iter().map(|record| (record.seq, record.id.as_str().to_owned())).collect();
        assert_eq!(ids.values().collect::<BTreeSet<_>>().len(), ids.len(), "each once");
        for (seq, id) in &self.held.lock().unwrap().acknowledged {
            assert_eq!(ids.get(seq), Some(id), "acknowledged and kept");
        }
    }
}

impl Witness {
    /// Reads what was told; after each event the names that they know are unique.
    async fn read(&mut self) {
        assert!(self.join.seat.lost().now_or_never().is_none(), "who does nothing keeps the seat");
        loop {
            let mut batch = EventBatch::default();
            self.reader.read_events(&mut batch).await.unwrap();
            if batch.is_empty() {
                return;
            }
            for event in batch.iter() {
                let json: Value = serde_json::from_str(event.json).unwrap();
                let guest = |json: &Value| {
                    let name = Name::parse(json["name"].as_str().unwrap()).unwrap();
                    (GuestId(json["id"].as_u64().unwrap()), name)
                };
                match event.kind.as_str() {
                    "joined" | "away" | "back" | "renamed" => self.known.extend([guest(&json["guest"])]),
                    "left" => drop(self.known.remove(&guest(&json["guest"]).0)),
                    "roster" => self.known = json["guests"].as_array().unwrap().iter().map(guest).collect(),
                    _ => {}
                }
                unique(self.known.values());
            }
        }
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a Name>) {
    let mut keys = BTreeMap::new();
    for name in names {
        let other = name.confusable_key().parts().into_iter().find_map(|key| keys.insert(key, name.as_str()));
        assert_eq!(other, None, "{} is in a roster with it", name.as_str());
    }
}

fn play(steps: Vec<Step>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new().await;
        for step in steps {
            world.take(step).await;
        }
        world.end().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_guests_do_and_nodes_suffer_all_rosters_become_the_same(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        play(steps);
    }
}
