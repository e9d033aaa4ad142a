//! What hosts of one room decide, for newcomers and of messages, says nothing about another room; and a host of one room does not
//! end the others.

use serde_json::{Value, json};

use super::{guest_in, two_more};
use crate::kit::{Guest, TestRoom, Visitor};

async fn act(host: &mut Guest, id: &str, mut act: Value) {
    (act["type"], act["id"]) = ("act".into(), id.into());
    host.send(act).await;
    host.expect("acknowledged").await;
}

/// A host of the room `tea`, as its first host becomes one: by a link.
async fn host_of_tea(house: &TestRoom) -> Guest {
    let mut host = guest_in(house, "tea", "Hanna").await;
    let link = house.link_in("tea").await;
    host.send(json!({ "type": "claim", "id": "c", "link": link })).await;
    host.expect("acknowledged").await;
    host
}

async fn refused(guest: &mut Guest, members: Value) -> Value {
    let mut hello = members;
    hello["type"] = "hello".into();
    guest.send(hello).await;
    guest.expect("error").await["code"].clone()
}

#[tokio::test]
async fn a_password_of_one_room_is_asked_for_there_alone_and_one_who_gives_none_stays() {
    let house = TestRoom::open_with(two_more).await;
    let mut host = host_of_tea(&house).await;
    act(&mut host, "p", json!({ "act": "password", "text": "two lumps" })).await;
    // The main room asks for none, and from there a guest goes on only with it.
    let mut ann = house.guest("Ann").await;
    assert_eq!(refused(&mut ann, json!({ "room": "tea" })).await, "password_needed");
    assert_eq!(refused(&mut ann, json!({ "room": "tea", "password": "three" })).await, "password_wrong");
    ann.say("1", "still in the main room").await;
    act(&mut host, "l", json!({ "act": "lock", "locked": true })).await;
    assert_eq!(refused(&mut ann, json!({ "room": "tea", "password": "two lumps" })).await, "locked");
    ann.say("2", "and still").await;
    act(&mut host, "u", json!({ "act": "lock", "locked": false })).await;
    ann.hello_as(json!({ "room": "tea", "name": "Ann", "password": "two lumps" })).await;
    assert_eq!(ann.welcome["room"]["name"], "tea");

    let visitor = Visitor::stranger(&house);
    let answer = visitor.post("/rooms/tea/guests", json!({ "name": "Bob" })).await;
    assert_eq!((answer.status, &answer.json()["code"]), (403, &json!("password_needed")));
    assert_eq!(visitor.post("/rooms/main/guests", json!({ "name": "Bob" })).await.status, 201);
    for (room, asks) in [("main", false), ("tea", true), ("attic", false)] {
        let entry = visitor.get(&format!("/rooms/{room}/page")).await;
        assert_eq!(entry.text().contains("name=\"password\""), asks, "{room}");
    }
}

#[tokio::test]
async fn one_who_waits_in_one_room_is_listed_there_alone() {
    let house = TestRoom::open_with(two_more).await;
    let mut host = host_of_tea(&house).await;
    act(&mut host, "a", json!({ "act": "approval", "approval": true })).await;
    let mut ann = house.guest("Ann").await;
    assert_eq!(refused(&mut ann, json!({ "room": "tea", "name": "Ann" })).await, "waiting");
    assert!(house.waiting().await.is_empty(), "the main room's list");
    host.send(json!({ "type": "waiting" })).await;
    let listed = loop {
        let event = host.expect("waiting").await;
        if let Some(guests) = event["guests"].as_array() {
            break guests.clone();
        }
    };
    assert_eq!((listed.len(), &listed[0]["name"]), (1, &json!("Ann")));
    act(&mut host, "in", json!({ "act": "admit", "of": listed[0]["id"] })).await;
    ann.hello_as(json!({ "room": "tea", "name": "Ann" })).await;
    assert_eq!(ann.welcome["room"]["name"], "tea");
}

#[tokio::test]
async fn words_and_names_are_of_one_room() {
    let house = TestRoom::open_with(two_more).await;
    let mut host = host_of_tea(&house).await;
    act(&mut host, "w", json!({ "act": "words", "words": ["scam"] })).await;
    act(&mut host, "n", json!({ "act": "reserve" })).await;
    let mut ann = house.guest("Ann").await;
    ann.say("1", "no scam").await;
    assert_eq!(ann.expect("message").await["text"], "no scam");
    let mut bob = guest_in(&house, "tea", "Bob").await;
    bob.send(json!({ "type": "say", "id": "1", "text": "no scam" })).await;
    assert_eq!(bob.expect("acknowledged").await["held"], true);
    host.send(json!({ "type": "leave" })).await;
    assert_eq!(house.guest("Hanna").await.welcome["guest"]["name"], "Hanna");
    let mut other = house.stranger().await;
    assert_eq!(refused(&mut other, json!({ "room": "tea", "name": "Hanna" })).await, "name_reserved");
}

#[tokio::test]
async fn a_host_of_another_room_than_the_main_one_wipes_nothing() {
    let house = TestRoom::open_with(two_more).await;
    let _asked = house.takes_wipes();
    let mut visitor = Visitor::stranger(&house);
    let joined = visitor.post("/rooms/tea/guests", json!({ "name": "Hanna" })).await;
    visitor.welcome = joined.json();
    let link = house.link_in("tea").await;
    assert_eq!(visitor.post("/rooms/tea/claims", json!({ "id": "c", "link": link })).await.status, 201);
    for (room, title) in [("tea", "Tea at five"), ("tea", "onionroom"), ("main", "onionroom")] {
        let answer = visitor.post(&format!("/rooms/{room}/wipe"), json!({ "confirm": title })).await;
        assert_eq!((answer.status, &answer.json()["code"]), (403, &json!("not_allowed")), "{room} {title}");
    }
    assert_eq!(house.guest("Ann").await.welcome["room"]["name"], "main");
}
