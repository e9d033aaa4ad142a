//! What is no longer kept is gone from the servers' files, and nothing there can be read.

use std::fs;
use std::path::Path;

use super::*;
use crate::cluster::servers::Program;
use crate::log::contract::{entry, text};
use crate::log::{Entry, RoomState};
use crate::protocol::{Body, GuestId};

/// Whether these bytes are in any file below.
pub(super) fn is_on_disk(directory: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(directory).unwrap().any(|found| {
        let Ok(found) = found else { return false };
        let path = found.path();
        match path.is_dir() {
            true => is_on_disk(&path, bytes),
            // A server may remove a file at any time.
            false => fs::read(&path).is_ok_and(|data| data.windows(bytes.len()).any(|part| part == bytes)),
        }
    })
}

/// The encrypted form of an entry, as the stream has it.
pub(super) async fn stored(log: &JetStreamLog, seq: u64) -> Vec<u8> {
    let stream = format!("STREAM.MSG.GET.{}", log.shared.stream);
    let got: serde_json::Value =
        log.shared.connection.api(&stream, &serde_json::json!({ "seq": seq })).await.unwrap();
    data_encoding::BASE64.decode(got["message"]["data"].as_str().unwrap().as_bytes()).unwrap()
}

/// Guards against a trim that only hides: the bytes themselves have to go, on one server of either version.
async fn what_is_trimmed_is_erased(program: Program) {
    let servers = Servers::start(program, 1);
    let retention = Retention { messages: 20, bytes: 0, age: None };
    let timing = Timing { erase_own: DEADLINE, erase_others: DEADLINE, ..soon() };
    let patient = open_at(&servers, &servers.addresses(), retention, timing).await;
    patient.state(RoomState::new("a title of tea")).await.unwrap();
    patient.append((1..=60).map(|id| entry(1, &format!("id-of-{id}"))).collect()).await.unwrap();
    let mut sealed = Vec::new();
    for seq in 1..=60 {
        sealed.push(stored(&patient, seq).await);
    }
    patient.trim(0).await.unwrap();
    let directory = servers.directory().join("s0");
    assert!(
        sealed.iter().all(|sealed| is_on_disk(&directory, sealed)),
        "not yet: others may have to read it"
    );
    // Another node finds what this one has left.
    let log = open(&servers, retention).await;
    log.trim(0).await.unwrap();
    for (seq, sealed) in (1..).zip(&sealed) {
        assert_eq!(is_on_disk(&directory, sealed), seq > 40, "{seq}");
        assert_eq!(is_on_disk(&directory, &sealed[33..60]), seq > 40, "a part of {seq}");
    }
    assert_eq!(text(&log.read(0, 1).await.unwrap()[0]), "text of id-of-41");
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while !patient.shared.locked().view.evicted.is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "the other node hears of it");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_is_trimmed_is_erased_by_debians_server() {
    what_is_trimmed_is_erased(Program::Debian).await;
}

#[tokio::test]
async fn what_is_trimmed_is_erased_by_a_newer_server() {
    what_is_trimmed_is_erased(Program::Newer).await;
}

/// Guards against names, texts, titles, ids and the room's secret in the servers' files.
#[tokio::test]
async fn nothing_can_be_read_on_the_servers() {
    let servers = Servers::start(Program::Debian, 1);
    let log = open(&servers, ALL).await;
    log.state(RoomState::new("first-title")).await.unwrap();
    let title = Entry {
        author: GuestId::ROOM,
        body: Body::Title { title: "second-title".into() },
        ..entry(1, "title-id")
    };
    log.append(vec![title, entry(0x1234_5678_9abc, "message-id")]).await.unwrap();
    log.trim(0).await.unwrap();
    let identity = log.identity().await.unwrap();
    log.close().await.unwrap();
    let directory = servers.directory().join("s0");
    assert!(is_on_disk(&directory, &stored(&log, 2).await), "the search finds what is there");
    let secret = data_encoding::HEXLOWER.encode(&*identity.secret);
    let author = 0x1234_5678_9abc_u64.to_le_bytes();
    for plain in [
        "first-title",
        "second-title",
        "title-id",
        "text of",
        "Ann",
        "message-id",
        &secret,
        identity.epochs.present(),
    ] {
        // Three letters may stand anywhere by chance.
        if plain.len() > 3 {
            assert!(!is_on_disk(&directory, plain.as_bytes()), "{plain}");
        }
    }
    assert!(!is_on_disk(&directory, &author) && !is_on_disk(&directory, &identity.secret[..]));
}
