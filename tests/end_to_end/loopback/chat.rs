//! What guests say to each other, and what they are told when they say it wrong.

use onionroom::protocol::{Badge, GuestId};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::kit::TestRoom;

#[tokio::test]
async fn two_guests_talk() {
    let room = TestRoom::open().await;
    let mut ann = room.guest("Ann").await;
    assert_eq!(ann.welcome["guests"].as_array().unwrap().len(), 1);
    assert_eq!((&ann.welcome["head"], &ann.welcome["first"]), (&json!(0), &json!(1)));
    let mut bob = room.guest("Bob").await;
    assert_eq!(bob.welcome["guests"].as_array().unwrap().len(), 2);
    let badge = Badge::of(GuestId(bob.id()));
    assert_eq!(ann.expect("joined").await["guest"], json!({ "id": bob.id(), "name": "Bob", "badge": badge }));

    assert_eq!(ann.say("a1", "good evening\nBob <b>&amp;</b>").await, 1);
    let heard = bob.expect("message").await;
    assert_eq!(heard["text"], "good evening\nBob <b>&amp;</b>");
    assert_eq!(
        (&heard["guest"], &heard["name"], &heard["seq"]),
        (&json!(ann.id()), &json!("Ann"), &json!(1))
    );
    assert_eq!(bob.say("b1", "hello").await, 2);

    bob.send(json!({ "type": "rename", "name": "Bobby" })).await;
    let renamed = ann.expect("renamed").await;
    assert_eq!((&renamed["was"], &renamed["guest"]["name"]), (&json!("Bob"), &json!("Bobby")));

    bob.send(json!({ "type": "leave" })).await;
    assert_eq!(bob.closed().await.0, 1000);
    assert_eq!(ann.expect("left").await["guest"]["name"], "Bobby");
}

#[tokio::test]
async fn a_guest_without_a_name_is_given_one() {
    let room = TestRoom::open().await;
    let mut guest = room.stranger().await;
    let welcome = guest.hello_as(json!({})).await;
    assert!(!welcome["guest"]["name"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn names_that_look_the_same_are_taken() {
    let room = TestRoom::open().await;
    let _bob = room.guest("bob!").await;
    let mut other = room.stranger().await;
    for name in ["bob!", "BOB!", "вов!", " bob! ", "b0b"] {
        other.send(json!({ "type": "hello", "name": name })).await;
        assert_eq!(other.expect_error().await, "name_taken", "{name}");
    }
    other.send(json!({ "type": "hello", "name": "evil\u{202e}lla" })).await;
    assert_eq!(other.expect_error().await, "name_forbidden");
    other.hello("Rob").await;
    other.send(json!({ "type": "rename", "name": "Bob!" })).await;
    assert_eq!(other.expect_error().await, "name_taken");
}

#[tokio::test]
async fn bad_input_gets_an_error_and_the_connection_lives() {
    let room = TestRoom::open().await;
    let mut guest = room.stranger().await;
    guest.send(json!({ "type": "say", "id": "1", "text": "too early" })).await;
    assert_eq!(guest.expect_error().await, "hello_first");
    guest.send(json!({ "type": "hello", "room": "attic" })).await;
    assert_eq!(guest.expect_error().await, "unknown_room");
    guest.hello("Ann").await;
    for (frame, code) in [
        ("".to_owned(), "not_json"),
        ("good evening".to_owned(), "not_json"),
        ("[1]".to_owned(), "not_an_object"),
        ("[".repeat(30_000), "too_deep"),
        ("{}".to_owned(), "missing_field"),
        (json!({ "type": 1 }).to_string(), "wrong_kind"),
        (json!({ "type": "shout" }).to_string(), "unknown_type"),
        (json!({ "type": "hello" }).to_string(), "hello_again"),
        (json!({ "type": "say", "id": "1" }).to_string(), "missing_field"),
        (json!({ "type": "say", "id": "1", "text": null }).to_string(), "missing_field"),
        (json!({ "type": "say", "id": "1", "text": ["x"] }).to_string(), "wrong_kind"),
        (json!({ "type": "say", "id": "", "text": "x" }).to_string(), "bad_id"),
        (json!({ "type": "say", "id": "1", "text": "" }).to_string(), "text_empty"),
        (json!({ "type": "say", "id": "1", "text": "x".repeat(4097) }).to_string(), "text_too_long"),
        (json!({ "type": "say", "id": "1", "text": "\u{7}" }).to_string(), "text_control"),
        (json!({ "type": "rename", "name": "" }).to_string(), "name_empty"),
        (json!({ "type": "rename", "name": "x".repeat(33) }).to_string(), "name_too_long"),
    ] {
        guest.send_text(&frame).await;
        assert_eq!(guest.expect_error().await, code, "{}", &frame[..frame.len().min(80)]);
    }
    guest.send_frame(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(guest.expect_error().await, "binary_reserved");
    assert_eq!(guest.say("still-here", "✓").await, 1);
}

#[tokio::test]
async fn a_message_sent_again_is_acknowledged_and_not_shown_twice() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let mut ann = room.guest("Ann").await;
    assert_eq!(ann.say("a1", "once").await, 1);
    assert_eq!(ann.say("a1", "once").await, 1);
    assert_eq!(ann.say("a2", "and on").await, 2);
    assert_eq!(bob.expect("message").await["text"], "once");
    assert_eq!(bob.expect("message").await["text"], "and on");
}

#[tokio::test]
async fn whoever_comes_back_takes_over_their_ghost_and_gets_what_they_missed() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let mut ghost = room.guest("Ann").await;
    bob.expect("joined").await;
    assert_eq!(bob.say("1", "seen").await, 1);
    assert_eq!(ghost.expect("message").await["seq"], 1);
    assert_eq!(bob.say("2", "missed").await, 2);

    let mut ann = room.stranger().await;
    let (token, epoch) = (ghost.welcome["token"].clone(), ghost.welcome["room"]["epoch"].clone());
    let hello = json!({ "name": "Ann", "token": token, "after": 1, "epoch": epoch });
    let welcome = ann.hello_as(hello).await;
    assert_eq!(welcome["resumed"], true);
    assert_eq!(welcome["guest"], ghost.welcome["guest"]);
    assert_eq!(ann.next().await["text"], "missed");
    let (code, last) = ghost.closed().await;
    assert_eq!(code, 4001);
    assert_eq!(last.last().unwrap()["code"], "taken_over");

    assert_eq!(ann.say("a1", "I am back").await, 3);
    let next = bob.next().await; // Bob's own acknowledgements and messages aside, no noise
    let mut rest = vec![next];
    while rest.last().unwrap()["seq"] != 3 {
        rest.push(bob.next().await);
    }
    assert!(
        rest.iter().all(|event| event["type"] == "message" || event["type"] == "acknowledged"),
        "{rest:?}"
    );
}

#[tokio::test]
async fn the_rooms_clock_is_its_own() {
    let room = TestRoom::open().await;
    let mut ann = room.guest("Ann").await;
    assert!(ann.welcome["clock"].as_u64().unwrap() < 60, "not the time of day");
    ann.send(json!({ "type": "say", "id": "1", "text": "now" })).await;
    assert!(ann.expect("message").await["at"].as_u64().unwrap() < 60);
}
