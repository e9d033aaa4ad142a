//! The memory that many connections of strangers hold. Figures are printed; the bounds are generous.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::kit::program::Program;
use crate::kit::raw::{Raw, frame};
use crate::kit::{Guest, Visitor, narrow, within};

/// Connections, below the limit of 1000.
const CONNECTIONS: usize = 950;

/// How many of them do not wait for the answer to the handshake with what they send. They come last: others would wait for
/// the budget behind them.
const AHEAD: usize = 20;

/// How many of them read the beginning of a response: fewer than may wait to be written to this machine.
const READ: usize = 100;

/// How much memory they may hold together.
const HELD_MAX: u64 = 64 * 1024 * 1024;

const MEGABYTE: f64 = 1e6;

/// A room that waits long for a hello: a slow machine takes its time for so many.
async fn started() -> (Program, SocketAddr) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("onionroom.toml");
    std::fs::write(&file, "[listen]\nhello_seconds = 600\n").unwrap();
    let words = [
        "--no-onion",
        "--ephemeral",
        "--local",
        "open",
        "--listen",
        "127.0.0.1:0",
        "--config",
        file.to_str().unwrap(),
    ];
    let mut program = Program::start(&words);
    let url = program.told("local").await;
    let address = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).unwrap();
    let address = address.parse().unwrap();
    (program, address)
}

/// A connection with a small buffer.
async fn connect(address: SocketAddr) -> Raw {
    Raw::new(narrow().connect(address).await.unwrap())
}

/// Prints and checks how much the program has grown.
fn grown(what: &str, program: &Program, before: u64) {
    let grown = program.resident_bytes().saturating_sub(before);
    let (each, all) = (grown as f64 / CONNECTIONS as f64 / 1e3, grown as f64 / MEGABYTE);
    println!("{CONNECTIONS} connections of {what}: {all:.1} MB more, {each:.1} kB each");
    assert!(grown < HELD_MAX, "{what}: {all:.1} MB");
}

/// Each empty text frame queued a refusal: 2,700 of them for one read of 16 KiB.
#[tokio::test]
async fn strangers_who_send_many_frames_before_the_hello_hold_little() {
    let (program, address) = started().await;
    let before = program.resident_bytes();
    let head = format!(
        "GET /chat HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    let frames = frame(0x81, true, b"").repeat(16 * 1024 / 6);
    let mut strangers = Vec::new();
    for number in 0..CONNECTIONS {
        let mut raw = connect(address).await;
        let ahead = if number < CONNECTIONS - AHEAD { &[] } else { &frames[..] };
        raw.write(&[head.as_bytes(), ahead].concat()).await;
        assert_eq!(raw.head().await.status, 101);
        strangers.push(raw);
    }
    grown("WebSockets before the hello", &program, before);
    for stranger in &mut strangers[..CONNECTIONS - AHEAD] {
        stranger.write(&frames).await;
    }
    for stranger in &mut strangers {
        assert_eq!(stranger.frame().await.0, 0x81, "a refusal, so what came was decoded");
    }
    grown("empty text frames before the hello", &program, before);
}

/// Whole responses were held for each connection that did not read: two of 256 KiB, one of them not asked for yet.
#[tokio::test]
async fn slow_readers_of_pipelined_polls_hold_little() {
    let (program, address) = started().await;
    let mut host = Guest::connect(narrow().connect(address).await.unwrap(), &address.to_string()).await;
    host.hello("Hanna").await;
    let text = "x".repeat(4096);
    for number in 0..300 {
        let id = number.to_string();
        host.send(json!({ "type": "say", "id": id, "text": text })).await;
        host.expect("acknowledged").await;
        if number % 40 == 39 {
            // The rate limit of one guest.
            host = Guest::connect(narrow().connect(address).await.unwrap(), &address.to_string()).await;
            host.hello(&format!("Hanna {number}")).await;
        }
    }
    let reader = Visitor::stranger_at(address).seated("Reader").await;
    let before = program.resident_bytes();
    let token = reader.token();
    let poll = format!(
        "GET /rooms/main/messages?after=0&limit=1000 HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    let mut readers = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut raw = connect(address).await;
        raw.write(poll.repeat(3).as_bytes()).await;
        readers.push(raw);
    }
    // So responses were made, and nothing more is read of them.
    for reader in &mut readers[..READ] {
        assert_eq!(reader.head().await.status, 200);
    }
    // Until nothing grows any more.
    let mut last = 0;
    within("the memory to stay as it is", async {
        while program.resident_bytes() != last {
            last = program.resident_bytes();
            sleep(Duration::from_millis(500)).await;
        }
    })
    .await;
    grown("pipelined polls that are not read", &program, before);
}

/// What one computation takes is kept for the next, and not taken anew by each thread that computes.
#[tokio::test]
async fn passphrases_that_are_tried_again_and_again_take_the_memory_of_one() {
    let (program, address) = started().await;
    let visitor = Visitor::stranger_at(address);
    let identity = |passphrase: &str| json!({ "identity": { "name": "Ann", "passphrase": passphrase } });
    let first = visitor.post("/rooms/main/guests", identity("tea at five, no sugar")).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let before = program.resident_bytes();
    for number in 0..50 {
        let answer = visitor.post("/rooms/main/guests", identity(&format!("guess number {number}"))).await;
        assert_eq!(answer.json()["code"], "identity_wrong", "{}", answer.text());
    }
    let grown = program.resident_bytes().saturating_sub(before);
    println!("50 tries: {:.1} MB more than {:.1} MB", grown as f64 / MEGABYTE, before as f64 / MEGABYTE);
    // One computation takes 19 MiB.
    assert!(grown < 19 * 1024 * 1024, "{grown} bytes");
}
