//! A guest who goes from room to room on one WebSocket.

use serde_json::{Value, json};

use super::{guest_in, two_more};
use crate::kit::{Guest, TestRoom};

/// Goes to this room; the welcome there.
async fn go(guest: &mut Guest, room: &str) -> Value {
    let token = guest.welcome["token"].clone();
    guest.hello_as(json!({ "room": room, "token": token, "name": "Ann" })).await
}

#[tokio::test]
async fn a_second_hello_moves_the_guest_and_what_they_read() {
    let house = TestRoom::open_with(two_more).await;
    let mut main = house.guest("Ben").await;
    let mut tea = guest_in(&house, "tea", "Cleo").await;
    let mut ann = house.guest("Ann").await;
    let rooms: Vec<_> = ann.welcome["rooms"].as_array().unwrap().iter().map(|room| &room["name"]).collect();
    assert_eq!(rooms, ["main", "tea"]);
    for round in 0..20 {
        let (here, there, room) =
            if round % 2 == 0 { (&mut tea, &mut main, "tea") } else { (&mut main, &mut tea, "main") };
        let welcome = go(&mut ann, room).await;
        assert_eq!(welcome["room"]["name"], room);
        assert_eq!(there.expect("left").await["guest"]["name"], "Ann");
        assert_eq!(here.expect("joined").await["guest"]["name"], "Ann");
        // Said in both: Ann gets what is said where she is, and nothing of the other.
        there.say(&format!("t{round}"), "elsewhere").await;
        let said = here.say(&format!("h{round}"), &format!("here {round}")).await;
        loop {
            let event = ann.next().await;
            if event["type"] == "message" {
                assert_ne!(
                    (&event["text"], event["seq"].as_u64() == Some(said)),
                    (&json!("elsewhere"), true)
                );
                if event["text"] == format!("here {round}") {
                    break;
                }
            }
        }
        ann.say(&format!("a{round}"), "it is nice here").await;
        assert_eq!(here.expect("message").await["type"], "message");
    }
}

#[tokio::test]
async fn who_may_not_go_stays() {
    let house = TestRoom::open_with(two_more).await;
    let mut tea = guest_in(&house, "tea", "Cleo").await;
    let mut ann = house.guest("Ann").await;
    for (hello, code) in [
        (json!({ "type": "hello", "room": "nothing" }), "unknown_room"),
        (json!({ "type": "hello", "room": "tea", "name": "Cleo" }), "name_taken"),
        (json!({ "type": "hello", "room": "main" }), "hello_again"),
        (json!({ "type": "hello" }), "hello_again"),
    ] {
        ann.send(hello).await;
        loop {
            let event = ann.next().await;
            if event["type"] == "error" {
                break assert_eq!(event["code"], code);
            }
        }
    }
    ann.say("1", "still here").await;
    tea.say("1", "and the others too").await;
}

#[tokio::test]
async fn guests_are_told_of_the_other_rooms() {
    let house = TestRoom::open_with(two_more).await;
    let mut ann = house.guest("Ann").await;
    let mut cleo = guest_in(&house, "tea", "Cleo").await;
    let head = cleo.say("1", "over tea").await;
    loop {
        let event = ann.expect("rooms").await;
        let rooms = event["rooms"].as_array().unwrap();
        assert!(
            rooms.iter().all(|room| room["name"] == "tea"),
            "nothing of her own room, nor of those not listed: {event}"
        );
        if rooms[0]
            == json!({ "name": "tea", "title": "Tea at five", "head": head, "said": head, "guests": 1 })
        {
            break;
        }
    }
}

/// Seats count over all rooms, and to go from one to another needs none beside the one that the guest has.
#[tokio::test]
async fn in_a_full_house_guests_can_go_from_room_to_room() {
    let house = TestRoom::in_memory(|settings| {
        two_more(settings);
        settings.room.guests = 3;
        settings.rooms.iter_mut().for_each(|room| room.room.guests = 3);
    })
    .await;
    let mut guests = Vec::new();
    for (circuit, room) in [(1, "main"), (2, "tea"), (3, "tea")] {
        let mut guest = house.stranger_on(circuit).await;
        guest.hello_as(json!({ "room": room, "name": format!("Guest {circuit}") })).await;
        guests.push(guest);
    }
    for room in ["attic", "main", "tea"] {
        let mut late = house.stranger_on(4).await;
        late.send(json!({ "type": "hello", "room": room })).await;
        assert_eq!(late.expect_error().await, "room_full", "{room}");
    }
    for room in ["tea", "attic", "main"] {
        let token = guests[0].welcome["token"].clone();
        guests[0].hello_as(json!({ "room": room, "token": token })).await;
    }
    guests.remove(0);
    // Her seat is held for a while, and it is one of three still: no more than three.
    let mut late = house.stranger_on(4).await;
    late.send(json!({ "type": "hello", "room": "attic" })).await;
    assert_eq!(late.expect_error().await, "room_full");
}

/// The circuit that holds most seats over all rooms gives one up, wherever that is.
#[tokio::test]
async fn seats_are_shared_between_circuits_over_all_rooms() {
    let house = TestRoom::in_memory(|settings| {
        two_more(settings);
        settings.room.guests = 4;
        settings.rooms.iter_mut().for_each(|room| room.room.guests = 4);
    })
    .await;
    let mut greedy = Vec::new();
    for (number, room) in ["tea", "attic", "tea", "tea"].into_iter().enumerate() {
        let mut guest = house.stranger_on(1).await;
        guest.hello_as(json!({ "room": room, "name": format!("Greedy {number}") })).await;
        greedy.push(guest);
    }
    let mut ann = house.stranger_on(2).await;
    ann.hello_as(json!({ "room": "main", "name": "Ann" })).await;
    // The newest of those in the room where that circuit has most.
    let (code, events) = greedy[3].closed().await;
    assert_eq!((code, &events.last().unwrap()["code"]), (1013, &json!("room_full")));
    let mut ben = house.stranger_on(3).await;
    ben.hello_as(json!({ "room": "attic", "name": "Ben" })).await;
    assert_eq!(greedy[1].closed().await.0, 1013, "the one in the same room");
    greedy[0].say("1", "two are left").await;
    greedy[2].say("1", "two are left").await;
}
