//! What the process is started with: limits, ignored signals, outputs that cannot be written. And signals while it opens.

#![cfg(target_os = "linux")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::net::{TcpStream, UnixStream};

use crate::kit::program::Program;
use crate::kit::raw::Raw;
use crate::kit::{Guest, within};

/// A room on this machine alone, on any free port.
const ALONE: [&str; 5] = ["--no-onion", "--local", "open", "--listen", "127.0.0.1:0"];

async fn local(program: &mut Program) -> SocketAddr {
    let url = program.told("local").await;
    url.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).unwrap().parse().unwrap()
}

async fn guest(address: SocketAddr) -> Guest {
    let mut guest = Guest::connect(TcpStream::connect(address).await.unwrap(), &address.to_string()).await;
    guest.hello("Ann").await;
    guest
}

async fn closes_in_order(mut program: Program) {
    program.signal("TERM").await;
    assert_eq!(program.ended().await.code(), Some(0));
}

#[tokio::test]
async fn the_soft_limit_of_open_files_is_raised() {
    let mut program = Program::start_after("ulimit -S -n 64", &[], &ALONE);
    local(&mut program).await;
    let (soft, hard) = program.limit("Max open files");
    assert!(soft == hard && soft != "64", "{soft} of {hard}");
    closes_in_order(program).await;
}

/// Connections for which there was no descriptor waited without an answer, with ten warnings a second.
#[tokio::test]
async fn connections_beyond_the_limit_of_open_files_are_refused_at_once() {
    let mut program = Program::start_after("ulimit -n 100", &[], &ALONE);
    let address = local(&mut program).await;
    program.noted("at most 50 connections").await;
    let mut ann = guest(address).await;
    let mut admitted = Vec::new();
    for _ in 1..50 {
        admitted.push(TcpStream::connect(address).await.unwrap());
    }
    for _ in 0..100 {
        let mut refused = Raw::new(TcpStream::connect(address).await.unwrap());
        assert_eq!(refused.answer().await.status, 503);
        assert!(refused.ended().await);
    }
    // What is reserved is enough for the log, and one that ends makes place for another.
    assert_eq!(ann.say("1", "still here").await, 1);
    let host = format!("Host: {address}");
    let mut served = Raw::new(admitted.pop().unwrap());
    assert_eq!(served.request(&["GET / HTTP/1.1", &host, "Connection: close"]).await.status, 200);
    assert!(served.ended().await);
    let next = async {
        let mut next = Raw::new(TcpStream::connect(address).await.unwrap());
        next.request(&["GET / HTTP/1.1", &host]).await.status
    };
    assert_eq!(within("a free place", next).await, 200);
    drop(admitted);
    program.signal("TERM").await;
    assert_eq!(program.rest_of_err().await, "Closing the room…\n", "one warning was enough");
}

/// The second signal of each pair is heeded.
#[tokio::test]
async fn a_signal_that_is_ignored_at_the_start_stays_ignored() {
    for (ignored, number) in [("HUP", 1), ("INT", 2)] {
        let mut program = Program::start_after(&format!("trap '' {ignored}"), &[], &ALONE);
        let address = local(&mut program).await;
        let mask = |name| u64::from_str_radix(&program.status(name), 16).unwrap() >> (number - 1) & 1;
        assert_eq!((mask("SigIgn"), mask("SigCgt")), (1, 0), "{ignored}");
        program.signal(ignored).await;
        assert_eq!(guest(address).await.say("1", "still here").await, 1);
        closes_in_order(program).await;
    }
}

/// Each of them used to panic.
#[tokio::test]
async fn outputs_that_cannot_be_written_end_nothing() {
    let mut mistaken = Program::start_after("exec 2>/dev/full", &[], &["--guests", "0"]);
    assert_eq!(mistaken.ended().await.code(), Some(2));
    for broken in ["exec 2>/dev/full", "exec 2>&-"] {
        let words = [&ALONE[..], &["--log", "debug"]].concat();
        let mut program = Program::start_after(broken, &[], &words);
        let address = local(&mut program).await;
        assert_eq!(guest(address).await.say("1", "hello").await, 1, "{broken}");
        closes_in_order(program).await;
    }
    for broken in ["exec >/dev/full", "exec >&-", "exec >/dev/full 2>&1"] {
        let place = TempDir::new().unwrap();
        let data = place.path().join("room");
        let words = ["--no-onion", "--local", "unix", "--data-dir", data.to_str().unwrap()];
        let program = Program::start_after(broken, &[], &words);
        within("a room on a socket", answers(&data.join("room.sock"))).await;
        closes_in_order(program).await;
    }
}

async fn answers(socket: &Path) {
    while UnixStream::connect(socket).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// What takes long to open is said to be opened, and a signal ends that. Signals were not looked at meanwhile.
#[tokio::test]
async fn a_signal_ends_the_opening_of_the_log() {
    let place = TempDir::new().unwrap();
    let data = place.path().join("room");
    let words = [&ALONE[..], &["--data-dir", data.to_str().unwrap()]].concat();
    let mut program = Program::start(&words);
    local(&mut program).await;
    closes_in_order(program).await;
    // Before the lock, which ends when this process closes the file anywhere.
    let before = fs::read(data.join("messages.sqlite")).unwrap();
    // SQLite waits five seconds for a lock.
    let holder = Connection::open(data.join("messages.sqlite")).unwrap();
    holder.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT;").unwrap();
    for signal in ["INT", "TERM", "HUP"] {
        let mut program = Program::start(&words);
        program.noted("Opening the messages: looking for damage in 1 MB").await;
        program.signal(signal).await;
        assert_eq!(program.ended().await.code(), Some(0), "{signal}");
        assert_eq!(program.out.next_line().await.unwrap(), None, "{signal}");
    }
    drop(holder);
    assert_eq!(fs::read(data.join("messages.sqlite")).unwrap(), before);
    let mut program = Program::start(&words);
    local(&mut program).await;
    closes_in_order(program).await;
}
