//! Input that breaks WebSocket itself, and the close codes for it (RFC 6455, section 7.4.1).

use crate::kit::TestRoom;
use crate::kit::raw::{Raw, frame};

async fn upgraded(room: &TestRoom) -> Raw {
    let mut raw = room.raw().await;
    let host = format!("Host: {}", room.host());
    let answer = raw
        .request(&[
            "GET /chat HTTP/1.1",
            &host,
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
            "Sec-WebSocket-Version: 13",
        ])
        .await;
    assert_eq!(answer.status, 101);
    raw
}

#[tokio::test]
async fn each_violation_has_its_close_code() {
    let room = TestRoom::open().await;
    for (what, bytes, code) in [
        ("an unmasked frame", frame(0x81, false, b"{}"), 1002),
        ("a reserved opcode", frame(0x83, true, b"{}"), 1002),
        ("a reserved bit", frame(0xc1, true, b"{}"), 1002),
        ("a fragmented ping", frame(0x09, true, b""), 1002),
        ("a long ping", frame(0x89, true, &[b'a'; 126]), 1002),
        ("a continuation of nothing", frame(0x80, true, b"{}"), 1002),
        ("text that is not UTF-8", frame(0x81, true, &[0xff, 0xfe]), 1007),
        ("a frame of more than 64 KiB", frame(0x81, true, &[b'a'; 65 * 1024]), 1009),
        ("a hello that never comes is told apart", frame(0x88, true, &1000u16.to_be_bytes()), 1000),
    ] {
        let mut raw = upgraded(&room).await;
        raw.write(&bytes).await;
        assert_eq!(raw.close_code().await, code, "{what}");
        assert!(raw.ended().await, "{what}");
    }
}

#[tokio::test]
async fn fragments_of_a_message_too_large_are_too_large_together() {
    let room = TestRoom::open().await;
    let mut raw = upgraded(&room).await;
    raw.write(&frame(0x01, true, &[b'a'; 40 * 1024])).await;
    raw.write(&frame(0x80, true, &[b'a'; 40 * 1024])).await;
    assert_eq!(raw.close_code().await, 1009);
}

#[tokio::test]
async fn pings_are_answered_also_between_fragments() {
    let room = TestRoom::open().await;
    let mut raw = upgraded(&room).await;
    raw.write(&frame(0x01, true, br#"{"type":"#)).await;
    raw.write(&frame(0x89, true, b"are you there")).await;
    raw.write(&frame(0x80, true, br#""ping"}"#)).await;
    assert_eq!(raw.frame().await, (0x8a, b"are you there".to_vec()));
    assert_eq!(raw.frame().await, (0x81, br#"{"type":"pong"}"#.to_vec()));
}
