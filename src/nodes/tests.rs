//! Nodes over real servers.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod check;
mod crowd;
mod faults;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::NatsCluster;
use crate::cluster::Connection;
use crate::cluster::servers::{Line, Program, Servers};
use crate::hub::cluster::{ClaimError, Cluster, ClusterEvent, Door, NodeId, Presence, SeatedGuest};
use crate::protocol::{Guest, GuestId, Name};

/// The name of the room in NATS.
const ROOM: &str = "room";

/// A node, and what its room would know.
struct Node {
    cluster: Arc<NatsCluster>,
    seen: Arc<Mutex<Seen>>,
    client: async_nats::Client,
    _task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    others: BTreeMap<GuestId, (NodeId, SeatedGuest)>,
    lost: usize,
    available: Vec<bool>,
    doors: Vec<Door>,
}

impl Node {
    /// Joins by these servers.
    async fn join(servers: &Servers, addresses: &[String]) -> Self {
        let settings = servers.settings(ROOM, addresses);
        let connection = Connection::open(&settings).await.unwrap();
        let cluster = Arc::new(NatsCluster::join(&connection, true).await.unwrap());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (mut events, noted) = (cluster.events(), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let mut seen = noted.lock().unwrap();
                match event {
                    ClusterEvent::Present(node, seated) => {
                        let newer = seen
                            .others
                            .get(&seated.guest.id)
                            .is_none_or(|(_, known)| known.claim <= seated.claim);
                        if newer {
                            seen.others.insert(seated.guest.id, (node, seated));
                        }
                    }
                    ClusterEvent::Absent(node, guest) => {
                        if seen.others.get(&guest).is_some_and(|(at, _)| *at == node) {
                            seen.others.remove(&guest);
                        }
                    }
                    ClusterEvent::LeaseLost => seen.lost += 1,
                    ClusterEvent::Available(available) => seen.available.push(available),
                    ClusterEvent::Doors(doors) => seen.doors = doors,
                }
            }
        });
        Self { cluster, seen, client: connection.client().clone(), _task: task }
    }

    async fn claim(&self, guest: u64, name: &str) -> Result<u64, ClaimError> {
        self.cluster.claim(GuestId(guest), &Name::parse(name).unwrap()).await
    }

    /// Claims a name until it is there, and tells of the guest.
    async fn seat(&self, guest: u64, name: &str) -> u64 {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            match self.claim(guest, name).await {
                Ok(claim) => {
                    self.cluster.tell(Presence::Present(seated(guest, name, claim)));
                    return claim;
                }
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn sees(&self, guests: &[u64]) -> bool {
        self.seen.lock().unwrap().others.keys().map(|guest| guest.0).eq(guests.iter().copied())
    }

    async fn will_see(&self, guests: &[u64]) {
        until(&format!("guests {guests:?}"), || self.sees(guests)).await;
    }

    fn lost(&self) -> usize {
        self.seen.lock().unwrap().lost
    }

    fn is_available(&self) -> bool {
        self.seen.lock().unwrap().available.last().copied().unwrap_or_default()
    }

    fn number(&self) -> NodeId {
        self.cluster.standing.borrow().node
    }
}

/// Two nodes on one server, of which the first has a line to it that can be cut.
async fn two_nodes_and_a_line() -> (Servers, Line, Node, Node) {
    let servers = Servers::start(Program::Debian, 1);
    let line = Line::to(servers.socket(0)).await;
    let one = Node::join(&servers, &[line.address()]).await;
    let other = Node::join(&servers, &servers.addresses()).await;
    (servers, line, one, other)
}

fn seated(guest: u64, name: &str, claim: u64) -> SeatedGuest {
    SeatedGuest {
        guest: Guest { id: GuestId(guest), name: Name::parse(name).unwrap(), away: false, kept: false },
        claim,
    }
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(40);
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Two nodes at one server.
async fn two(servers: &Servers) -> (Node, Node) {
    let one = Node::join(servers, &servers.addresses()).await;
    let other = Node::join(servers, &servers.addresses()).await;
    (one, other)
}

/// How many values the bucket of claims has.
async fn claims(node: &Node) -> usize {
    let (mut count, mut from) = (0, 1);
    while let Some(entry) = node.cluster.claims.bucket.next(from).await.unwrap() {
        (count, from) = (count + 1, entry.revision + 1);
    }
    count
}

async fn until_claims(node: &Node, expected: usize) {
    let deadline = Instant::now() + Duration::from_secs(40);
    while claims(node).await != expected {
        assert!(Instant::now() < deadline, "{} claims, not {expected}", claims(node).await);
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_name_belongs_to_one_guest() {
    let servers = Servers::start(Program::Debian, 1);
    let (one, other) = two(&servers).await;
    let first = one.claim(1, "Bob").await.unwrap();
    for confusable in ["Bob", "bob", "B o b", "8ob"] {
        if Name::parse(confusable)
            .unwrap()
            .confusable_key()
            .is_confusable_with(&Name::parse("Bob").unwrap().confusable_key())
        {
            assert_eq!(other.claim(2, confusable).await, Err(ClaimError::Taken), "{confusable}");
        }
    }
    // The same guest takes it over, at the same node and at the other one.
    let second = one.claim(1, "Bob").await.unwrap();
    let third = other.claim(1, "bob").await.unwrap();
    assert!(first < second && second < third);
    // Claims that were overtaken free nothing.
    let bob = Name::parse("Bob").unwrap();
    one.cluster.release(GuestId(1), &bob, first);
    one.cluster.release(GuestId(1), &bob, second);
    one.cluster.release(GuestId(1), &bob, third);
    other.cluster.release(GuestId(2), &bob, third);
    assert_eq!(one.claim(2, "Bob").await, Err(ClaimError::Taken));
    other.cluster.release(GuestId(1), &Name::parse("bob").unwrap(), third);
    one.seat(2, "Bob").await;
    let all = claims(&one).await;
    assert_eq!(all, 2, "both parts, and no others");
}

#[tokio::test]
async fn what_was_claimed_in_vain_is_free_again() {
    let servers = Servers::start(Program::Debian, 1);
    let (one, other) = two(&servers).await;
    let keys = ["a", "b", "c"].map(|letter| letter.repeat(32));
    let claim = |node: &Node, guest: u64, parts: [usize; 2]| {
        let parts = parts.map(|part| keys[part].clone());
        Arc::clone(&node.cluster.claims).claim(GuestId(guest), parts)
    };
    let first = claim(&one, 1, [0, 1]).await.unwrap();
    for parts in [[1, 2], [0, 2]] {
        assert_eq!(claim(&other, 2, parts).await, Err(ClaimError::Taken));
    }
    until_claims(&one, 2).await;
    // A rename to a name that shares a part with the own one, and whose other part is taken, leaves the name as it was.
    let blocking = claim(&other, 3, [2, 2]).await.unwrap();
    for node in [&one, &other] {
        assert_eq!(claim(node, 1, [1, 2]).await, Err(ClaimError::Taken));
        for parts in [[0, 0], [1, 1]] {
            assert_eq!(claim(&other, 4, parts).await, Err(ClaimError::Taken));
        }
    }
    other.cluster.claims.release(GuestId(3), blocking);
    until_claims(&one, 2).await;
    let second = claim(&one, 1, [1, 2]).await.unwrap();
    until_claims(&one, 3).await;
    // Giving the first one up frees what is not in the second.
    one.cluster.claims.release(GuestId(1), first);
    until_claims(&one, 2).await;
    assert_eq!(claim(&other, 4, [1, 1]).await, Err(ClaimError::Taken));
    one.cluster.claims.release(GuestId(1), second);
    until_claims(&one, 0).await;
}

#[tokio::test]
async fn crossing_pairs_do_not_fail_for_ever() {
    let servers = Servers::start(Program::Debian, 1);
    let (one, other) = two(&servers).await;
    for round in 0..50_u64 {
        let pair = [format!("{:032x}", 2 * round), format!("{:032x}", 2 * round + 1)];
        let claim =
            |node: &Node, guest: u64| Arc::clone(&node.cluster.claims).claim(GuestId(guest), pair.clone());
        let (first, second) = tokio::join!(claim(&one, 1), claim(&other, 2));
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    }
    assert_eq!(claims(&one).await, 100);
}

#[tokio::test]
async fn guests_and_doors_are_seen_at_the_other_node() {
    let servers = Servers::start(Program::Debian, 1);
    let (one, other) = two(&servers).await;
    let claim = one.seat(1, "Ann").await;
    one.seat(2, "Ben").await;
    other.will_see(&[1, 2]).await;
    let away = {
        let mut away = seated(1, "Ann", claim);
        away.guest.away = true;
        away
    };
    one.cluster.tell(Presence::Present(away.clone()));
    until("away", || other.seen.lock().unwrap().others[&GuestId(1)].1 == away).await;
    one.cluster.tell(Presence::Absent(GuestId(2)));
    other.will_see(&[1]).await;
    one.cluster.open_door("http://one.onion".into(), 250);
    until("a door", || {
        let doors = &other.seen.lock().unwrap().doors;
        doors == &[Door { origin: "http://one.onion".into(), guests: 1, seats: 250 }]
    })
    .await;
    // A third node learns of all that is.
    let third = Node::join(&servers, &servers.addresses()).await;
    third.will_see(&[1]).await;
    // What is closed is gone at once, with its door and its names.
    one.cluster.close().await;
    other.will_see(&[]).await;
    third.will_see(&[]).await;
    until("no door", || other.seen.lock().unwrap().doors.is_empty()).await;
    assert_eq!(claims(&other).await, 0);
    other.claim(5, "Ann").await.unwrap();
}

#[tokio::test]
async fn a_dead_node_leaves_nothing() {
    let (_servers, line, one, other) = two_nodes_and_a_line().await;
    one.seat(1, "Ann").await;
    other.will_see(&[1]).await;
    assert_eq!(other.claim(2, "Ann").await, Err(ClaimError::Taken));
    let number = one.number();
    // As if killed: nothing is said, nothing renewed.
    line.silence();
    let begun = Instant::now();
    other.will_see(&[]).await;
    other.seat(2, "Ann").await;
    assert!(begun.elapsed() > Duration::from_secs(4), "it was taken for dead too soon");
    assert!(matches!(
        other.cluster.leases.read(number).await.unwrap(),
        Some((_, super::leases::LeaseValue::Dead))
    ));
    until_claims(&other, 2).await;
}

#[tokio::test]
async fn a_node_that_was_taken_for_dead_begins_again() {
    let (_servers, line, one, other) = two_nodes_and_a_line().await;
    one.seat(1, "Ann").await;
    let stale = one.seat(3, "Cat").await;
    other.seat(2, "Ben").await;
    other.will_see(&[1, 3]).await;
    one.will_see(&[2]).await;
    let number = one.number();
    line.silence();
    until("not available", || !one.is_available()).await;
    assert!(matches!(one.claim(1, "Dan").await, Err(ClaimError::Unavailable(_))));
    other.will_see(&[]).await;
    other.seat(4, "Ann").await;
    one.will_see(&[]).await;
    line.mend();
    until("lease lost", || one.lost() == 1 && one.is_available()).await;
    assert_ne!(one.number(), number);
    // Its claims are others' by now, until they are made again; a stale one shows nothing.
    one.cluster.tell(Presence::Present(seated(3, "Cat", stale)));
    one.will_see(&[2, 4]).await;
    assert_eq!(one.claim(1, "Ann").await, Err(ClaimError::Taken));
    one.seat(1, "Anna").await;
    other.will_see(&[1]).await;
    one.seat(3, "Cat").await;
    other.will_see(&[1, 3]).await;
    assert_eq!(other.lost(), 0);
}

#[tokio::test]
async fn a_short_cut_loses_nothing() {
    let (_servers, line, one, other) = two_nodes_and_a_line().await;
    one.seat(1, "Ann").await;
    other.will_see(&[1]).await;
    line.silence();
    for guest in 10..20 {
        let claim = other.seat(guest, &format!("guest {guest}")).await;
        assert!(claim > 0);
    }
    one.cluster.tell(Presence::Absent(GuestId(1)));
    sleep(Duration::from_secs(3)).await;
    line.mend();
    let all: Vec<u64> = (10..20).collect();
    one.will_see(&all).await;
    other.will_see(&[]).await;
    assert_eq!((one.lost(), other.lost()), (0, 0));
}
