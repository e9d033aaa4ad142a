//! The opening handshake, RFC 6455 to the byte.

use crate::kit::TestRoom;
use crate::kit::raw::{Answer, frame};

/// The request that a certain lecture gives, with the room's own Host.
const GOLDEN: [&str; 6] = [
    "GET /chat HTTP/1.1",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
    "Sec-WebSocket-Protocol: chat, superchat",
    "Sec-WebSocket-Version: 13",
];

/// The golden request with the line that begins like `line` replaced by it, or removed if it has no value.
async fn ask(room: &TestRoom, line: &str) -> Answer {
    let host = format!("Host: {}", room.host());
    let name = line.split(':').next().unwrap();
    let mut lines: Vec<&str> = GOLDEN.into_iter().filter(|golden| !golden.starts_with(name)).collect();
    if line.starts_with("POST") || line.starts_with("HEAD") {
        lines[0] = line;
    } else if line.contains(':') {
        lines.push(line);
    }
    lines.push(&host);
    room.raw().await.request(&lines).await
}

#[tokio::test]
async fn the_golden_handshake() {
    let room = TestRoom::open().await;
    let mut raw = room.raw().await;
    let host = format!("Host: {}", room.host());
    let answer = raw.request(&[&GOLDEN[..], &[&host]].concat()).await;
    assert_eq!(answer.status, 101);
    let mut headers = answer.headers.clone();
    headers.sort();
    let expected = [
        ("connection", "Upgrade"),
        ("sec-websocket-accept", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
        ("sec-websocket-protocol", "chat"),
        ("upgrade", "websocket"),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));

    raw.write(&frame(0x81, true, br#"{"type":"ping"}"#)).await;
    assert_eq!(raw.frame().await, (0x81, br#"{"type":"pong"}"#.to_vec()));
}

#[tokio::test]
async fn frames_sent_together_with_the_handshake_count() {
    let room = TestRoom::open().await;
    let mut raw = room.raw().await;
    let mut bytes = format!("{}\r\nHost: {}\r\n\r\n", GOLDEN.join("\r\n"), room.host()).into_bytes();
    bytes.extend(frame(0x81, true, br#"{"type":"ping"}"#));
    raw.write(&bytes).await;
    assert_eq!(raw.answer().await.status, 101);
    assert_eq!(raw.frame().await.1, br#"{"type":"pong"}"#);
}

#[tokio::test]
async fn without_an_offer_the_rules_apply_without_the_header() {
    let room = TestRoom::open().await;
    let answer = ask(&room, "Sec-WebSocket-Protocol").await;
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("sec-websocket-protocol"), None);
}

#[tokio::test]
async fn another_subprotocol_is_told_which_one_is_spoken() {
    let room = TestRoom::open().await;
    let answer = ask(&room, "Sec-WebSocket-Protocol: superchat").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains(r#"\"chat\""#), "{}", answer.text());
}

#[tokio::test]
async fn another_version_is_told_which_one_is_spoken() {
    let room = TestRoom::open().await;
    for version in ["Sec-WebSocket-Version: 8", "Sec-WebSocket-Version: 14", "Sec-WebSocket-Version"] {
        let answer = ask(&room, version).await;
        assert_eq!(answer.status, 426, "{version}");
        assert_eq!(answer.header("sec-websocket-version"), Some("13"));
    }
}

#[tokio::test]
async fn what_is_no_handshake_gets_the_right_status() {
    let room = TestRoom::open().await;
    for (line, status) in [
        ("Sec-WebSocket-Key", 400),
        ("Sec-WebSocket-Key: dG9vIHNob3J0", 400),
        ("Sec-WebSocket-Key: !!!!HMbDL1EzLkh9GBhXDw==", 400),
        ("Upgrade", 426),
        ("Connection: keep-alive", 426),
        ("POST /chat HTTP/1.1", 405),
        ("HEAD /chat HTTP/1.1", 405),
        ("Origin: http://evil.example", 403),
        ("Origin: null", 403),
    ] {
        let answer = ask(&room, line).await;
        assert_eq!(answer.status, status, "{line}");
        assert_eq!(answer.header("allow"), (status == 405).then_some("GET"), "{line}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{line}");
    }
    let own = format!("Origin: http://{}", room.host());
    assert_eq!(ask(&room, &own).await.status, 101);
}
