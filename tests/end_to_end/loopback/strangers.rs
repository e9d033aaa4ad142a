//! Connections between circuits: who gets one when all are taken, what a flood on one circuit costs the others, and how
//! much memory many of them hold. In memory, because there a test can be on many circuits.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep};

use crate::kit::memory::ONION;
use crate::kit::raw::{Raw, frame};
use crate::kit::{Guest, TestRoom, within};

/// How many connections there are in these rooms.
const PLACES: usize = 8;

async fn small_room() -> TestRoom {
    TestRoom::in_memory(|settings| settings.listen.connections = PLACES).await
}

fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {ONION}\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

async fn upgraded(mut raw: Raw) -> Raw {
    let head = format!(
        "GET /chat HTTP/1.1\r\nHost: {ONION}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    raw.write(head.as_bytes()).await;
    assert_eq!(raw.head().await.status, 101);
    raw
}

async fn index(raw: &mut Raw) -> u16 {
    raw.write(&get("/", "none")).await;
    raw.answer().await.status
}

/// One circuit held every connection for good, the host's own included: with endless responses, requests under way, or
/// nothing at all.
#[tokio::test(start_paused = true)]
async fn a_circuit_that_holds_every_connection_gives_them_up_to_others() {
    let room = small_room().await;
    let mut held = Vec::new();
    for (name, path) in [("Eve", "events?after=0"), ("Mallory", "messages?wait=60")] {
        let mut raw = room.raw_on(1).unwrap();
        raw.write(&post("/rooms/main/guests", "", &format!(r#"{{"name":"{name}"}}"#))).await;
        let welcome = raw.answer().await.json();
        raw.write(&get(&format!("/rooms/main/{path}"), welcome["token"].as_str().unwrap())).await;
        held.push(raw);
    }
    let mut beginning = room.raw_on(1).unwrap();
    beginning.write(b"POST /rooms/main/guests HTTP/1.1\r\nHost: ").await;
    let silent = room.raw_on(1).unwrap();
    held.extend([beginning, silent]);
    let mut socket = upgraded(room.raw_on(1).unwrap()).await;
    let mut joined = room.guest_on(1, "Trudy").await;
    let _also = room.raw_on(1).unwrap();
    let mut last = room.raw_on(1).unwrap();
    assert!(room.raw_on(1).is_none(), "all are taken");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(index(&mut last).await, 200, "the one that is used");

    // The others come one by one, and each is served at once.
    let began = Instant::now();
    let mut others = Vec::new();
    for circuit in 2..=8 {
        let mut other = room.raw_on(circuit).expect("a permit of circuit 1");
        assert_eq!(index(&mut other).await, 200);
        others.push(other);
    }
    assert!(began.elapsed() < Duration::from_secs(1));
    for mut raw in held {
        while !raw.ended().await {}
    }
    assert_eq!(socket.close_code().await, 1013);
    assert!(socket.ended().await);
    assert_eq!(joined.closed().await.0, 1013);
    assert_eq!(index(&mut last).await, 200, "one for each");
    assert!(room.raw_on(1).is_none() && room.raw_on(9).is_none(), "nobody has two to give up");
    for other in &mut others {
        assert_eq!(index(other).await, 200);
    }
}

/// Whatever circuits hold, the host gets in.
#[tokio::test(start_paused = true)]
async fn the_host_always_gets_in() {
    let room = small_room().await;
    let circuits: Vec<_> = (1..=PLACES as u64).map(|circuit| room.raw_on(circuit).unwrap()).collect();
    assert!(room.raw_on(100).is_none());
    let mut host = room.guest("Hanna").await;
    assert_eq!(host.say("1", "still here").await, 1);
    drop(circuits);
}

/// A write that does not get on must not keep a connection from being closed.
#[tokio::test(start_paused = true)]
async fn a_guest_who_does_not_read_is_closed_as_well() {
    let room = small_room().await;
    let deaf = room.guest_on(1, "Eve").await;
    let mut more: Vec<_> = (1..PLACES).map(|_| room.raw_on(1).unwrap()).collect();
    let mut host = room.guest("Hanna").await;
    let text = "x".repeat(4096);
    for number in 0..200 {
        host.say(&number.to_string(), &text).await;
    }
    sleep(Duration::from_secs(1)).await;
    for raw in &mut more {
        assert_eq!(index(raw).await, 200);
    }
    let mut other = room.raw_on(2).unwrap();
    assert_eq!(index(&mut other).await, 200);
    assert_eq!(host.expect("away").await["guest"]["name"], "Eve");
    drop((deaf, more));
}

fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {ONION}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// How long answers take: the first `at_once` none, all `count` as long as the budget of 20 a second says.
async fn answered(raw: &mut Raw, count: usize, kind: u8) -> Vec<u128> {
    let began = Instant::now();
    let mut times = Vec::new();
    while times.len() < count {
        let (first, _) = within("an answer", raw.frame()).await;
        if first == kind {
            times.push(began.elapsed().as_millis());
        }
    }
    times
}

/// JSON pings, control pings, renames to a taken name and refused hellos cost nothing to send.
#[tokio::test(start_paused = true)]
async fn every_frame_costs_and_a_flood_waits_on_its_own_side() {
    for (what, flood, kind) in [
        ("pings", frame(0x81, true, br#"{"type":"ping"}"#), 0x81),
        ("control pings", frame(0x89, true, b""), 0x8a),
        ("no JSON", frame(0x81, true, b""), 0x81),
        ("binary", frame(0x82, true, b""), 0x81),
        ("refused hellos", frame(0x81, true, br#"{"type":"hello","room":"none"}"#), 0x81),
    ] {
        let room = small_room().await;
        let mut eve = upgraded(room.raw_on(1).unwrap()).await;
        let mut bob = room.guest_on(2, "Bob").await;
        eve.write(&flood.repeat(300)).await;
        let talk = async {
            let began = Instant::now();
            for number in 0..20 {
                bob.say(&number.to_string(), "undisturbed").await;
            }
            assert_eq!(began.elapsed(), Duration::ZERO, "{what}: another circuit does not wait");
        };
        let (times, ()) = tokio::join!(answered(&mut eve, 300, kind), talk);
        let at_once = times.iter().filter(|time| **time == 0).count();
        // 200, but for the connection, the handshake, and what the bytes cost.
        assert!((195..=198).contains(&at_once), "{what}: {at_once}");
        assert!((5_050..=5_400).contains(times.last().unwrap()), "{what}: {times:?}");
    }
}

/// Empty continuations are no messages, and answered with nothing.
#[tokio::test(start_paused = true)]
async fn empty_continuations_cost_as_much_as_messages() {
    let room = small_room().await;
    let mut eve = upgraded(room.raw_on(1).unwrap()).await;
    let began = Instant::now();
    eve.write(&frame(0x01, true, br#"{"type""#)).await;
    eve.write(&frame(0x00, true, b"").repeat(300)).await;
    eve.write(&frame(0x80, true, br#":"ping"}"#)).await;
    assert_eq!(eve.frame().await.1, br#"{"type":"pong"}"#);
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
}

/// All connections of a circuit have one budget, and a new connection does not fill it.
#[tokio::test(start_paused = true)]
async fn requests_are_charged_to_the_circuit_whatever_connection_they_come_on() {
    let room = TestRoom::in_memory(|_| {}).await;
    let began = Instant::now();
    for _ in 0..100 {
        assert_eq!(index(&mut room.raw_on(1).unwrap()).await, 200);
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    let ask = async |_| {
        let mut raw = room.raw_on(1).unwrap();
        for _ in 0..4 {
            assert_eq!(index(&mut raw).await, 200);
        }
    };
    join_all((0..4).map(ask)).await;
    let waited = began.elapsed();
    assert!((1000..1010).contains(&waited.as_millis()), "four connections, sixteen requests: {waited:?}");
    assert_eq!(index(&mut room.raw_on(2).unwrap()).await, 200);
    assert_eq!(began.elapsed(), waited, "another circuit");
}

/// For two more seconds texts were decoded and their refusals queued.
#[tokio::test(start_paused = true)]
async fn what_comes_after_the_close_frame_is_dropped() {
    let room = small_room().await;
    let mut raw = upgraded(room.raw_on(1).unwrap()).await;
    raw.write(&frame(0x81, true, br#"{"type":"leave"}"#)).await;
    raw.write(&frame(0x81, true, b"").repeat(100)).await;
    assert_eq!(raw.close_code().await, 1000);
    raw.write(&frame(0x81, true, b"").repeat(1000)).await;
    raw.write(&frame(0x88, true, &1000u16.to_be_bytes())).await;
    assert!(raw.ended().await, "not a word more");
}

/// A response is not made before the last one is written, so that pipelines hold one and not several.
#[tokio::test(start_paused = true)]
async fn pipelined_polls_are_answered_in_their_order_and_within_what_the_circuit_may_hold() {
    const POLLS: usize = 5;
    const READERS: usize = 6;
    let room = small_room().await;
    let mut host = room.guest("Hanna").await;
    let text = "x".repeat(4096);
    for number in 0..40 {
        host.say(&number.to_string(), &text).await;
    }
    let token = host.welcome["token"].as_str().unwrap().to_owned();
    let poll = get("/rooms/main/messages?after=0&limit=1000", &token);
    let mut readers: Vec<_> = (0..READERS).map(|_| room.raw_on(1).unwrap()).collect();
    for reader in &mut readers {
        reader.write(&poll.repeat(POLLS)).await;
    }
    sleep(Duration::from_secs(1)).await;
    for reader in &mut readers {
        for _ in 0..POLLS {
            let answer = reader.answer().await;
            assert_eq!(answer.status, 200);
            assert!((64 * 1024..80 * 1024).contains(&answer.body.len()), "{}", answer.body.len());
            assert_eq!(answer.json()["messages"][0]["seq"], 1);
        }
    }
}

/// A guest whose frames wait for the budget or the rate limit is not silent.
#[tokio::test(start_paused = true)]
async fn a_guest_who_is_not_read_from_is_not_taken_for_gone() {
    let room = TestRoom::in_memory(|settings| {
        settings.room.messages_per_minute = 60;
        settings.listen.idle_ping = Duration::from_secs(5);
    })
    .await;
    let mut ann = room.guest_on(1, "Ann").await;
    for number in 0..60 {
        ann.send(json!({ "type": "say", "id": number.to_string(), "text": "slowly" })).await;
    }
    for _ in 0..60 {
        ann.expect("acknowledged").await;
    }
}

/// The median, in microseconds, of how long Bob's messages take while `flood` runs.
async fn median(bob: &mut Guest, what: &str, flood: impl Future<Output = ()>) -> u128 {
    let talk = async {
        let mut times = Vec::new();
        for number in 0..40 {
            let began = Instant::now();
            bob.say(&format!("{what}-{number}"), "hello").await;
            times.push(began.elapsed().as_micros());
            sleep(Duration::from_millis(5)).await;
        }
        times.sort_unstable();
        times[times.len() / 2]
    };
    tokio::select! {
        median = talk => median,
        () = flood => unreachable!(),
    }
}

/// Sixteen connections on one circuit that send these bytes for ever, and read what comes back.
async fn flood(room: &TestRoom, circuit: u64, seated: bool, first: &[u8], bytes: &[u8]) {
    let bytes = bytes.repeat(16 * 1024 / bytes.len());
    let connections = (0..16).map(async |number| {
        let mut eve = room.stranger_on(circuit).await;
        if seated {
            eve.hello(&format!("Eve {number}")).await;
        }
        let (mut read, mut write) = tokio::io::split(eve.into_stream());
        let send = async {
            write.write_all(first).await?;
            loop {
                write.write_all(&bytes).await?;
            }
        };
        let receive = async { tokio::io::copy(&mut read, &mut tokio::io::sink()).await };
        let _: (std::io::Result<()>, _) = tokio::join!(send, receive);
    });
    join_all(connections).await;
    std::future::pending().await
}

/// Prints what a flood costs the others, in real time; nothing is asserted but that they are heard.
#[tokio::test]
async fn others_are_heard_while_a_circuit_floods() {
    let room = TestRoom::in_memory(|_| {}).await;
    let mut bob = room.guest("Bob").await;
    let calm = median(&mut bob, "calm", std::future::pending()).await;
    println!("median from say to acknowledged, in µs: {calm} alone");
    let fragment = frame(0x01, true, b"");
    for (circuit, what, seated, first, bytes) in [
        (1, "pings", false, &[][..], frame(0x81, true, br#"{"type":"ping"}"#)),
        (2, "renames", true, &[], frame(0x81, true, br#"{"type":"rename","name":"Bob"}"#)),
        (3, "hellos", false, &[], frame(0x81, true, br#"{"type":"hello","name":"Bob"}"#)),
        (4, "continuations", false, &fragment, frame(0x00, true, b"")),
    ] {
        let flooded = median(&mut bob, what, flood(&room, circuit, seated, first, &bytes)).await;
        println!("  {flooded} beside sixteen connections of {what}");
    }
}
