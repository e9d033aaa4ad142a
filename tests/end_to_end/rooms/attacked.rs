//! What strangers try with the names of rooms.

use serde_json::json;

use super::{guest_in, two_more};
use crate::kit::memory::ONION;
use crate::kit::{TestRoom, Visitor};

#[tokio::test]
async fn a_name_leads_nowhere_but_to_a_room() {
    let house = TestRoom::open_with(two_more).await;
    let visitor = Visitor::stranger(&house);
    let long = "x".repeat(4000);
    for name in [
        "..", ".", "Tea", "TEA", "tea%2f", "tea%00", "..%2ftea", "%2e%2e", "t%c3%a9a", "%ff", "nothing",
        &long,
    ] {
        for path in ["guests", "page", "page/say"] {
            let method = if path == "guests" { "POST" } else { "GET" };
            let answer = visitor.request(method, &format!("/rooms/{name}/{path}"), &[], "").await;
            assert_eq!(answer.status, 404, "{name} {path}: {}", answer.text());
            assert!(answer.body.len() < 4000, "no name comes back whole");
        }
    }
    for name in ["..", "Tea", "tea ", "", "\u{442}ea", "tea\0", &"x".repeat(2000)] {
        let mut guest = house.stranger().await;
        guest.send(json!({ "type": "hello", "name": "Ann", "room": name })).await;
        assert_eq!(guest.expect_error().await, "unknown_room", "{name}");
        // Another hello may be sent.
        guest.hello_as(json!({ "name": "Ann", "room": "tea" })).await;
        guest.send(json!({ "type": "leave" })).await;
        guest.closed().await;
    }
    let mut tea = guest_in(&house, "tea", "Ann").await;
    tea.say("1", "the room goes on").await;
}

/// One circuit that joins every room there is.
#[tokio::test]
async fn one_circuit_cannot_have_every_room_opened() {
    let house = TestRoom::in_memory(|settings| {
        settings.room.joins_per_minute = 20;
        for number in 0..1000 {
            settings.rooms.push(settings.extra_room(&format!("room-{number}"), None, true).unwrap());
        }
    })
    .await;
    let join = async |circuit, number| {
        let mut raw = house.raw_on(circuit).unwrap();
        let head = format!("POST /rooms/room-{number}/guests HTTP/1.1\r\nHost: {ONION}\r\n");
        raw.write(
            format!("{head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}").as_bytes(),
        )
        .await;
        raw.answer().await.status
    };
    let mut inside = 0;
    for number in 0..100 {
        match join(1, number).await {
            201 => inside += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert!((1..=10).contains(&inside), "{inside}");
    assert_eq!(join(2, 500).await, 201, "another circuit gets in");
}
