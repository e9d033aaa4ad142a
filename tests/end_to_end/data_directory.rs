//! A data directory that cannot be used: the program says why, in words, and changes nothing.

mod backup;
#[cfg(target_os = "linux")]
mod moving;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::kit::Guest;
#[cfg(target_os = "linux")]
use crate::kit::program::Disk;
use crate::kit::program::{Program, run};

/// A local room on this directory, for people in a hurry.
fn words(directory: &Path) -> [&str; 7] {
    let directory = directory.to_str().unwrap();
    ["--no-onion", "--local", "open", "--listen", "127.0.0.1:0", "--data-dir", directory]
}

/// A place for a data directory that is not there yet.
fn place() -> (TempDir, PathBuf) {
    let outer = TempDir::new().unwrap();
    let directory = outer.path().canonicalize().unwrap().join("room");
    (outer, directory)
}

async fn start(directory: &Path) -> (Program, SocketAddr) {
    let mut program = Program::start(&words(directory));
    let address = local(&mut program).await;
    (program, address)
}

async fn local(program: &mut Program) -> SocketAddr {
    let url = program.told("local").await;
    url.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).unwrap().parse().unwrap()
}

async fn guest(address: SocketAddr, name: &str) -> Guest {
    let mut guest = Guest::connect(TcpStream::connect(address).await.unwrap(), &address.to_string()).await;
    guest.hello(name).await;
    guest
}

/// A directory that a room was open on, with something in it.
async fn used() -> (TempDir, PathBuf) {
    let (outer, directory) = place();
    let (mut program, address) = start(&directory).await;
    let mut ann = guest(address, "Ann").await;
    for number in 0..40 {
        ann.say(&number.to_string(), &"to be kept ".repeat(300)).await;
    }
    drop(ann);
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    (outer, directory)
}

/// Every file below, with what is in it.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// What the program said when it refused: one sentence or a few, on standard error, with the status 1.
fn refusal(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{said}");
    assert!(said.starts_with("error: ") && !said.contains("panicked"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.chars().nth(7).unwrap().is_uppercase(), "a sentence: {said}");
    said
}

/// The same, on a directory that must be as it was before.
async fn refused(directory: &Path) -> String {
    let before = contents(directory);
    let said = refusal(&run(&words(directory), &[]).await);
    let after = contents(directory);
    assert!(after.keys().eq(before.keys()), "{:?} became {:?}", before.keys(), after.keys());
    assert!(after == before, "a file was changed");
    assert!(said.contains(directory.to_str().unwrap()), "it says which: {said}");
    said
}

#[tokio::test]
async fn of_another_room_that_is_open() {
    let (_outer, directory) = place();
    let (_program, address) = start(&directory).await;
    let mut ann = guest(address, "Ann").await;
    ann.say("1", "first").await;
    let said = refused(&directory).await;
    assert!(said.contains("Another onionroom is running") && said.contains("--data-dir"), "{said}");
    assert_eq!(ann.say("2", "undisturbed").await, 2);
}

#[tokio::test]
async fn with_a_damaged_log() {
    let (_outer, directory) = used().await;
    let file = directory.join("messages.sqlite");
    let mut bytes = fs::read(&file).unwrap();
    bytes[4096 + 8..3 * 4096].fill(0xa5);
    fs::write(&file, &bytes).unwrap();
    let said = refused(&directory).await;
    assert!(said.contains("damaged") && said.contains("not changed") && said.contains("backup"), "{said}");

    // Cut off in the middle, as by a copy that was not finished.
    bytes.truncate(bytes.len() / 2 + 100);
    fs::write(&file, &bytes).unwrap();
    assert!(refused(&directory).await.contains("damaged"));
}

/// What was written last is still beside the file then, and is not put into it either.
#[tokio::test]
async fn with_a_log_that_was_damaged_while_the_program_was_killed() {
    let (_outer, directory) = used().await;
    let (program, address) = start(&directory).await;
    guest(address, "Ann").await.say("last", "words").await;
    program.kill().await;
    let file = directory.join("messages.sqlite");
    let mut bytes = fs::read(&file).unwrap();
    assert!(contents(&directory).len() > 2, "something is beside the file");
    bytes[10 * 4096..12 * 4096].fill(0xa5);
    fs::write(&file, &bytes).unwrap();
    assert!(refused(&directory).await.contains("damaged"));
}

#[tokio::test]
async fn with_a_file_of_somebody_else() {
    let (_outer, directory) = used().await;
    let file = directory.join("messages.sqlite");
    fs::write(&file, "Dear diary, this is no database. ".repeat(1000)).unwrap();
    let said = refused(&directory).await;
    assert!(said.contains("not a message log of this program"), "{said}");

    fs::remove_file(&file).unwrap();
    let recipes = "CREATE TABLE recipes (title TEXT); INSERT INTO recipes VALUES ('onion soup');";
    Connection::open(&file).unwrap().execute_batch(recipes).unwrap();
    let said = refused(&directory).await;
    assert!(said.contains("not a message log of this program"), "{said}");
}

#[tokio::test]
async fn of_a_newer_version() {
    let (_outer, directory) = used().await;
    let log = Connection::open(directory.join("messages.sqlite")).unwrap();
    log.execute_batch("PRAGMA user_version = 99; PRAGMA journal_mode = DELETE").unwrap();
    log.close().unwrap();
    let said = refused(&directory).await;
    assert!(said.contains("newer version") && said.contains("99"), "{said}");
}

#[tokio::test]
async fn that_is_open_to_others() {
    let (_outer, directory) = used().await;
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    let said = refused(&directory).await;
    assert!(said.contains(&format!("chmod 700 {}", directory.display())), "{said}");
}

#[tokio::test]
async fn that_is_a_file_or_below_one() {
    let (_outer, directory) = place();
    fs::write(&directory, "a file").unwrap();
    for path in [directory.clone(), directory.join("room")] {
        let said = refusal(&run(&words(&path), &[]).await);
        assert!(said.contains(path.to_str().unwrap()) && said.contains("--data-dir"), "{said}");
    }
    assert_eq!(fs::read(&directory).unwrap(), b"a file");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn that_cannot_be_written_to() {
    let (_outer, directory) = place();
    fs::create_dir(&directory).unwrap();
    let disk = Disk::new("ro", &directory).await;
    for path in [directory.clone(), directory.join("room")] {
        let said = refusal(&disk.run(&words(&path)).await);
        assert!(said.contains(path.to_str().unwrap()) && said.contains("Read-only"), "{said}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_disk_that_is_full_from_the_beginning() {
    let (_outer, directory) = place();
    fs::create_dir(&directory).unwrap();
    let said = refusal(&Disk::new("size=8k", &directory).await.run(&words(&directory)).await);
    assert!(said.contains(directory.to_str().unwrap()) && said.contains("full"), "{said}");
}

/// Nothing that was acknowledged is lost, what is refused is refused in words, and nobody is sent away.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_disk_that_becomes_full() {
    let (_outer, directory) = place();
    fs::create_dir(&directory).unwrap();
    let mut program = Program::start_on(&Disk::new("size=400k", &directory).await, &words(&directory));
    let address = local(&mut program).await;
    let other = program.sees(&directory).join("of another program");
    fs::write(&other, [1; 100_000]).unwrap();
    let mut ann = guest(address, "Ann").await;
    let mut taken = 0;
    let refusal = loop {
        let say = json!({ "type": "say", "id": (taken + 1).to_string(), "text": "x".repeat(4000) });
        ann.send(say).await;
        let answer = loop {
            let event = ann.next().await;
            if event["type"] == "acknowledged" || event["type"] == "error" {
                break event;
            }
        };
        if answer["type"] == "error" {
            break answer;
        }
        taken += 1;
        assert_eq!(answer["seq"], taken);
        assert!(taken < 200, "more than the disk holds");
    };
    assert_eq!((&refusal["code"], &refusal["id"]), (&json!("not_kept"), &json!((taken + 1).to_string())));
    assert!(program.noted("disk").await.contains("full"), "whoever keeps the room is told");
    for number in 0..20 {
        ann.send(json!({ "type": "say", "id": format!("more{number}"), "text": "x".repeat(4000) })).await;
        ann.expect("error").await;
    }

    let mut bob = guest(address, "Bob").await;
    assert_eq!(bob.welcome["head"], taken);
    for seq in 1..=taken {
        assert_eq!(bob.expect("message").await["seq"], seq);
    }
    ann.send(json!({ "type": "rename", "name": "Anna" })).await;
    assert_eq!(bob.expect("renamed").await["guest"]["name"], "Anna", "the room goes on");
    fs::remove_file(&other).unwrap();
    assert_eq!(ann.say("again", "x").await, taken + 1);
    let next = program.noted("messages").await;
    assert!(next.contains("stores messages again"), "told once, not for each message: {next}");
    drop((ann, bob));
    program.signal("TERM").await;
    assert!(program.ended().await.success());
}

/// The numbers of the messages that a guest gets who comes in now.
async fn kept(address: SocketAddr) -> Vec<u64> {
    let mut guest = guest(address, "Reader").await;
    let (first, head) = (guest.welcome["first"].as_u64().unwrap(), guest.welcome["head"].as_u64().unwrap());
    let mut numbers = Vec::new();
    for _ in first..=head {
        numbers.push(guest.expect("message").await["seq"].as_u64().unwrap());
    }
    numbers
}

/// Such a message locked newcomers out, with "the room is closing".
#[tokio::test]
async fn with_a_message_that_cannot_be_read() {
    let (_outer, directory) = used().await;
    let log = Connection::open(directory.join("messages.sqlite")).unwrap();
    log.execute_batch("UPDATE messages SET id = 'not an id!' WHERE seq = 7").unwrap();
    drop(log);
    let (mut program, address) = start(&directory).await;
    for name in ["Ann", "Bob"] {
        let mut guest = guest(address, name).await;
        for seq in (1..=6).chain(8..=40) {
            assert_eq!(guest.expect("message").await["seq"], seq);
        }
    }
    program.noted("passed over").await;
    let mut ann = Guest::connect(TcpStream::connect(address).await.unwrap(), &address.to_string()).await;
    ann.hello_as(json!({ "after": 5 })).await;
    assert_eq!(ann.expect("message").await["seq"], 6);
    let gap = ann.expect("gap").await;
    assert_eq!((&gap["after"], &gap["before"]), (&json!(6), &json!(8)));
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    let rest = program.rest_of_err().await;
    assert!(!rest.contains("passed over"), "told once: {rest}");
}
