//! Claims that fail or hang, a lease that is lost, names that collide for a moment.

use std::time::Duration;

use futures_util::FutureExt;

use super::network::{Fault, Faults};
use super::{Nodes, code, events, hello, hello_as, pass, settle};
use crate::hub::cluster::{ClusterEvent, NodeId, SeatedGuest};
use crate::protocol::{Guest, GuestId, Hello, Name};

const LONG: Duration = Duration::from_secs(3);

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A guest at a node that no test knows.
fn seated(id: u64, text: &str, claim: u64) -> SeatedGuest {
    SeatedGuest { guest: Guest { id: GuestId(id), name: name(text), away: false, kept: false }, claim }
}

/// A node that lost the cluster keeps its guests, and refuses only what needs a claim.
#[tokio::test(start_paused = true)]
async fn a_node_without_the_cluster_keeps_its_guests() {
    for fault in [Fault::ClaimsFail(0), Fault::ClaimsHang(0)] {
        let nodes = Nodes::open(1).await;
        let (ann, _reader) = nodes.join(0, "Ann").await;
        let (eve, mut reader) = nodes.join(0, "Eve").await;
        nodes.network.inflict(fault);
        let room = &nodes.rooms[0];
        assert_eq!(code(room.join(hello("Bob")).await), "not_kept");
        assert_eq!(code(room.join(Hello::default()).await), "not_kept");
        assert_eq!(code(room.rename(&eve.seat, name("Eva")).await), "not_kept");
        let token = ann.welcome.token.clone();
        drop(ann);
        settle().await;
        let back = room.join(hello_as(&token, Some("Ann"))).await.unwrap();
        assert_eq!(back.welcome.guest.name, name("Ann"));
        assert!(room.touch(&token).await.unwrap().is_some());
        assert_eq!(events(&mut reader).await, ["away Ann", "back Ann"]);
        nodes.network.inflict(Fault::ClaimsWork(0));
        settle().await;
        let (counting, told) = nodes.network.claims();
        assert_eq!(counting, told, "a claim that came too late is released");
        room.join(hello("Bob")).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_claim_of_a_join_that_is_not_waited_for_any_more_is_released() {
    let nodes = Nodes::open(1).await;
    nodes.network.inflict(Fault::ClaimsHang(0));
    for wanted in [hello("Bob"), Hello::default()] {
        let mut joining = nodes.rooms[0].join(wanted).boxed();
        assert!(joining.as_mut().now_or_never().is_none());
        settle().await;
        drop(joining);
    }
    nodes.network.inflict(Fault::ClaimsWork(0));
    settle().await;
    assert_eq!(nodes.names(0).await, Vec::<String>::new());
    assert_eq!(nodes.network.claims().0.len(), 0);
}

/// A claim that has come after a higher one of the same guest gives no seat.
#[tokio::test(start_paused = true)]
async fn a_join_that_raced_with_one_at_another_node_has_one_seat() {
    let nodes = Nodes::open(2).await;
    let (ann, _reader) = nodes.join(0, "Ann").await;
    let token = ann.welcome.token.clone();
    drop(ann);
    settle().await;
    let (first, second) = tokio::join!(
        nodes.rooms[0].join(hello_as(&token, Some("Anna"))),
        nodes.rooms[1].join(hello_as(&token, Some("Anne"))),
    );
    settle().await;
    let seats = nodes.network.seated(0).len() + nodes.network.seated(1).len();
    assert_eq!(seats, 1);
    assert_eq!(nodes.names(0).await, nodes.names(1).await);
    drop((first, second));
    pass(super::AWAY + LONG).await;
    assert_eq!(nodes.network.claims().0.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_lease_the_names_are_claimed_again() {
    let nodes = Nodes::open(2).await;
    let (_ann, mut first) = nodes.join(0, "Ann").await;
    let (_eve, _reader) = nodes.join(0, "Eve").await;
    let (bob, mut second) = nodes.join(1, "Bob").await;
    events(&mut first).await;
    // While the node is taken for dead, one of its names is taken.
    nodes.network.inflict(Fault::Vanish(0));
    pass(LONG).await;
    assert_eq!(events(&mut first).await, ["storage false"]);
    let mut told = events(&mut second).await;
    told.sort();
    assert_eq!(told, ["left Ann", "left Eve"]);
    assert_eq!(nodes.names(0).await, ["Ann", "Bob", "Eve"], "its guests stay");
    nodes.rooms[1].rename(&bob.seat, name("Ann")).await.unwrap();
    nodes.network.inflict(Fault::Return(0));
    pass(LONG).await;
    let told = events(&mut first).await;
    let renamed =
        told.iter().filter_map(|event| event.strip_prefix("renamed Ann ")).next().unwrap().to_owned();
    // The other guest is not shown while this one has the name.
    let place = |event: &str| told.iter().position(|one| one == event).unwrap();
    assert!(place("left Bob") < place(&format!("renamed Ann {renamed}")), "{told:?}");
    assert!(place(&format!("renamed Ann {renamed}")) < place("joined Ann"), "{told:?}");
    assert!(told.contains(&"storage true".to_owned()), "{told:?}");
    let mut expected = vec!["Ann".to_owned(), "Eve".to_owned(), renamed];
    expected.sort();
    for node in 0..2 {
        assert_eq!(nodes.names(node).await, expected, "{node}");
    }
    let (counting, told) = nodes.network.claims();
    assert_eq!((counting.len(), counting), (3, told));
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_cannot_be_made_again_is_tried_later() {
    let nodes = Nodes::open(1).await;
    let mut inside = Vec::new();
    for number in 0..50 {
        inside.push(nodes.join(0, &format!("Guest {number}")).await);
    }
    nodes.network.inflict(Fault::ClaimsFail(0));
    nodes.network.inflict(Fault::LeaseLost(0));
    pass(LONG).await;
    assert_eq!(nodes.network.claims().0.len(), 0);
    assert_eq!(nodes.names(0).await.len(), 50);
    nodes.network.inflict(Fault::ClaimsWork(0));
    pass(LONG).await;
    let (counting, told) = nodes.network.claims();
    assert_eq!((counting.len(), counting), (50, told));
}

/// Of two guests with confusable names the one here is shown; who has the lower claim gets another name.
#[tokio::test(start_paused = true)]
async fn two_guests_with_confusable_names_are_never_shown_together() {
    let nodes = Nodes::open(1).await;
    let (ann, mut reader) = nodes.join(0, "Ann").await;
    let (far, other) = (NodeId(100), NodeId(101));
    // A lower claim: that guest is not shown, until they have another name.
    nodes.network.send(0, ClusterEvent::Present(far, seated(1, "ANN", 0)));
    assert_eq!(events(&mut reader).await, Vec::<String>::new());
    assert_eq!(ann.welcome.count, 1);
    assert_eq!(nodes.names(0).await, ["Ann"]);
    nodes.network.send(0, ClusterEvent::Present(far, seated(1, "Rob", 50)));
    assert_eq!(events(&mut reader).await, ["joined Rob"]);
    // Of two at other nodes, the higher one is shown, whichever comes first.
    nodes.network.send(0, ClusterEvent::Present(other, seated(2, "rob", 60)));
    assert_eq!(events(&mut reader).await, ["left Rob", "joined rob"]);
    nodes.network.send(0, ClusterEvent::Present(far, seated(1, "Rob", 50)));
    assert_eq!(events(&mut reader).await, Vec::<String>::new());
    nodes.network.send(0, ClusterEvent::Absent(other, GuestId(2)));
    pass(LONG).await;
    assert_eq!(events(&mut reader).await, ["left rob", "joined Rob"]);
    // A higher claim of a name that is held here: this guest's is made again, and here it is good.
    let made = nodes.network.made();
    nodes.network.send(0, ClusterEvent::Present(other, seated(3, "Ann", 10_000)));
    pass(LONG).await;
    assert!(nodes.network.made() > made);
    assert_eq!(events(&mut reader).await, Vec::<String>::new());
    assert_eq!(nodes.names(0).await, ["Ann", "Rob"]);
    // The guest here goes: then the other is shown.
    ann.seat.leave();
    pass(LONG).await;
    assert_eq!(nodes.names(0).await, ["Ann", "Rob"]);
    assert_eq!(nodes.roster(0).await.iter().map(|guest| guest.id.0).max(), Some(3));
}

/// The name of a guest who just left another node can be had, even if this node does not know yet.
#[tokio::test(start_paused = true)]
async fn a_claim_counts_more_than_what_was_told_before() {
    let nodes = Nodes::open(2).await;
    let (ann, _reader) = nodes.join(0, "Ann").await;
    let (bob, mut reader) = nodes.join(1, "Bob").await;
    ann.seat.leave();
    settle().await;
    nodes.rooms[1].rename(&bob.seat, name("Ann")).await.unwrap();
    assert_eq!(events(&mut reader).await, ["left Ann", "renamed Bob Ann"]);
    assert_eq!(nodes.names(1).await, ["Ann"]);
}

/// Guards against work in proportion to the guests of other nodes in each join.
#[tokio::test(start_paused = true)]
async fn thousands_of_guests_elsewhere_are_counted_and_not_walked_through() {
    let nodes = Nodes::open(1).await;
    let (_ann, mut reader) = nodes.join(0, "Ann").await;
    for id in 1..=10_000 {
        nodes.network.send(0, ClusterEvent::Present(NodeId(9), seated(id, &format!("Far {id}"), id + 100)));
    }
    settle().await;
    let bob = nodes.rooms[0].join_stateless(hello("Bob")).await.unwrap();
    assert_eq!((bob.welcome.count, bob.welcome.guests.len()), (10_002, 1));
    pass(LONG).await;
    assert_eq!(events(&mut reader).await.last().unwrap(), "crowd 10002");
}
