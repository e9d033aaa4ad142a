//! A wipe of a room that is open: by the command, over the socket and over HTTP, by a host alone, and once.

use std::fs;

use serde_json::json;

use super::*;
use crate::kit::Visitor;
use crate::kit::noscript::{NoscriptGuest, field};

const AS_JSON: &str = "Content-Type: application/json";

/// What the room has left in its data directory.
fn left(room: &Hosted) -> Vec<String> {
    let entries = fs::read_dir(&room.directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

impl Hosted {
    async fn wipe(&self, words: &[&str]) -> Output {
        let directory = self.directory.to_str().unwrap();
        run(&[&["wipe", "--data-dir", directory], words].concat(), &[]).await
    }

    /// The words with which the program ends, well.
    async fn last_words(&mut self) -> String {
        assert_eq!(within("the end", self.program.ended()).await.code(), Some(0));
        self.program.rest_of_err().await
    }
}

#[tokio::test]
async fn the_command_wipes_an_open_room() {
    let mut room = Hosted::open().await;
    let mut ann = room.guest("Ann").await;
    ann.say("1", "a confession").await;
    let unasked = room.wipe(&[]).await;
    assert_eq!(unasked.status.code(), Some(2), "{unasked:?}");
    assert_eq!(ann.say("2", "more").await, 2);

    let wiped = room.wipe(&["--yes"]).await;
    let said = String::from_utf8(wiped.stderr).unwrap();
    assert_eq!(wiped.status.code(), Some(0), "{said}");
    assert!(said.contains("The room is wiped. Its address is kept."), "{said}");
    assert_eq!(ann.closed().await.0, 1001);
    let words = room.last_words().await;
    assert!(words.contains("over the host's socket") && words.contains("The room is wiped."), "{words}");
    assert_eq!(left(&room), ["lock"]);
    // A new room opens there.
    let (program, address) = start(&room.directory).await;
    (room.program, room.address) = (program, address);
    assert_eq!(room.guest("Ann").await.say("1", "hello").await, 1);
}

/// Two at once, of which one takes the address too, and a backup under way.
#[tokio::test]
async fn two_wipes_and_a_backup_at_once_are_one_wipe() {
    let mut room = Hosted::open().await;
    let file = room.directory.with_file_name("backup.age");
    let mut client = room.connect().await;
    let mut wrong = json!({ "do": "wipe", "confirm": "another title" });
    assert_eq!(client.ask(&wrong).await["error"]["code"], "not_confirmed");
    wrong["confirm"] = 7.into();
    assert_eq!(client.ask(&wrong).await["error"]["code"], "wrong_kind");

    let backup =
        json!({ "do": "backup", "path": file, "passphrase": "five words at random", "progress": true });
    let mut other = room.connect().await;
    other.send(&format!("{backup}\n")).await;
    assert!(other.answer().await.unwrap().get("progress").is_some());
    // In one write: the room ends so fast after the first that a second write may find no reader.
    let wipes =
        [false, true].map(|address| json!({ "do": "wipe", "confirm": "onionroom", "address": address }));
    client.send(&format!("{}\n{}\n", wipes[0], wipes[1])).await;
    assert_eq!(client.answer().await.unwrap(), json!({ "ok": { "address": false } }));
    // The first may be under way, or the room may be closing, before it has read the second.
    let second = client.answer().await.unwrap();
    let taken = second == json!({ "ok": { "address": true } });
    let code = second["error"]["code"].as_str().unwrap_or_default();
    assert!(taken || ["closing", "not_allowed"].contains(&code), "{second}");
    let words = room.last_words().await;
    let told = if taken { "and its address are wiped" } else { "The room is wiped." };
    assert!(words.contains(told), "{words}");
    assert_eq!(left(&room), ["lock"]);
    assert!(!file.exists() || fs::metadata(&file).unwrap().len() > 1000, "whole, or not at all");
}

#[tokio::test]
async fn hosts_wipe_over_http_and_others_do_not() {
    let mut room = Hosted::open().await;
    let mut visitors = Vec::new();
    for name in ["Ann", "Mo", "Gus"] {
        visitors.push(Visitor::stranger_at(room.address.parse().unwrap()).seated(name).await);
    }
    for (name, role) in [("Ann", "host"), ("Mo", "moderator")] {
        room.says(&["role", name, role]).await;
    }
    let body = json!({ "confirm": " onionroom ", "address": false }).to_string();
    for visitor in &visitors[1..] {
        let refused = visitor.request("POST", "/rooms/main/wipe", &[AS_JSON], &body).await;
        assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("not_allowed")));
    }
    let ann = &visitors[0];
    for (body, status, code) in [
        (json!({ "confirm": "Onionroom" }), 422, "not_confirmed"),
        (json!({ "confirm": "" }), 422, "not_confirmed"),
        (json!({ "address": true }), 400, "missing_field"),
        (json!({ "confirm": "onionroom", "address": "yes" }), 400, "wrong_kind"),
    ] {
        let refused = ann.request("POST", "/rooms/main/wipe", &[AS_JSON], &body.to_string()).await;
        assert_eq!((refused.status, &refused.json()["code"]), (status, &json!(code)));
    }
    let foreign =
        ann.request("POST", "/rooms/main/wipe", &[AS_JSON, "Origin: http://evil.example"], &body).await;
    assert_eq!(foreign.status, 403);
    let mut ben = room.guest("Ben").await;
    assert_eq!(ben.say("1", "still here").await, 3);
    let done = ann.request("POST", "/rooms/main/wipe", &[AS_JSON], &body).await;
    assert_eq!((done.status, done.json()), (202, json!({ "address": false })));
    assert_eq!(ben.closed().await.0, 1001);
    let words = room.last_words().await;
    assert!(
        words.contains("A host of the room has asked") && words.contains("The room is wiped."),
        "{words}"
    );
    assert!(!words.contains("Ann"), "no name: {words}");
    assert_eq!(left(&room), ["lock"]);
}

/// Without scripts: the form asks for the title, and a page of another site cannot send it.
#[tokio::test]
async fn hosts_wipe_without_javascript() {
    let mut room = Hosted::open().await;
    let mut windows = Vec::new();
    for name in ["Ann", "Mo"] {
        let mut guest = NoscriptGuest::stranger_at(room.address.parse().unwrap());
        let entry = guest.open().await;
        guest.enter(&entry, name).await;
        windows.push(guest);
    }
    for (name, role) in [("Ann", "host"), ("Mo", "moderator")] {
        room.says(&["role", name, role]).await;
    }
    let pages = [windows[0].get("/host", "").await, windows[1].get("/host", "").await];
    assert!(pages[0].text().contains("wipe_address") && !pages[1].text().contains("wipe_address"));
    let own = "Sec-Fetch-Site: same-origin";
    let send = async |window: &NoscriptGuest, proved: bool, action: &str, title: &str, site: &str| {
        let page = window.get("/host", "").await;
        let proof = if proved { field(page.text(), "proof") } else { "A".repeat(22) };
        let form = field(page.text(), "form");
        let fields = [("form", form.as_str()), ("proof", &proof), ("text", title), ("do", action)];
        window.post_to("/host", &fields, &[site]).await
    };
    let refused = send(&windows[1], true, "wipe", "onionroom", own).await;
    assert_eq!(refused.status, 403, "a moderator: {}", refused.text());
    let refused = send(&windows[0], true, "wipe", "another", own).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.text().contains("not the title of this room"), "{}", refused.text());
    let foreign = send(&windows[0], false, "wipe", "onionroom", "Sec-Fetch-Site: cross-site").await;
    assert_eq!(foreign.status, 403, "{}", foreign.text());
    // An older browser, which says nothing of where a form came from.
    let unproved = send(&windows[0], false, "wipe", "onionroom", "Accept: text/html").await;
    assert_eq!(unproved.status, 403, "{}", unproved.text());
    assert!(room.says(&["status"]).await.starts_with("onionroom"));
    let done = send(&windows[0], true, "wipe_address", "onionroom", own).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.text().contains("The room is being wiped"), "{}", done.text());
    let words = room.last_words().await;
    assert!(words.contains("and its address are wiped"), "{words}");
    assert_eq!(left(&room), ["lock"]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_ephemeral_room_only_closes() {
    let memory = TempDir::new_in("/dev/shm").unwrap();
    let words = ["--no-onion", "--local", "open", "--listen", "127.0.0.1:0", "--ephemeral"];
    let mut program = Program::start_after("", &[("XDG_RUNTIME_DIR", memory.path())], &words);
    program.told("local").await;
    let directory = fs::read_dir(memory.path()).unwrap().next().unwrap().unwrap().path();
    let mut client = Client::connect(&directory.join("host.sock")).await;
    let done = client.ask(&json!({ "do": "wipe", "confirm": "onionroom" })).await;
    assert_eq!(done, json!({ "ok": { "address": false } }));
    assert_eq!(program.ended().await.code(), Some(0));
    let words = program.rest_of_err().await;
    assert!(words.contains("It kept nothing."), "{words}");
    assert!(!directory.exists());
}
