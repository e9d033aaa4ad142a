//! Input that breaks WebSocket itself, and the close codes for it (RFC 6455, section 7.4.1).

use std::time::Duration;

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
        ("a fragmented close", frame(0x08, true, &1014u16.to_be_bytes()), 1002),
        ("a close with half a code", frame(0x88, true, b"\x03"), 1002),
        ("a long close", frame(0x88, true, &[&1014u16.to_be_bytes()[..], &[b'a'; 124]].concat()), 1002),
        ("a close whose reason is not UTF-8", frame(0x88, true, b"\x03\xf6\xff"), 1007),
        ("a hello that never comes is told apart", frame(0x88, true, &1000u16.to_be_bytes()), 1000),
    ] {
        let mut raw = upgraded(&room).await;
        raw.write(&bytes).await;
        assert_eq!(raw.close_code().await, code, "{what}");
        assert!(raw.ended().await, "{what}");
    }
}

/// RFC 6455, section 7.4: what the registry has and what is for libraries and applications comes back; what is not for frames,
/// not registered or no code at all breaks the protocol, as in browsers and other servers.
#[tokio::test]
async fn a_close_frame_comes_back_with_its_code() {
    let room = TestRoom::open().await;
    let valid =
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
    let invalid = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535];
    for (sent, answer) in valid.map(|code| (code, code)).into_iter().chain(invalid.map(|code| (code, 1002))) {
        let mut raw = upgraded(&room).await;
        raw.write(&frame(0x88, true, &u16::to_be_bytes(sent))).await;
        assert_eq!(raw.close_code().await, answer, "{sent}");
        assert!(raw.ended().await, "{sent}");
    }
}

#[tokio::test]
async fn a_close_frame_may_come_byte_by_byte_and_between_fragments() {
    let room = TestRoom::open().await;
    let close = [&1014u16.to_be_bytes()[..], b"why"].concat();
    let mut raw = upgraded(&room).await;
    raw.write(&frame(0x01, true, br#"{"type":"#)).await;
    for byte in frame(0x88, true, &close) {
        raw.write(&[byte]).await;
    }
    assert_eq!(raw.frame().await, (0x88, close));
    assert!(raw.ended().await);
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

/// Not to be mistaken for a guest whose input waits to be decoded, and who is not asked meanwhile.
#[tokio::test(start_paused = true)]
async fn a_guest_who_falls_silent_within_a_frame_is_pinged_and_let_go() {
    let room = TestRoom::in_memory(|settings| settings.listen.idle_ping = Duration::from_secs(5)).await;
    for begun in [&b"\x81"[..], b"\x81\x85\0\0\0\0a", b"\x88\x82\0\0\0\0\x03"] {
        let mut raw = upgraded(&room).await;
        raw.write(&frame(0x81, true, br#"{"type":"hello"}"#)).await;
        raw.write(begun).await;
        while raw.frame().await.0 != 0x89 {}
        assert!(raw.ended().await, "{begun:?}");
    }
}
