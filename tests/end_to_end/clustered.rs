//! A room whose messages are in NATS: two nodes, and what the program says when it cannot be.

use std::ffi::OsStr;

use onionroom::config::ClusterSettings;
use onionroom::protocol::Role;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::kit::program::{Program as Node, run};
use crate::kit::raw::Raw;
use crate::kit::{Guest, TestRoom, within};
use crate::nats::{Line, Program, Servers};

pub(crate) async fn node(servers: &Servers, data: &TempDir) -> TestRoom {
    let cluster = ClusterSettings { replicas: 0, ..servers.settings("tea", &servers.addresses()) };
    let data = data.path().join("node");
    TestRoom::open_with(|settings| {
        settings.cluster = Some(cluster);
        settings.data_dir = Some(data);
    })
    .await
}

/// What is said at one node is heard at the other, in one order, and a cursor of the one counts at the other.
#[tokio::test]
async fn guests_of_two_nodes_hear_each_other() {
    let servers = Servers::start(Program::Debian, 1);
    let data = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (one, other) = (node(&servers, &data[0]).await, node(&servers, &data[1]).await);
    let mut ann = one.guest("Ann").await;
    let mut ben = other.guest("Ben").await;
    assert_eq!(ann.welcome["room"]["epoch"], ben.welcome["room"]["epoch"]);
    let mut heard = [Vec::new(), Vec::new()];
    for number in 0..10 {
        ann.send(json!({ "type": "say", "id": format!("a{number}"), "text": "from Ann" })).await;
        ben.send(json!({ "type": "say", "id": format!("b{number}"), "text": "from Ben" })).await;
    }
    for (guest, heard) in [&mut ann, &mut ben].into_iter().zip(&mut heard) {
        while heard.len() < 20 {
            let event = guest.expect("message").await;
            heard.push((event["seq"].clone(), event["name"].clone(), event["id"].clone()));
        }
    }
    assert_eq!(heard[0], heard[1]);
    let (epoch, token) = (ann.welcome["room"]["epoch"].clone(), ann.welcome["token"].clone());
    drop(ann);
    one.close().await;
    let mut back = other.stranger().await;
    let welcome = back.hello_as(json!({ "name": "Ann", "token": token, "after": 17, "epoch": epoch })).await;
    assert_eq!((&welcome["room"]["epoch"], &welcome["guest"]["name"]), (&epoch, &json!("Ann")));
    for seq in 18..=20 {
        assert_eq!(back.expect("message").await["seq"], seq);
    }
    // Said at the node that is gone, and repeated here.
    assert_eq!(back.say("a0", "from Ann").await, heard[0].iter().find(|one| one.2 == "a0").unwrap().0);
    other.close().await;
}

/// What a host decides at one node holds at the other, for who is there and for who comes, and after both were restarted.
#[tokio::test]
async fn what_a_host_decides_holds_at_every_node() {
    let servers = Servers::start(Program::Debian, 1);
    let data = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (one, other) = (node(&servers, &data[0]).await, node(&servers, &data[1]).await);
    let mut hanna = one.guest("Hanna").await;
    let link = one.link(Role::Host).await;
    hanna.claim(&link).await;
    let (mut gus, mut mona) = (other.guest("Gus").await, other.guest("Mona").await);
    hanna.act("1", json!({ "act": "role", "of": mona.id(), "role": "moderator" })).await;
    hanna.act("2", json!({ "act": "ban", "of": gus.id() })).await;
    assert_eq!(gus.closed().await.0, 4003);
    mona.act("3", json!({ "act": "lock", "locked": true })).await;
    // Used at one node, a link gives nothing at the other.
    mona.send(json!({ "type": "claim", "id": "claim", "link": link })).await;
    assert_eq!(mona.expect("error").await["code"], "not_allowed");
    // The other node has heard of it when it tells of it.
    while hanna.expect("act").await["act"] != "lock" {}
    let mut late = one.stranger().await;
    late.send(json!({ "type": "hello", "name": "Late" })).await;
    assert_eq!(late.closed().await.0, 1013);
    let (token, banned) = (mona.welcome["token"].clone(), gus.welcome["token"].clone());
    drop((hanna, mona));
    one.close().await;
    other.close().await;

    let again = node(&servers, &data[0]).await;
    let mut mona = again.stranger().await;
    let welcome = mona.hello_as(json!({ "token": token })).await;
    assert_eq!((&welcome["locked"], welcome["roles"].as_array().unwrap().len()), (&true.into(), 2));
    let mut gus = again.stranger().await;
    gus.send(json!({ "type": "hello", "token": banned })).await;
    assert_eq!(gus.closed().await.0, 4003);
    again.close().await;
}

/// A name that is reserved at one node is reserved at the other, and its guest comes in there; a ban holds at both. Of two guests who
/// reserve one name at the same moment the order of the log has one.
#[tokio::test]
async fn an_identity_is_the_same_guest_at_every_node() {
    let servers = Servers::start(Program::Debian, 1);
    let data = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (one, other) = (node(&servers, &data[0]).await, node(&servers, &data[1]).await);
    let identity = json!({ "identity": { "name": "Ann", "passphrase": "tea at five, no sugar" } });
    let (mut ann, mut ben) = (one.stranger().await, other.guest("Ben").await);
    ann.hello_as(identity.clone()).await;
    assert_eq!(ben.expect("act").await["act"], "reserve");
    ben.send(json!({ "type": "rename", "name": "ann" })).await;
    assert_eq!(ben.expect("error").await["code"], "name_reserved");
    let mut there = other.stranger().await;
    let welcome = there.hello_as(identity.clone()).await;
    assert_eq!((&welcome["token"], &welcome["guest"]["kept"]), (&ann.welcome["token"], &true.into()));
    assert_eq!(ann.closed().await.0, 4001, "taken over");

    // Both have the name for a moment: one gives it up in the same breath in which it reserves it.
    let (mut cora, mut dora) = (one.guest("Zora").await, other.guest("Dora").await);
    cora.send(json!({ "type": "act", "id": "r", "act": "reserve" })).await;
    cora.send(json!({ "type": "rename", "name": "Cora" })).await;
    let mut has_it = false;
    for round in 0..200 {
        dora.send(json!({ "type": "rename", "name": "Zora" })).await;
        let event = loop {
            let event = dora.next().await;
            if event["type"] == "error" || event["type"] == "renamed" && event["guest"]["id"] == dora.id() {
                break event;
            }
        };
        if event["type"] == "renamed" {
            has_it = true;
            dora.send(json!({ "type": "act", "id": format!("d{round}"), "act": "reserve" })).await;
            break;
        }
        if event["code"] == "name_reserved" {
            break;
        }
    }
    if has_it {
        loop {
            let event = dora.next().await;
            if event["type"] == "error" {
                assert!(
                    ["name_reserved", "not_allowed"].contains(&event["code"].as_str().unwrap()),
                    "{event}"
                );
                break;
            }
            assert_ne!(event["type"], "acknowledged", "the other one was first");
        }
    }
    let (of_cora, of_dora) = (cora.id(), dora.id());
    drop((cora, dora));
    for (room, names) in [(&one, ["Cora", "Emma"]), (&other, ["Dora", "Elsa"])] {
        let mut stranger = room.stranger().await;
        stranger.send(json!({ "type": "hello", "name": "Zora" })).await;
        let code = stranger.expect_error().await;
        assert!(code == "name_reserved" || has_it && code == "name_taken", "{code} {names:?}");
    }
    assert_ne!(of_cora, of_dora);

    let mut hanna = one.host_guest("Hanna").await;
    hanna.send(json!({ "type": "act", "id": "b", "act": "ban", "of": there.id() })).await;
    assert_eq!(there.closed().await.0, 4003);
    for room in [&one, &other] {
        let mut again = room.stranger().await;
        let mut hello = identity.clone();
        hello["type"] = "hello".into();
        again.send(hello).await;
        assert_eq!(again.closed().await.0, 4003);
    }
    one.close().await;
    other.close().await;
}

/// A guest whose cursor is beyond everything there is, as after the servers were restored from an older copy, gets in.
#[tokio::test]
async fn a_cursor_beyond_everything_keeps_no_guest_out() {
    let servers = Servers::start(Program::Debian, 1);
    let data = TempDir::new().unwrap();
    let room = node(&servers, &data).await;
    let mut ann = room.guest("Ann").await;
    ann.say("a", "from Ann").await;
    let epoch = ann.welcome["room"]["epoch"].clone();
    let mut ben = room.stranger().await;
    ben.hello_as(json!({ "name": "Ben", "after": 4_000_000_000_u64, "epoch": epoch })).await;
    ann.say("b", "from Ann").await;
    while ben.expect("message").await["id"] != "b" {}
    room.close().await;
}

/// A signal ends the program in good order while NATS stands still and guests wait for what is not there.
#[tokio::test]
async fn the_room_closes_in_time_while_nats_is_away() {
    let servers = Servers::start(Program::Debian, 1);
    let secret = servers.secret();
    let variables = [("ONIONROOM_CLUSTER_SECRET_FILE", secret.as_path())];
    let commands = format!("export ONIONROOM_CLUSTER_NATS={}", servers.address(0));
    let words = ["--no-onion", "--local", "open", "--listen", "127.0.0.1:0"];
    let mut program = Node::start_after(&commands, &variables, &words);
    let url = program.told("local").await;
    let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut ann = Guest::connect(TcpStream::connect(&address).await.unwrap(), &address).await;
    let welcome = ann.hello_as(json!({ "name": "Ann" })).await;
    ann.say("a", "text").await;
    servers.stop(0);
    within("a node without its servers to be unwell", unwell(&address)).await;
    ann.send(json!({ "type": "say", "id": "b", "text": "text" })).await;
    let mut ben = Guest::connect(TcpStream::connect(&address).await.unwrap(), &address).await;
    let hello = json!({ "type": "hello", "name": "Ben", "after": 99, "epoch": welcome["room"]["epoch"] });
    ben.send(hello).await;
    program.signal("TERM").await;
    assert!(program.ended().await.success());
    let said = program.rest_of_err().await;
    assert!(!said.contains("Not everything had ended in time"), "{said}");
    servers.resume(0);
}

/// Asks until the node takes no new guests.
async fn unwell(address: &str) {
    loop {
        let mut raw = Raw::new(TcpStream::connect(address).await.unwrap());
        let host = format!("Host: {address}");
        if raw.request(&["GET /health HTTP/1.1", &host, "Connection: close"]).await.status == 503 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn the_program_says_what_is_wrong_with_the_cluster() {
    let servers = Servers::start(Program::Debian, 1);
    let line = Line::to(servers.socket(0)).await;
    let gone = line.address();
    drop(line);
    let (home, key) = (TempDir::new().unwrap(), TempDir::new().unwrap().path().join("none"));
    let (file, data) = (home.path().join("cluster.key"), home.path().join("data"));
    let made = run(&["cluster", "key", file.to_str().unwrap()], &[]).await;
    assert!(made.status.success(), "{made:?}");
    let again = run(&["cluster", "key", file.to_str().unwrap()], &[]).await;
    assert!(!again.status.success(), "a key is not replaced");
    let secret = servers.secret();
    for (address, key, words) in [
        (&gone, &file, "No NATS server of cluster.nats"),
        (&servers.address(0), &key, "onionroom cluster key"),
        (&servers.address(0), &secret, ""),
        (&servers.address(0), &file, "another key"),
    ] {
        if words.is_empty() {
            // The room is made with this key.
            node(&servers, &TempDir::new().unwrap()).await.close().await;
            continue;
        }
        let variables: [(&str, &OsStr); 4] = [
            ("ONIONROOM_CLUSTER_NATS", OsStr::new(address)),
            ("ONIONROOM_CLUSTER_SECRET_FILE", key.as_os_str()),
            ("ONIONROOM_CLUSTER_ROOM", OsStr::new("tea")),
            ("ONIONROOM_STORAGE_DATA_DIR", data.as_os_str()),
        ];
        let ended = run(&["--no-onion", "--listen", "127.0.0.1:0"], &variables).await;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{said}");
    }
}
