//! Rooms on the disk: where their files are, what a restart keeps, and what a wipe takes.

use std::fs;
use std::path::Path;

use onionroom::config::{LocalAccess, Settings};
use onionroom::server::Server;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::two_more;
use crate::kit::Guest;

fn settings(data: &Path) -> Settings {
    let mut settings = Settings::default();
    settings.listen.address = ([127, 0, 0, 1], 0).into();
    settings.listen.local = LocalAccess::Open;
    settings.onion.enabled = false;
    settings.data_dir = Some(data.to_owned());
    two_more(&mut settings);
    settings
}

async fn guest_in(server: &Server, hello: serde_json::Value) -> Guest {
    let address = server.local_addr().unwrap();
    let mut guest = Guest::connect(TcpStream::connect(address).await.unwrap(), &address.to_string()).await;
    guest.hello_as(hello).await;
    guest
}

#[tokio::test]
async fn a_restart_keeps_each_room_and_the_main_one_is_where_it_was() {
    let outer = TempDir::new().unwrap();
    let data = outer.path().canonicalize().unwrap().join("data");
    let settings = settings(&data);
    let server = Server::open(&settings).await.unwrap();
    let mut ann = guest_in(&server, json!({ "name": "Ann", "room": "tea" })).await;
    let seq = ann.say("1", "over tea").await;
    let (token, epoch) = (ann.welcome["token"].clone(), ann.welcome["room"]["epoch"].clone());
    let number = ann.id();
    server.close().await;
    for file in ["messages.sqlite", "rooms/tea/messages.sqlite", "rooms/tea/messages.keys"] {
        assert!(data.join(file).is_file(), "{file}");
    }
    // A room that was never entered has no files.
    assert!(!data.join("rooms/attic").exists());
    #[cfg(unix)]
    for directory in ["rooms", "rooms/tea"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(data.join(directory)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{directory}");
    }

    let server = Server::open(&settings).await.unwrap();
    let hello = json!({ "room": "tea", "token": token, "after": seq, "epoch": epoch });
    let mut ann = guest_in(&server, hello).await;
    assert_eq!((ann.id(), &ann.welcome["cursor"]), (number, &json!(seq)));
    let mut ben = guest_in(&server, json!({ "name": "Ben", "room": "tea" })).await;
    assert_eq!(ben.expect("message").await["text"], "over tea");
    assert_eq!(ann.say("2", "more").await, seq + 1);
    server.close().await;
}

#[tokio::test]
async fn a_wipe_takes_all_rooms() {
    let outer = TempDir::new().unwrap();
    let data = outer.path().canonicalize().unwrap().join("data");
    let settings = settings(&data);
    let server = Server::open(&settings).await.unwrap();
    let mut ann = guest_in(&server, json!({ "name": "Ann", "room": "attic" })).await;
    ann.say("1", "a confession").await;
    fs::write(data.join("rooms/attic/foreign"), "not of the room").unwrap();
    let wiped = server.wipe(false).await.unwrap();
    assert_eq!(wiped.left, [data.join("rooms")], "what is not the room's");
    let left: Vec<_> = fs::read_dir(data.join("rooms/attic")).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(!data.join("rooms/tea").exists());
    let server = Server::open(&settings).await.unwrap();
    let ben = guest_in(&server, json!({ "name": "Ben", "room": "attic" })).await;
    assert_ne!(ben.welcome["room"]["epoch"], ann.welcome["room"]["epoch"]);
    server.close().await;
}
