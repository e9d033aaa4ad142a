//! Closing: guests are told, nothing is left waiting.

use serde_json::json;
use tokio::net::TcpStream;

use crate::kit::{Guest, TestRoom, narrow, within};

#[tokio::test]
async fn guests_are_told_and_the_port_is_free() {
    let room = TestRoom::open().await;
    let address = room.address();
    let (mut ann, mut stranger) = (room.guest("Ann").await, room.stranger().await);
    let idle = room.connect().await;
    within("closing", room.close()).await;
    assert_eq!(ann.closed().await.0, 1001);
    assert_eq!(stranger.closed().await.0, 1001);
    drop(idle);
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_guest_who_does_not_read_does_not_hold_it_up() {
    let room = TestRoom::open().await;
    let socket = narrow();
    let mut stalled = Guest::connect(socket.connect(room.address()).await.unwrap(), &room.host()).await;
    stalled.hello("Stalled").await;
    let mut ann = room.guest("Ann").await;
    for number in 0..1000 {
        ann.send(json!({ "type": "say", "id": number.to_string(), "text": "x".repeat(4096) })).await;
        ann.expect("acknowledged").await;
    }
    within("closing", room.close()).await;
    assert_eq!(ann.closed().await.0, 1001);
}
