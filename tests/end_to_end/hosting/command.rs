//! `onionroom host`: what it does, in words and as JSON.

use std::ffi::OsStr;
use std::fs;

use onionroom::protocol::{Badge, GuestId};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Hosted;
use crate::kit::Guest;
use crate::kit::program::run;

fn badge(guest: &Guest) -> String {
    Badge::of(GuestId(guest.id())).characters()
}

/// The next act that the guest is told of.
async fn told(guest: &mut Guest, act: &str) -> Value {
    let event = guest.expect("act").await;
    assert_eq!((&event["act"], &event["guest"]), (&json!(act), &json!(0)), "{event}");
    event
}

#[tokio::test]
async fn the_room_says_how_it_is() {
    let room = Hosted::open().await;
    let empty = room.says(&["status"]).await;
    assert!(empty.starts_with("onionroom\n  local    http://127.0.0.1:"), "{empty}");
    assert!(empty.contains("  guests   0 on 250 seats\n  let in   all\n"), "{empty}");
    assert_eq!(room.says(&["guests"]).await, "The room is empty.\n");

    let (ann, bob) = (room.guest("Ann").await, room.guest("Bob").await);
    let status = room.json(&["status"]).await;
    assert_eq!((&status["guests"], &status["away"], &status["seats"]), (&json!(2), &json!(0), &json!(250)));
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["local"], format!("http://{}/", room.address));
    let guests = room.json(&["guests"]).await;
    let line = |guest: &Guest, name: &str| json!({ "number": guest.id(), "badge": badge(guest), "name": name, "role": "guest", "away": false, "muted": false, "kept": false });
    assert_eq!(guests["guests"], json!([line(&ann, "Ann"), line(&bob, "Bob")]));
    let words = room.says(&["guests"]).await;
    let rows: Vec<Vec<_>> = words.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["number", "badge", "role", "name"]);
    assert_eq!(rows[1], [ann.id().to_string().as_str(), &badge(&ann), "guest", "Ann"]);
    assert_eq!(rows.len(), 3);
    for (words, said) in [
        (["roles"], "No guest has a role yet. `onionroom host link` makes a link that gives one.\n"),
        (["bans"], "No guest is muted or banned.\n"),
        (["names"], "No name is reserved.\n"),
        (["log"], "Nothing was done yet.\n"),
        (["messages"], "No message is kept.\n"),
    ] {
        assert_eq!(room.says(&words).await, said);
    }
}

#[tokio::test]
async fn guests_are_put_out_muted_and_banned() {
    let room = Hosted::open().await;
    let (mut ann, mut bob) = (room.guest("Ann").await, room.guest("Bob").await);
    let named = format!("Bob ({})", badge(&bob));
    let token = bob.welcome["token"].clone();

    let said = room.says(&["mute", "bob", "--for", "10m"]).await;
    assert_eq!(said, format!("{named} can say nothing for 10m.\n"));
    assert_eq!(told(&mut ann, "mute").await["seconds"], 600);
    bob.send(json!({ "type": "say", "id": "1", "text": "mmh" })).await;
    bob.expect("act").await;
    assert_eq!(bob.expect_error().await, "muted");
    let bans = room.json(&["bans"]).await;
    assert_eq!(bans["bans"][0]["kind"], "muted");
    assert!((1..=600).contains(&bans["bans"][0]["seconds_left"].as_u64().unwrap()));
    assert!(room.says(&["guests"]).await.contains("Bob (muted)"));
    assert_eq!(room.says(&["unmute", &badge(&bob)]).await, format!("{named} can talk again.\n"));
    bob.expect("act").await;
    bob.say("2", "thanks").await;

    let said = room.says(&["kick", &bob.id().to_string()]).await;
    assert_eq!(said, format!("{named} was put out, and can come back in a minute.\n"));
    assert_eq!(bob.closed().await.0, 4003);
    assert!(room.refused(&["kick", "Bob"]).await.contains("No guest is called \"Bob\""), "he is not here");
    assert!(room.says(&["bans"]).await.contains("put out"));

    // By the name of the message that he has left behind.
    assert_eq!(
        room.says(&["ban", "Bob"]).await,
        format!("{named} is banned until `onionroom host unban`.\n")
    );
    assert!(room.says(&["bans"]).await.contains("banned   until taken back  Bob"));
    let mut again = room.stranger().await;
    again.send(json!({ "type": "hello", "token": token })).await;
    assert_eq!(again.expect_error().await, "banned");
    assert_eq!(room.says(&["unban", "Bob"]).await, format!("{named} can come in again.\n"));
    let mut again = room.stranger().await;
    again.hello_as(json!({ "token": token })).await;

    let log = room.json(&["log"]).await;
    let acts: Vec<_> =
        log["acts"].as_array().unwrap().iter().map(|line| line["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["mute", "unmute", "kick", "ban", "unban"]);
    assert_eq!(log["acts"][0]["of"]["name"], "Bob");
    assert!(
        room.says(&["log"])
            .await
            .lines()
            .last()
            .unwrap()
            .ends_with(&format!("unban of {named}, by the terminal"))
    );
}

#[tokio::test]
async fn the_room_is_governed_as_a_whole() {
    let room = Hosted::open().await;
    let mut ann = room.guest("Ann").await;
    let number = ann.say("1", "first").await;
    let rules = room.directory.join("rules.txt");
    fs::write(&rules, "Be kind.\nBe brief.\n").unwrap();
    let rules = rules.to_str().unwrap();
    let message = number.to_string();
    let steps: [(&[&str], &str, &str, Value); 18] = [
        (
            &["lock"],
            "lock",
            "Only those who are here already can come back; `onionroom host unlock` lets all in.",
            json!({ "locked": true }),
        ),
        (&["unlock"], "lock", "All can come in.", json!({ "locked": false })),
        (&["slow", "90s"], "slow", "Each guest can say something once in 1m 30s.", json!({ "seconds": 90 })),
        (
            &["slow", "off"],
            "slow",
            "Guests can talk as fast as the room's limits let them.",
            json!({ "seconds": 0 }),
        ),
        (
            &["cap", "50"],
            "cap",
            "At most 50 guests can come in; those who are here stay.",
            json!({ "guests": 50 }),
        ),
        (&["cap", "off"], "cap", "As many guests can come in as there are seats.", json!({ "guests": 0 })),
        (&["topic", "Tea, mostly"], "topic", "The topic is set.", json!({ "text": "Tea, mostly" })),
        (
            &["title", "Tea at five"],
            "title",
            "The room is called Tea at five now.",
            json!({ "title": "Tea at five" }),
        ),
        (&["rules", rules], "rules", "The rules are set.", json!({ "text": "Be kind.\nBe brief." })),
        (
            &["announce", "Cake is served."],
            "announce",
            "It is announced.",
            json!({ "text": "Cake is served." }),
        ),
        (&["pin", &message], "pin", &format!("Message {number} is pinned."), json!({ "message": number })),
        (&["unpin"], "unpin", "No message is pinned.", json!({})),
        (&["pin", &message], "pin", &format!("Message {number} is pinned."), json!({ "message": number })),
        (
            &["role", "Ann", "moderator"],
            "role",
            &format!("Ann ({}) is a moderator now.", badge(&ann)),
            json!({ "role": "moderator" }),
        ),
        (
            &["role", "Ann", "guest"],
            "role",
            &format!("Ann ({}) has no role any more.", badge(&ann)),
            json!({ "role": "guest" }),
        ),
        (&["rules", "/dev/null"], "rules", "The room has no rules.", json!({ "text": "" })),
        (&["rules", rules], "rules", "The rules are set.", json!({ "text": "Be kind.\nBe brief." })),
        (
            &["link", "--revoke"],
            "revoke_links",
            "The links that were not used give nothing any more.",
            json!({}),
        ),
    ];
    for (words, act, said, members) in steps {
        assert_eq!(room.says(words).await, format!("{said}\n"));
        let event = match act {
            "title" => ann.expect("title").await,
            _ => told(&mut ann, act).await,
        };
        for (name, value) in members.as_object().unwrap() {
            assert_eq!(event[name], *value, "{event}");
        }
    }
    let status = room.says(&["status"]).await;
    for line in [
        "Tea at five\n",
        "  topic    Tea, mostly\n",
        &format!("  pinned   message {number}, Ann: first\n"),
        "  rules    Be kind.\n             Be brief.\n",
    ] {
        assert!(status.contains(line), "{line:?} in {status}");
    }
    assert_eq!(room.json(&["status"]).await["topic"], "Tea, mostly");

    assert_eq!(room.says(&["delete", &message]).await, "The message is deleted.\n");
    assert_eq!(told(&mut ann, "delete").await["messages"], json!([number]));
    assert_eq!(
        room.says(&["delete-all", "Ann"]).await,
        format!("All messages of Ann ({}) are deleted.\n", badge(&ann))
    );
    assert_eq!(told(&mut ann, "delete_all").await["of"], ann.id());
    let done = room.json(&["announce", "The end."]).await;
    assert_eq!(done["seq"], told(&mut ann, "announce").await["seq"], "{done}");
}

#[tokio::test]
async fn a_link_makes_a_host_and_another_one_a_moderator() {
    let room = Hosted::open().await;
    let mut ann = room.guest("Ann").await;
    let said = room.says(&["link"]).await;
    let address = format!("  http://{}/#host=", room.address);
    let secret = said.lines().find_map(|line| line.strip_prefix(&address)).unwrap();
    assert!(said.starts_with("This link makes the window that opens it a host's, once:\n"), "{said}");
    ann.send(json!({ "type": "claim", "id": "1", "link": secret })).await;
    ann.expect("acknowledged").await;
    let roles = room.json(&["roles"]).await;
    assert_eq!(roles["roles"][0]["role"], "host");
    assert_eq!(roles["roles"][0]["name"], "Ann");
    assert!(room.says(&["guests"]).await.contains("host       Ann"));

    let mut bob = room.guest("Bob").await;
    let link = room.json(&["link", "--moderator"]).await;
    assert_eq!(link["links"], json!([format!("{}{}", address.trim(), link["secret"].as_str().unwrap())]));
    bob.send(json!({ "type": "claim", "id": "1", "link": link["secret"] })).await;
    bob.expect("acknowledged").await;
    assert!(room.says(&["roles"]).await.contains("moderator  Bob"));
}

#[tokio::test]
async fn messages_are_listed_with_their_numbers() {
    let room = Hosted::open().await;
    let mut ann = room.guest("Ann").await;
    for number in 1..=30 {
        ann.say(&number.to_string(), &format!("line {number}\nerror: not by this program")).await;
    }
    let listed = room.json(&["messages", "--last", "3"]).await;
    let listed = listed["messages"].as_array().unwrap();
    assert_eq!(listed.len(), 3);
    assert!(listed[2]["text"].as_str().unwrap().starts_with("line 30"));
    assert_eq!(listed[2]["number"], ann.id());
    let words = room.says(&["messages"]).await;
    assert_eq!(words.lines().count(), 40);
    assert!(words.lines().all(|line| !line.starts_with("error")), "{words}");
}

#[tokio::test]
async fn whom_it_means_is_said_or_refused() {
    let room = Hosted::open().await;
    let mut ann = room.guest("Ann").await;
    let imitator = room.guest(&ann.id().to_string()).await;
    let number = ann.id().to_string();
    let said = room.refused(&["kick", &number]).await;
    assert!(said.contains("could be each of these guests"), "{said}");
    assert!(said.contains(&format!("number:{number}  {}  Ann", badge(&ann))), "{said}");
    assert!(said.contains(&format!("number:{}", imitator.id())), "{said}");
    room.says(&["mute", &format!("name:{number}")]).await;
    assert_eq!(told(&mut ann, "mute").await["of"], imitator.id());
    room.says(&["mute", &format!("number:{number}")]).await;
    assert_eq!(told(&mut ann, "mute").await["of"], ann.id());

    let output = room.host(&["--json", "kick", "Nemo"]).await;
    assert_eq!(output.status.code(), Some(1));
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(error["error"]["code"], "no_such_guest");
    let output = room.host(&["--json", "cap", "10001"]).await;
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &error["error"]["code"]), (Some(1), &json!("wrong_kind")));
}

#[tokio::test]
async fn mistakes_are_named_and_nothing_is_done() {
    for (words, said) in [
        (&["mute", "Ann", "--for", "ten"][..], "such as 30s, 10m, 2h or 7d"),
        (&["slow", "5"], "or off"),
        (&["cap", "none"], "or off"),
        (&["delete", "first"], "invalid"),
        (&["delete"], "MESSAGE"),
        (&["role", "Ann", "king"], "host, moderator, guest"),
        (&["link", "--moderator", "--revoke"], "--revoke"),
        (&["status", "--ephemeral", "--data-dir", "x"], "--ephemeral"),
    ] {
        let output = run(&[&["host"], words].concat(), &[]).await;
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?} {err}");
        assert!(err.contains(said), "{words:?} {err}");
    }
    let place = TempDir::new().unwrap();
    let nowhere = place.path().join("nowhere");
    let flag = format!("--data-dir={}", nowhere.display());
    // Before the command, too: another room would be governed otherwise.
    for words in [[flag.as_str(), "host", "lock"], ["host", flag.as_str(), "lock"], ["host", "lock", &flag]] {
        let output = run(&words, &[]).await;
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains("No room is open in") && err.contains("nowhere"), "{err}");
    }
    let variable = ("ONIONROOM_STORAGE_DATA_DIR", OsStr::new("/nowhere/at/all"));
    let err = String::from_utf8(run(&["host", "lock"], &[variable]).await.stderr).unwrap();
    assert!(err.contains("/nowhere/at/all"), "{err}");
}

#[tokio::test]
async fn reserved_names_are_listed_and_taken_back() {
    let room = Hosted::open().await;
    let mut ann = room.guest("Ann").await;
    ann.send(json!({ "type": "act", "id": "1", "act": "reserve" })).await;
    ann.expect("acknowledged").await;
    let names = room.json(&["names"]).await;
    let line =
        json!({ "number": ann.id(), "badge": badge(&ann), "name": "Ann", "ago": names["names"][0]["ago"] });
    assert_eq!(names["names"], json!([line]));
    assert!(names["names"][0]["ago"].as_u64().unwrap() < 60);
    assert!(room.says(&["names"]).await.lines().nth(1).unwrap().ends_with("  Ann"));
    assert!(room.says(&["guests"]).await.contains("Ann (reserved name)"));
    assert_eq!(room.json(&["guests"]).await["guests"][0]["kept"], true);
    let said = room.says(&["unreserve", "ann"]).await;
    assert_eq!(said, format!("The name of Ann ({}) is not reserved any more.\n", badge(&ann)));
    // The guest's own act may come before its answer or after it.
    let taken = loop {
        let event = ann.expect("act").await;
        if event["act"] != "reserve" {
            break event;
        }
    };
    assert_eq!((&taken["act"], &taken["of"]), (&json!("unreserve"), &json!(ann.id())));
    assert_eq!(room.host(&["unreserve", "Ann"]).await.status.code(), Some(1));
    room.says(&["identities", "on"]).await;
    assert_eq!(told(&mut ann, "identities").await["required"], true);
    assert!(room.says(&["status"]).await.contains("  identity asked for"));
    assert_eq!(room.json(&["status"]).await["identities_required"], true);
    room.says(&["private", "off"]).await;
    assert_eq!(told(&mut ann, "private").await["private"], false);
    room.says(&["typing", "on"]).await;
    assert_eq!(told(&mut ann, "typing").await["typing"], true);
    let status = room.says(&["status"]).await;
    assert!(
        status.contains("  private  guests cannot") && status.contains("  typing   guests are told"),
        "{status}"
    );
    room.says(&["identities", "off"]).await;
    assert_eq!(room.host(&["identities", "perhaps"]).await.status.code(), Some(2));
}
