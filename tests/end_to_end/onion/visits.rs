//! What every visitor does: load the page, shake hands, talk.

use super::room::OnionRoom;
use super::visitor::Visitors;
use crate::kit::Guest;

/// The page comes whole, in one small answer.
pub(crate) async fn the_page_loads(visitors: &Visitors, host: &str) {
    let mut raw = visitors.raw(host).await;
    let asked = ["GET / HTTP/1.1", &format!("Host: {host}"), "Accept-Encoding: gzip, deflate"];
    let answer = raw.request(&asked).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert!(answer.body.len() <= 20_000, "{} bytes", answer.body.len());
}

/// The handshake to the byte, and one frame each way.
pub(crate) async fn the_golden_handshake(visitors: &Visitors, host: &str) {
    let mut raw = visitors.raw(host).await;
    let lines = [
        "GET /chat HTTP/1.1",
        &format!("Host: {host}"),
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
        "Sec-WebSocket-Protocol: chat, superchat",
        "Sec-WebSocket-Version: 13",
        &format!("Origin: http://{host}"),
    ];
    let answer = raw.request(&lines).await;
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("sec-websocket-accept"), Some("HSmrc0sMlYUkAGmm5OPpG2HaGWk="));
    assert_eq!(answer.header("sec-websocket-protocol"), Some("chat"));
}

/// Two guests who share nothing but the room. The room has kept no message with this `greeting`.
pub(crate) async fn two_guests_talk(visitors: &Visitors, host: &str, greeting: &str) {
    let answer = format!("{greeting} to you");
    let mut ann = visitors.guest("Ann", host).await;
    let mut bob = visitors.guest("Bob", host).await;
    assert_ne!(visitors.circuit_of("Ann").await, visitors.circuit_of("Bob").await);
    assert_eq!(ann.expect("joined").await["guest"]["name"], "Bob");

    ann.say("1", greeting).await;
    assert_eq!(hears(&mut bob, greeting).await, ann.id());
    bob.say("1", &answer).await;
    assert_eq!(hears(&mut ann, &answer).await, bob.id());
    for guest in [&mut ann, &mut bob] {
        guest.send(serde_json::json!({ "type": "leave" })).await;
        assert_eq!(guest.closed().await.0, 1000);
    }
}

/// Waits for a message with this text, past those from before; answers with its author.
pub(crate) async fn hears(guest: &mut Guest, text: &str) -> u64 {
    loop {
        let message = guest.expect("message").await;
        if message["text"] == text {
            return message["guest"].as_u64().unwrap();
        }
    }
}

/// A room that closes says so through Tor as well.
pub(crate) async fn closing_tells_the_guests(visitors: &Visitors, room: OnionRoom) {
    let mut guest = visitors.guest("Eve", room.host()).await;
    let (_, told) = tokio::join!(room.close(), guest.closed());
    assert_eq!(told.0, 1001);
}
