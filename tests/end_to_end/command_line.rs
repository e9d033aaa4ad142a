//! The program as people and scripts start it: help, mistakes, plain output, signals.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::process::Output;

use serde_json::json;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use crate::kit::program::{Program, run};
use crate::kit::{Guest, narrow};

/// A room on this machine alone, on any free port.
const ALONE: [&str; 5] = ["--no-onion", "--local", "open", "--listen", "127.0.0.1:0"];

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The mistake that these words and variables make: refused with 2, nothing on standard output.
async fn mistake(words: &[&str], variables: &[(&str, &str)]) -> String {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, OsStr::new(*value))).collect();
    let output = run(words, &variables).await;
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""), "{}", err(&output));
    err(&output)
}

/// Where a room that was started answers.
async fn local(program: &mut Program) -> SocketAddr {
    let url = program.told("local").await;
    url.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).unwrap().parse().unwrap()
}

#[tokio::test]
async fn help_fits_the_terminal() {
    for words in [
        &["--help"][..],
        &["serve", "--help"],
        &["lab", "--help"],
        &["-h"],
        &["host", "--help"],
        &["host", "mute", "--help"],
    ] {
        for columns in [50, 80] {
            let width = columns.to_string();
            let output = run(words, &[("COLUMNS", OsStr::new(&width))]).await;
            let text = out(&output);
            assert!(output.status.success() && text.contains("--data-dir"), "{text}");
            let longest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
            assert!(longest.chars().count() <= columns, "wider than {columns}: {longest}");
        }
    }
}

#[tokio::test]
async fn the_version_is_told() {
    let output = run(&["--version"], &[]).await;
    assert_eq!(out(&output), concat!("onionroom ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[tokio::test]
async fn the_example_file_is_printed_and_can_be_used() {
    let example = out(&run(&["config"], &[]).await);
    assert_eq!(example, onionroom::config::EXAMPLE);
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("onionroom.toml");
    fs::write(&file, example.replace("127.0.0.1:8646", "127.0.0.1:0")).unwrap();
    let mut program = Program::start(&["--no-onion", "--local", "open", "--config", file.to_str().unwrap()]);
    local(&mut program).await;
}

#[tokio::test]
async fn mistakes_are_named_before_anything_starts() {
    assert!(mistake(&["--titel", "x"], &[]).await.contains("'--title'"));
    let said = mistake(&["--guests", "0"], &[]).await;
    assert!(said.contains("flag --guests") && said.contains("from 1 to 10000"), "{said}");
    let said = mistake(&[], &[("ONIONROOM_ROOM_TITEL", "x")]).await;
    assert!(said.contains("Did you mean ONIONROOM_ROOM_TITLE?"), "{said}");
    let said = mistake(&["--listen", "0.0.0.0:80"], &[]).await;
    assert!(said.contains("without encryption"), "{said}");
    let said = mistake(&["--config", "/nowhere/room.toml"], &[]).await;
    assert!(said.contains("/nowhere/room.toml"), "{said}");
    let said = mistake(&["--ephemeral", "--network-file", "/nowhere/network.toml"], &[]).await;
    assert!(said.contains("/nowhere/network.toml"), "{said}");
    let said = mistake(&["--no-onion", "lab"], &[]).await;
    assert!(said.contains("--no-onion"), "{said}");
    assert!(mistake(&["lab", "--relays", "1"], &[]).await.contains("relays"));
}

#[tokio::test]
async fn a_mistake_in_the_file_names_the_line() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("onionroom.toml");
    fs::write(&file, "[room]\n\nguets = 3\n").unwrap();
    let said = mistake(&["--config", file.to_str().unwrap()], &[]).await;
    assert!(said.contains("onionroom.toml, line 3") && said.contains("Did you mean room.guests?"), "{said}");
}

#[tokio::test]
async fn a_busy_port_that_was_asked_for_is_an_error() {
    let busy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let output = run(&["--no-onion", "--listen", &address], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains(&address) && err(&output).contains("--listen"), "{}", err(&output));
}

#[tokio::test]
async fn output_that_nobody_looks_at_is_plain_lines() {
    let mut program = Program::start(&ALONE);
    let address = local(&mut program).await;
    TcpStream::connect(address).await.unwrap();
    program.signal("TERM").await;
    assert_eq!(program.ended().await.code(), Some(0));
    assert_eq!(program.out.next_line().await.unwrap(), None, "one line on standard output");
    assert_eq!(program.err.next_line().await.unwrap().unwrap(), "Closing the room…");
    assert_eq!(program.err.next_line().await.unwrap(), None, "one line on standard error");
    let kept: Vec<_> = fs::read_dir(program.home().join(".local/share/onionroom")).unwrap().collect();
    assert_eq!(kept.len(), 4, "the messages, their keys and mark, the lock, and nothing of Tor: {kept:?}");
}

#[tokio::test]
async fn a_signal_closes_the_room_in_order() {
    for signal in ["INT", "TERM", "HUP"] {
        let mut program = Program::start(&ALONE);
        let address = local(&mut program).await;
        let stream = TcpStream::connect(address).await.unwrap();
        let mut ann = Guest::connect(stream, &address.to_string()).await;
        ann.hello("Ann").await;

        program.signal(signal).await;
        assert_eq!(ann.closed().await.0, 1001, "{signal}");
        drop(ann);
        assert_eq!(program.ended().await.code(), Some(0), "{signal}");
    }
}

/// A guest who does not read, whom a closing room gives some seconds.
async fn stalled(address: SocketAddr) -> Guest {
    let socket = narrow();
    let stream = socket.connect(address).await.unwrap();
    let mut stalled = Guest::connect(stream, &address.to_string()).await;
    stalled.hello("Stalled").await;
    let mut ann = Guest::connect(TcpStream::connect(address).await.unwrap(), &address.to_string()).await;
    ann.hello("Ann").await;
    for number in 0..1000 {
        ann.send(json!({ "type": "say", "id": number.to_string(), "text": "x".repeat(4096) })).await;
        ann.expect("acknowledged").await;
    }
    stalled
}

#[tokio::test]
async fn a_stalled_guest_does_not_keep_the_program_from_ending() {
    let mut program = Program::start(&ALONE);
    let _stalled = stalled(local(&mut program).await).await;
    program.signal("TERM").await;
    assert_eq!(program.ended().await.code(), Some(0), "long before the write is given up");
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut program = Program::start(&ALONE);
    let _stalled = stalled(local(&mut program).await).await;
    program.signal("INT").await;
    program.noted("Closing the room").await;
    program.signal("INT").await;
    assert_eq!(program.ended().await.code(), Some(130), "not at the end of the closing, which is 0");
}

#[tokio::test]
async fn flags_beat_the_environment() {
    let listen = ("ONIONROOM_LISTEN_ADDRESS", OsStr::new("127.0.0.1:1"));
    let output = run(&["--no-onion", "--listen", "[::2]:0"], &[listen]).await;
    assert!(err(&output).contains("flag --listen"), "{}", err(&output));
}
