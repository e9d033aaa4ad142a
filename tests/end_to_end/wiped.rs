//! A room that is wiped: closed, by the command; open, by its host. Nothing that was said can be read, and a new room opens
//! in the same directory.

use std::fs;
use std::path::Path;

use onionroom::config::{LocalAccess, Settings};
use onionroom::server::Server;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::kit::program::{Program, run};
use crate::kit::{Guest, offline};

const SAID: &str = "a confession that none may read";

fn settings(outer: &Path) -> Settings {
    let mut settings = Settings::default();
    settings.listen.address = ([127, 0, 0, 1], 0).into();
    settings.listen.local = LocalAccess::Open;
    settings.onion.network_file = Some(outer.join("network.toml"));
    settings.data_dir = Some(outer.join("room"));
    settings
}

/// Every name below with what is in it, links not followed.
fn below(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(below(&path));
        }
        found.push((path.to_str().unwrap().to_owned(), fs::read(&path).unwrap_or_default()));
    }
    found
}

async fn guest(address: &str, name: &str) -> Guest {
    let mut guest = Guest::connect(TcpStream::connect(address).await.unwrap(), address).await;
    guest.hello(name).await;
    guest
}

#[tokio::test]
async fn an_open_room_is_closed_and_wiped_and_a_new_one_opens_there() {
    let outer = TempDir::new().unwrap();
    offline::network_file(outer.path());
    let settings = settings(outer.path());
    let mut addresses = Vec::new();
    let mut epochs = Vec::new();
    for address in [false, true, false] {
        let server = Server::open(&settings).await.unwrap();
        addresses.push(server.onion_url().unwrap());
        let local = server.local_addr().unwrap().to_string();
        let mut guests = [guest(&local, "Ann").await, guest(&local, "Ben").await];
        epochs.push(guests[0].welcome["room"]["epoch"].clone());
        assert_eq!(guests[0].say("1", SAID).await, 1, "an empty room");
        server.may_wipe().unwrap();
        let wiped = server.wipe(address).await.unwrap();
        assert_eq!(wiped.address, address);
        for guest in &mut guests {
            assert_eq!(guest.closed().await.0, 1001);
        }
        let left = below(&outer.path().join("room"));
        let names: Vec<_> = left.iter().map(|(name, _)| name.rsplit('/').next().unwrap()).collect();
        assert!(!names.iter().any(|name| name.starts_with("messages.")), "{names:?}");
        if address {
            assert_eq!(names, ["lock"]);
        }
    }
    assert_eq!(addresses[0], addresses[1], "kept");
    assert_ne!(addresses[1], addresses[2], "wiped");
    assert_ne!(epochs[0], epochs[1]);
}

#[tokio::test]
async fn the_command_wipes_a_closed_room_and_nothing_without_being_asked() {
    let outer = TempDir::new().unwrap();
    let directory = outer.path().canonicalize().unwrap().join("room");
    let place = directory.to_str().unwrap();
    let wipe = ["wipe", "--data-dir", place];
    let sure = ["wipe", "--yes", "--data-dir", place];
    let said = |output: &std::process::Output| String::from_utf8(output.stderr.clone()).unwrap();

    let none = run(&sure, &[]).await;
    assert!(said(&none).contains("There is no room") && !directory.exists(), "{none:?}");

    let open = ["--no-onion", "--listen", "127.0.0.1:0", "--local", "open", "--data-dir", place];
    let mut program = Program::start(&open);
    let url = program.told("local").await;
    let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut ann = guest(&address, "Ann").await;
    ann.say("1", SAID).await;
    let unasked = run(&wipe, &[]).await;
    assert_eq!(unasked.status.code(), Some(2), "{unasked:?}");
    ann.say("2", SAID).await;
    program.kill().await;

    let before = below(&directory);
    let unasked = run(&wipe, &[]).await;
    assert_eq!(unasked.status.code(), Some(2), "{unasked:?}");
    assert!(said(&unasked).contains("--yes"), "{unasked:?}");
    let misplaced = run(&["--data-dir", place, "wipe", "--yes"], &[]).await;
    assert_eq!(misplaced.status.code(), Some(2), "{misplaced:?}");
    let secret = outer.path().join("secret");
    assert!(run(&["cluster", "key", secret.to_str().unwrap()], &[]).await.status.success());
    let cluster = [
        ("ONIONROOM_CLUSTER_NATS", "nats://127.0.0.1:4222".as_ref()),
        ("ONIONROOM_CLUSTER_SECRET_FILE", secret.as_os_str()),
    ];
    let several = run(&sure, &cluster).await;
    assert!(said(&several).contains("on several machines"), "{several:?}");
    assert_eq!(below(&directory), before);

    for _ in 0..2 {
        let wiped = run(&sure, &[]).await;
        assert!(wiped.status.success() && said(&wiped).contains("The room is wiped."), "{wiped:?}");
        assert_eq!(below(&directory).len(), 1, "the lock");
    }
    // What several-machines.md says for the address of one of them.
    let by_hand =
        run(&["wipe", "--yes", "--address", "--config", "/dev/null", "--data-dir", place], &[]).await;
    assert!(said(&by_hand).contains("and its address are wiped"), "{by_hand:?}");

    let mut program = Program::start(&open);
    let url = program.told("local").await;
    let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    assert_eq!(guest(&address, "Ann").await.say("1", "hello").await, 1, "a new room");
}

/// A wipe that was interrupted is finished by the start, and not by a restore that would be wiped later.
#[tokio::test]
async fn a_start_goes_on_with_a_wipe() {
    let outer = TempDir::new().unwrap();
    let directory = outer.path().join("room");
    let place = directory.to_str().unwrap();
    let open = ["--no-onion", "--listen", "127.0.0.1:0", "--local", "open", "--data-dir", place];
    for _ in 0..2 {
        let mut program = Program::start(&open);
        let url = program.told("local").await;
        let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        assert_eq!(guest(&address, "Ann").await.say("1", SAID).await, 1);
        program.kill().await;
        let keys = directory.join("messages.keys");
        let length = fs::metadata(&keys).unwrap().len();
        fs::write(&keys, vec![b'x'; usize::try_from(length).unwrap()]).unwrap();
        fs::write(directory.join("wiping"), "messages\n").unwrap();
    }
}
