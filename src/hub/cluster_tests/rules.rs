//! Names, seats and rosters while all nodes reach each other.

use std::time::Duration;

use futures_util::FutureExt;

use super::network::{Fault, Faults};
use super::{Nodes, code, events, hello, hello_as, pass, settle};
use crate::hub::roster::change::PresenceChange;
use crate::protocol::{Code, MessageId, Name, Say};

const LONG: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn guests_of_all_nodes_are_in_every_roster() {
    let nodes = Nodes::open(3).await;
    let (ann, mut reader) = nodes.join(0, "Ann").await;
    let (bob, _reader) = nodes.join(1, "Bob").await;
    assert_eq!(bob.welcome.count, 2);
    assert_eq!(bob.welcome.guests.len(), 2);
    let (eve, _reader) = nodes.join(2, "Eve").await;
    for node in 0..3 {
        assert_eq!(nodes.names(node).await, ["Ann", "Bob", "Eve"], "{node}");
    }
    nodes.rooms[1].rename(&bob.seat, Name::parse("Rob").unwrap()).await.unwrap();
    drop(eve);
    assert_eq!(events(&mut reader).await, ["joined Bob", "joined Eve", "renamed Bob Rob", "away Eve"]);
    assert_eq!(nodes.names(1).await, ["(Eve)", "Ann", "Rob"]);
    bob.seat.leave();
    pass(LONG).await;
    assert_eq!(events(&mut reader).await, ["left Rob"]);
    pass(super::AWAY + LONG).await;
    assert_eq!(events(&mut reader).await, ["left Eve"]);
    assert_eq!(nodes.network.claimant("Eve"), None);
    assert_eq!(nodes.network.claimant("Ann"), Some(ann.welcome.guest.id));
    assert_eq!(nodes.names(2).await, ["Ann"]);
}

#[tokio::test(start_paused = true)]
async fn messages_of_all_nodes_are_in_one_order() {
    let nodes = Nodes::open(2).await;
    let (ann, mut first) = nodes.join(0, "Ann").await;
    let (bob, mut second) = nodes.join(1, "Bob").await;
    events(&mut first).await;
    for (number, (room, join)) in [(0, &ann), (1, &bob), (0, &ann)].into_iter().enumerate() {
        let text = number.to_string();
        let say = Say { id: MessageId::parse(&text).unwrap(), text, reply: None };
        nodes.rooms[room].publish(&join.seat, vec![say]).await.results[0].clone().unwrap();
    }
    let told = events(&mut first).await;
    assert_eq!(told, ["message 0", "message 1", "message 2"]);
    assert_eq!(events(&mut second).await, told);
}

#[tokio::test(start_paused = true)]
async fn a_name_belongs_to_one_guest_at_all_nodes() {
    let nodes = Nodes::open(2).await;
    // Neither node knows of the other's guest yet.
    nodes.network.inflict(Fault::Hold(0, 1));
    nodes.network.inflict(Fault::Hold(1, 0));
    let (ann, _reader) = nodes.join(0, "Ann").await;
    assert_eq!(code(nodes.rooms[1].join(hello("ann")).await), "name_taken");
    let (bob, _reader) = nodes.join(1, "Bob").await;
    let rename = nodes.rooms[1].rename(&bob.seat, Name::parse("Ann.").unwrap()).await;
    assert_eq!(code(rename), "name_taken", "one that looks the same");
    nodes.network.inflict(Fault::Free(0, 1));
    settle().await;
    let made = nodes.network.made();
    assert_eq!(code(nodes.rooms[1].join_stateless(hello("ANN")).await), "name_taken");
    assert_eq!(nodes.network.made(), made);
    // Its end is known to the cluster before the other node hears of it.
    nodes.network.inflict(Fault::Hold(0, 1));
    nodes.rooms[0].rename(&ann.seat, Name::parse("Anna").unwrap()).await.unwrap();
    settle().await;
    assert_eq!(nodes.network.claimant("Ann"), None, "released after the new one is held");
    nodes.network.inflict(Fault::Free(0, 1));
    settle().await;
    nodes.rooms[1].rename(&bob.seat, Name::parse("Ann").unwrap()).await.unwrap();
    settle().await;
    assert_eq!(nodes.names(1).await, ["Ann", "Anna"]);
    assert_eq!(nodes.network.claimant("Bob"), None);
}

#[tokio::test(start_paused = true)]
async fn a_suggested_name_is_claimed_and_another_one_if_it_is_taken() {
    let nodes = Nodes::open(2).await;
    for number in 0..20 {
        let join = nodes.rooms[number % 2].join_stateless(Default::default()).await.unwrap();
        let guest = join.welcome.guest;
        assert_eq!(nodes.network.claimant(guest.name.as_str()), Some(guest.id));
    }
    settle().await;
    assert_eq!(nodes.names(0).await, nodes.names(1).await);
    let (counting, told) = nodes.network.claims();
    assert_eq!((counting.len(), counting), (20, told));
}

/// A guest who comes in by another door keeps seat and name, and the others are not told that they left.
#[tokio::test(start_paused = true)]
async fn a_guest_who_comes_to_another_node_takes_their_seat_over() {
    let nodes = Nodes::open(3).await;
    let (ann, mut reader) = nodes.join(0, "Ann").await;
    let (_bob, mut third) = nodes.join(2, "Bob").await;
    events(&mut reader).await;
    let token = ann.welcome.token.clone();
    let again = nodes.rooms[1].join(hello_as(&token, None)).await.unwrap();
    settle().await;
    assert!(again.welcome.resumed);
    assert_eq!(again.welcome.guest, ann.welcome.guest);
    assert!(ann.seat.lost().now_or_never().is_some());
    assert_eq!(ann.seat.loss().code, Code::TakenOver);
    drop(ann);
    pass(super::AWAY * 2).await;
    assert_eq!(events(&mut third).await, Vec::<String>::new());
    for node in 0..3 {
        assert_eq!(nodes.names(node).await, ["Ann", "Bob"]);
    }
    assert_eq!(nodes.network.claimant("Ann"), Some(again.welcome.guest.id));
    // With another name, after a connection that broke: only what has changed.
    drop(again);
    assert_eq!(events(&mut third).await, ["away Ann"]);
    let again = nodes.rooms[2].join(hello_as(&token, Some("Anna"))).await.unwrap();
    assert!(again.welcome.resumed);
    assert_eq!(events(&mut third).await, ["back Ann", "renamed Ann Anna"]);
    assert_eq!(nodes.network.claimant("Ann"), None, "the node that lost the seat gives its other name up");
    let (counting, told) = nodes.network.claims();
    assert_eq!(counting, told);
}

/// What the loser has told before arrives late, in any order.
#[tokio::test(start_paused = true)]
async fn what_a_node_told_before_it_lost_the_seat_brings_nobody_back() {
    let nodes = Nodes::open(3).await;
    let (_eve, mut reader) = nodes.join(2, "Eve").await;
    nodes.network.inflict(Fault::Hold(0, 2));
    let (ann, _reader) = nodes.join(0, "Ann").await;
    let again = nodes.rooms[1].join(hello_as(&ann.welcome.token, None)).await.unwrap();
    settle().await;
    again.seat.leave();
    pass(LONG).await;
    assert_eq!(events(&mut reader).await, ["joined Ann", "left Ann"]);
    nodes.network.inflict(Fault::Free(0, 2));
    pass(LONG).await;
    assert_eq!(events(&mut reader).await, Vec::<String>::new());
    assert_eq!(nodes.names(2).await, ["Eve"]);
}

/// Only that a guest is gone from one node may arrive before that they are at another.
#[tokio::test(start_paused = true)]
async fn a_move_between_other_nodes_does_not_flicker() {
    let nodes = Nodes::open(3).await;
    let (_eve, mut reader) = nodes.join(2, "Eve").await;
    let (ann, _reader) = nodes.join(0, "Ann").await;
    assert_eq!(events(&mut reader).await, ["joined Ann"]);
    nodes.network.inflict(Fault::Hold(1, 2));
    let _again = nodes.rooms[1].join(hello_as(&ann.welcome.token, None)).await.unwrap();
    settle().await;
    pass(Duration::from_millis(200)).await;
    nodes.network.inflict(Fault::Free(1, 2));
    pass(LONG).await;
    assert_eq!(events(&mut reader).await, Vec::<String>::new());
    assert_eq!(nodes.names(2).await, ["Ann", "Eve"]);
}

#[tokio::test(start_paused = true)]
async fn seats_are_counted_at_each_node_and_a_full_one_names_its_doors() {
    let nodes = Nodes::open_with(2, |settings| settings.guests = 1).await;
    let (_ann, mut reader) = nodes.join(0, "Ann").await;
    nodes.network.node(0).open_door("http://one.onion".into(), 1);
    nodes.network.node(1).open_door("http://two.onion".into(), 1);
    pass(LONG).await;
    assert_eq!(events(&mut reader).await, [r#"doors ["http://two.onion"]"#]);
    let (bob, _reader) = nodes.join(1, "Bob").await;
    assert_eq!(*bob.welcome.doors, ["http://one.onion".to_owned()]);
    assert_eq!(bob.welcome.count, 2);
    let refusal = nodes.rooms[0].join(hello("Eve")).await.err().unwrap();
    assert_eq!((refusal.code, &refusal.doors[..]), (Code::RoomFull, &["http://two.onion".to_owned()][..]));
    settle().await;
    assert_eq!(nodes.network.claimant("Eve"), None, "the claim of a join that was refused is released");
    pass(LONG).await;
    assert_eq!(events(&mut reader).await, ["joined Bob"], "another load of the same doors is no news");
}

#[tokio::test(start_paused = true)]
async fn more_than_a_hundred_guests_at_all_nodes_together_are_a_crowd() {
    let nodes = Nodes::open(2).await;
    let (_ann, mut reader) = nodes.join(0, "Ann").await;
    let mut inside = Vec::new();
    for number in 0..100 {
        inside.push(nodes.rooms[1].join(hello(&format!("Guest {number}"))).await.unwrap());
    }
    settle().await;
    let told = events(&mut reader).await;
    assert_eq!((told.len(), told.last().unwrap().as_str()), (100, "crowd 101"));
    let bob = nodes.rooms[0].join_stateless(hello("Bob")).await.unwrap();
    assert_eq!((bob.welcome.count, bob.welcome.guests.len()), (102, 1));
    let all = nodes.rooms[0].members(hello_as(&bob.welcome.token, None)).await.unwrap();
    assert_eq!(all.welcome.guests.len(), 102);
    inside.drain(..30).for_each(|join| join.seat.leave());
    pass(LONG).await;
    assert_eq!(events(&mut reader).await, ["crowd 102", "roster "]);
}

#[tokio::test(start_paused = true)]
async fn other_commands_go_on_while_a_claim_is_waited_for_and_the_guests_own_stay_in_order() {
    let nodes = Nodes::open(1).await;
    let (ann, mut reader) = nodes.join(0, "Ann").await;
    let room = &nodes.rooms[0];
    nodes.network.inflict(Fault::ClaimsHang(0));
    let mut renamed = room.rename(&ann.seat, Name::parse("Anna").unwrap()).boxed();
    assert!(renamed.as_mut().now_or_never().is_none());
    let say = Say { id: MessageId::parse("1").unwrap(), text: "as Anna".into(), reply: None };
    let mut said = room.publish(&ann.seat, vec![say]).boxed();
    assert!(said.as_mut().now_or_never().is_none());
    let mut joining = room.join(hello("Bob")).boxed();
    assert!(joining.as_mut().now_or_never().is_none());
    settle().await;
    assert_eq!(events(&mut reader).await, Vec::<String>::new());
    assert_eq!(nodes.names(0).await, ["Ann"], "others are answered");
    nodes.network.inflict(Fault::ClaimsWork(0));
    renamed.await.unwrap();
    assert_eq!(said.await.results, [Ok(1)]);
    let bob = joining.await.unwrap();
    let mut told = events(&mut reader).await;
    told.retain(|event| event != "joined Bob");
    assert_eq!(told, ["renamed Ann Anna", "message as Anna"]);
    drop(bob);
}

#[test]
fn the_last_change_about_a_guest_has_their_present_state() {
    let guest = |name: &str, away| crate::protocol::Guest {
        id: crate::protocol::GuestId(1),
        name: Name::parse(name).unwrap(),
        away,
        kept: false,
    };
    let was = |name: &str| Name::parse(name).unwrap();
    for (before, after, changes) in [
        (guest("Ann", false), guest("Ann", false), vec![]),
        (guest("Ann", true), guest("Ann", false), vec![PresenceChange::Back(guest("Ann", false))]),
        (
            guest("Ann", true),
            guest("Bob", false),
            vec![
                PresenceChange::Back(guest("Ann", false)),
                PresenceChange::Renamed { guest: guest("Bob", false), was: was("Ann") },
            ],
        ),
        (
            guest("Ann", false),
            guest("Bob", true),
            vec![
                PresenceChange::Renamed { guest: guest("Bob", true), was: was("Ann") },
                PresenceChange::Away(guest("Bob", true)),
            ],
        ),
    ] {
        assert_eq!(PresenceChange::between(&before, &after), changes);
    }
}
