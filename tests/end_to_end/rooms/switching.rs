//! What strangers try at the moment of going to another room.

use serde_json::json;

use super::{guest_in, two_more};
use crate::kit::{TestRoom, Visitor};

/// The limit of a room holds for what was sent before its welcome, too.
#[tokio::test]
async fn what_is_sent_behind_a_hello_is_held_to_the_limits_of_the_room_it_comes_to() {
    let house = TestRoom::open_with(|settings| {
        two_more(settings);
        settings.rooms[0].room.message_bytes = 10;
    })
    .await;
    let mut tea = guest_in(&house, "tea", "Cleo").await;
    let mut ann = house.guest("Ann").await;
    ann.send(json!({ "type": "hello", "room": "tea", "name": "Ann" })).await;
    let long = "much too long for this room";
    ann.send(json!({ "type": "say", "id": "1", "text": long })).await;
    ann.send(json!({ "type": "whisper", "id": "2", "to": tea.id(), "text": long })).await;
    ann.send(json!({ "type": "say", "id": "3", "text": "short" })).await;
    ann.expect("welcome").await;
    assert_eq!(ann.expect_error().await, "text_too_long");
    assert_eq!(ann.expect_error().await, "text_too_long");
    assert_eq!(tea.expect("message").await["text"], "short");
}

/// After the welcome comes nothing of the room before, however much is said there.
#[tokio::test]
async fn nothing_of_the_room_before_comes_after_the_welcome() {
    let house = TestRoom::open_with(|settings| {
        two_more(settings);
        for room in settings.rooms.iter_mut().map(|room| &mut room.room).chain([&mut settings.room]) {
            (room.messages_per_minute, room.room_messages_per_minute, room.joins_per_minute) = (0, 0, 0);
        }
    })
    .await;
    let mut talkers = [house.guest("Ben").await, guest_in(&house, "tea", "Cleo").await];
    let mut ann = house.guest("Ann").await;
    for round in 0..40 {
        let (here, room) = if round % 2 == 0 { (1, "tea") } else { (0, "main") };
        for number in 0..10 {
            for (place, talker) in talkers.iter_mut().enumerate() {
                let text = if place == 0 { "main" } else { "tea" };
                talker.send(json!({ "type": "say", "id": format!("{round}-{number}"), "text": text })).await;
            }
            if number == 5 {
                ann.send(json!({ "type": "hello", "room": room, "newest": 1, "name": "Ann" })).await;
            }
        }
        while ann.next().await["type"] != "welcome" {}
        let last = json!({ "type": "say", "id": format!("{round}-last"), "text": "last" });
        talkers[here].send(last).await;
        loop {
            let event = ann.next().await;
            if event["type"] == "message" {
                let text = event["text"].as_str().unwrap();
                assert!(text == room || text == "last", "{round}: {event}");
                if text == "last" {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn other_methods_and_spellings_lead_to_no_room() {
    let house = TestRoom::open_with(two_more).await;
    let visitor = Visitor::stranger(&house);
    for (method, path, status) in [
        ("GET", "//rooms/tea/page", 404),
        ("GET", "/rooms//page", 404),
        ("GET", "/rooms/%74ea/../attic/page", 404),
        ("GET", "/ROOMS/tea/page", 404),
        ("GET", "/rooms/tea/page/", 404),
        ("OPTIONS", "/rooms/tea/guests", 405),
        ("DELETE", "/rooms", 405),
        ("PUT", "/rooms/tea", 405),
        ("TRACE", "/rooms/tea/page", 405),
    ] {
        let answer = visitor.request(method, path, &[], "").await;
        assert_eq!(answer.status, status, "{method} {path}");
    }
}
