//! Limits and deadlines: refused, not queued; told, not left waiting.

use std::time::Duration;

use futures_util::StreamExt;
use onionroom::listen::LOOPBACK_RESERVE;
use serde_json::json;
use tokio_tungstenite::client_async;

use crate::kit::{TestRoom, within};

const SOON: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_full_room_says_so() {
    let room = TestRoom::open_with(|settings| settings.room.guests = 2).await;
    let (_ann, bob) = (room.guest("Ann").await, room.guest("Bob").await);
    let mut eve = room.stranger().await;
    eve.send(json!({ "type": "hello", "name": "Eve" })).await;
    let (code, events) = eve.closed().await;
    assert_eq!((code, &events[0]["code"]), (1013, &json!("room_full")));
    drop(bob);
    // The seat is free as soon as the room has noticed.
    within("a free seat", async {
        loop {
            let mut eve = room.stranger().await;
            eve.send(json!({ "type": "hello", "name": "Eve" })).await;
            if eve.next().await["type"] == "welcome" {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn connections_over_the_limit_are_refused_at_once() {
    let room = TestRoom::open_with(|settings| settings.listen.connections = 2).await;
    let (mut ann, _bob) = (room.guest("Ann").await, room.guest("Bob").await);
    let mut reserve = Vec::new();
    for _ in 0..LOOPBACK_RESERVE {
        reserve.push(room.raw().await);
    }
    let mut one_more = room.raw().await;
    assert_eq!(one_more.answer().await.status, 503);
    assert!(one_more.ended().await);
    // An upgraded connection holds its place until it ends.
    ann.send(json!({ "type": "leave" })).await;
    ann.closed().await;
    ann.gone().await;
    within("a free place", async {
        loop {
            let mut raw = room.raw().await;
            let host = format!("Host: {}", room.host());
            if raw.request(&["GET / HTTP/1.1", &host]).await.status == 200 {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_guest_who_never_says_hello_is_let_go() {
    let room = TestRoom::open_with(|settings| settings.listen.hello = SOON).await;
    let mut stranger = room.stranger().await;
    assert_eq!(stranger.closed().await.0, 1008);
}

#[tokio::test]
async fn errors_do_not_put_the_hello_off() {
    let room = TestRoom::open_with(|settings| settings.listen.hello = SOON).await;
    let mut stranger = room.stranger().await;
    stranger.send_text("{}").await;
    assert_eq!(stranger.closed().await.0, 1008);
}

#[tokio::test]
async fn a_request_that_never_ends_is_let_go() {
    let room = TestRoom::open_with(|settings| settings.listen.request_head = SOON).await;
    for beginning in ["", "GET / HTTP/1.1\r\nHost: "] {
        let mut raw = room.raw().await;
        raw.write(beginning.as_bytes()).await;
        while !raw.ended().await {} // it may say 408 first
    }
}

#[tokio::test]
async fn a_head_too_large_is_refused() {
    let room = TestRoom::open().await;
    let mut raw = room.raw().await;
    let host = format!("Host: {}", room.host());
    let long = format!("X: {}", "x".repeat(40_000));
    assert_eq!(raw.request(&["GET / HTTP/1.1", &host, &long]).await.status, 431);
}

#[tokio::test]
async fn a_guest_who_answers_pings_stays_and_one_who_does_not_is_let_go() {
    let room = TestRoom::open_with(|settings| settings.listen.idle_ping = SOON).await;
    let mut ann = room.guest("Ann").await;
    // Bob's program never polls its socket, so nothing answers for him.
    let request = format!("ws://{}/chat", room.host());
    let (mut bob, _) = client_async(request, room.connect().await).await.unwrap();
    futures_util::SinkExt::send(&mut bob, r#"{"type":"hello","name":"Bob"}"#.into()).await.unwrap();
    // Ann's does, while she waits.
    assert_eq!(ann.expect("joined").await["guest"]["name"], "Bob");
    assert_eq!(ann.expect("away").await["guest"]["name"], "Bob");
    assert_eq!(ann.say("1", "still here").await, 1);
    while within("the end", bob.next()).await.is_some_and(|frame| frame.is_ok()) {}
}
