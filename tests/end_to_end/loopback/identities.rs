//! Identities over every transport: the same guest comes back, and nobody else gets the name.

use onionroom::protocol::Role;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kit::noscript::{NoscriptGuest, field};
use crate::kit::raw::Answer;
use crate::kit::{Guest, TestRoom, Visitor};

const PASSPHRASE: &str = "tea at five, no sugar";

fn identity(name: &str, passphrase: &str) -> Value {
    json!({ "identity": { "name": name, "passphrase": passphrase } })
}

async fn act(guest: &mut Guest, act: Value) -> Value {
    let id = act["act"].as_str().unwrap().to_owned();
    guest.act(&id, act).await
}

/// The code of the refusal of a hello.
async fn refused(room: &TestRoom, mut hello: Value) -> String {
    let mut stranger = room.stranger().await;
    hello["type"] = "hello".into();
    stranger.send(hello).await;
    stranger.expect_error().await
}

/// Sends the entry's form with these fields, as people do.
async fn enter(browser: &mut NoscriptGuest, fields: &[(&str, &str)]) -> Answer {
    let entry = browser.open().await;
    let (form, proof) = (field(entry.text(), "form"), field(entry.text(), "proof"));
    let own = [("form", form.as_str()), ("proof", proof.as_str())];
    let answer = browser.post_to("/enter", &[&own, fields].concat(), &[]).await;
    browser.keep(&answer);
    answer
}

async fn press(browser: &NoscriptGuest, button: &str) -> Answer {
    let page = browser.get("/identity", "").await;
    let (form, proof) = (field(page.text(), "form"), field(page.text(), "proof"));
    browser.post_to("/identity", &[("form", &form), ("proof", &proof), ("do", button)], &[]).await
}

#[tokio::test]
async fn a_passphrase_is_the_same_guest_over_every_transport() {
    let room = TestRoom::open().await;
    let mut ann = room.stranger().await;
    let welcome = ann.hello_as(identity("Ann", PASSPHRASE)).await;
    assert_eq!(welcome["guest"]["kept"], true);
    room.appoint(ann.id(), Role::Moderator).await;
    let mut ben = room.guest("Ben").await;
    assert_eq!(ben.welcome["guests"][0]["kept"], true);
    assert!(ben.welcome["guest"].get("kept").is_none());
    let token = welcome["token"].clone();
    ann.send(json!({ "type": "leave" })).await;
    ben.expect("left").await;

    assert_eq!(refused(&room, json!({ "name": "Ann" })).await, "name_reserved");
    assert_eq!(refused(&room, identity("Ann", "tea at six, no sugar")).await, "identity_wrong");
    assert_eq!(refused(&room, identity("Ann", "tea")).await, "bad_passphrase");
    ben.send(json!({ "type": "rename", "name": "ANN" })).await;
    assert_eq!(ben.expect("error").await["code"], "name_reserved");
    let mut visitor = Visitor::stranger(&room);
    for (body, status, code) in [
        (json!({ "name": "Ann" }), 409, "name_reserved"),
        (identity("Ann", "tea at six, no sugar"), 403, "identity_wrong"),
        (identity("Ann", "tea"), 422, "bad_passphrase"),
    ] {
        let answer = visitor.post("/rooms/main/guests", body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (status, &code.into()), "{}", answer.text());
    }

    let answer = visitor.post("/rooms/main/guests", identity("ann", PASSPHRASE)).await;
    let there = answer.json();
    assert_eq!((answer.status, &there["token"], &there["guest"]["kept"]), (201, &token, &true.into()));
    assert_eq!(there["guest"]["id"], welcome["guest"]["id"]);
    let joined = ben.expect("joined").await;
    assert_eq!((&joined["guest"]["kept"], &joined["guest"]["id"]), (&true.into(), &welcome["guest"]["id"]));
    visitor.welcome = there;
    let said = visitor.post("/rooms/main/messages", json!({ "id": "1", "text": "from there" })).await;
    assert_eq!(said.status, 201);
    let mut events = visitor.clone().listen("", &[]).await;
    assert_eq!(events.next().await.unwrap()["guest"]["id"], welcome["guest"]["id"]);
    let reserved = visitor.get("/rooms/main/acts").await;
    assert_eq!(reserved.status, 200, "the role hangs on it: {}", reserved.text());

    // Without JavaScript.
    let mut browser = NoscriptGuest::stranger(&room);
    let wrong = enter(&mut browser, &[("name", "Ann"), ("passphrase", "tea at six, no sugar")]).await;
    assert!(wrong.status == 403 && wrong.text().contains("another passphrase"), "{}", wrong.text());
    assert!(!wrong.text().contains("tea at six"), "it is not shown again");
    let short = enter(&mut browser, &[("name", "Ann"), ("passphrase", "tea")]).await;
    assert!(short.status == 422 && short.text().contains("at least 8 characters"), "{}", short.text());
    let entered = enter(&mut browser, &[("name", "Ann"), ("passphrase", PASSPHRASE)]).await;
    assert_eq!(entered.status, 303, "{}", entered.text());
    assert!(browser.cookies.iter().any(|(_, value)| *value == token), "the same token");
    assert!(browser.get("/identity", "").await.text().contains("is reserved for you"));
}

#[tokio::test]
async fn a_key_file_brings_back_the_guest_who_saved_it() {
    let room = TestRoom::open().await;
    let first = NoscriptGuest::arrive_as(&room, "Vera").await;
    let page = first.get("/identity", "").await;
    assert!(page.text().contains("No name is reserved for you"), "{}", page.text());
    assert_eq!(press(&first, "reserve").await.status, 303);
    assert!(first.get("/identity", "").await.text().contains("is reserved for you"));
    let file = press(&first, "key").await;
    assert_eq!(file.status, 200);
    let named = file.header("content-disposition").unwrap();
    assert!(
        named.starts_with("attachment; filename=\"onionroom-key-") && named.ends_with(".txt\""),
        "{named}"
    );
    assert_eq!(file.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(file.header("cache-control"), Some("no-store"));

    let leave = field(first.get("", "").await.text(), "proof");
    let left = first
        .post_to("/leave", &[("form", &first.window), ("proof", &leave)], &["Sec-Fetch-Site: same-origin"])
        .await;
    assert_eq!(left.status, 303, "{}", left.text());
    let mut other = NoscriptGuest::stranger(&room);
    let squatter = enter(&mut other, &[("name", "Vera")]).await;
    assert!(squatter.status == 409 && squatter.text().contains("key file"), "{}", squatter.text());
    let nonsense = enter(&mut other, &[("key", "my key")]).await;
    assert!(nonsense.status == 400 && nonsense.text().contains("no key file"), "{}", nonsense.text());
    // As a browser sends what was pasted.
    let pasted = file.text().replace('\n', "\r\n");
    assert_eq!(enter(&mut other, &[("key", &pasted)]).await.status, 303);
    let same =
        |guest: &NoscriptGuest| guest.cookies.iter().find(|(name, _)| name.starts_with("guest")).cloned();
    assert_eq!(same(&first), same(&other));
    let back = other.get("/identity", "").await;
    assert!(
        back.text().contains("You are <bdi>Vera</bdi>"),
        "the reserved name, without asking: {}",
        back.text()
    );
    // A page of another site cannot press the button, nor bring a key.
    for (part, fields) in
        [("/identity", [("form", "1"), ("do", "key")]), ("/enter", [("form", "1"), ("key", &pasted)])]
    {
        let forged = other.post_to(part, &fields, &["Sec-Fetch-Site: cross-site"]).await;
        assert_eq!(forged.status, 403, "{part}");
        assert!(!forged.text().contains("onionroom-key-1"));
    }
    assert_eq!(press(&other, "release").await.status, 303);
    assert_eq!(press(&other, "release").await.status, 403);
}

#[tokio::test]
async fn an_identity_is_there_after_a_restart_and_in_yesterdays_backup() {
    let data = TempDir::new().unwrap();
    let open = |name: &'static str| {
        let place = data.path().join(name);
        TestRoom::open_with(move |settings| settings.data_dir = Some(place))
    };
    let room = open("now").await;
    let mut ann = room.stranger().await;
    ann.hello_as(identity("Ann", PASSPHRASE)).await;
    room.close().await;
    let (now, yesterday) = (data.path().join("now"), data.path().join("yesterday"));
    copy(&now, &yesterday);

    let room = open("now").await;
    let mut bob = room.stranger().await;
    bob.hello_as(identity("Bob", PASSPHRASE)).await;
    let mut again = room.stranger().await;
    assert_eq!(again.hello_as(identity("Ann", PASSPHRASE)).await["token"], ann.welcome["token"]);
    act(&mut again, json!({ "act": "release_name" })).await;
    room.close().await;

    let room = open("yesterday").await;
    assert_eq!(refused(&room, json!({ "name": "Ann" })).await, "name_reserved", "as it was then");
    let mut again = room.stranger().await;
    assert_eq!(again.hello_as(identity("Ann", PASSPHRASE)).await["token"], ann.welcome["token"]);
    let mut thief = room.guest("Bob").await;
    act(&mut thief, json!({ "act": "reserve" })).await;
    assert_eq!(refused(&room, identity("Bob", PASSPHRASE)).await, "identity_wrong");
    room.close().await;
    for directory in [now, yesterday] {
        for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let Ok(bytes) = std::fs::read(entry.path()) else { continue };
            for secret in [PASSPHRASE, ann.welcome["token"].as_str().unwrap()] {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} in {}", entry.path().display());
            }
        }
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let there = to.join(entry.file_name());
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy(&entry.path(), &there),
            kind if kind.is_file() => drop(std::fs::copy(entry.path(), there).unwrap()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_room_that_asks_for_identities_takes_them_on_every_transport() {
    let room = TestRoom::open().await;
    let mut hanna = room.guest("Hanna").await;
    room.appoint(hanna.id(), Role::Host).await;
    act(&mut hanna, json!({ "act": "identities", "required": true })).await;
    let mut newcomer = room.stranger().await;
    newcomer.send(json!({ "type": "hello", "name": "Nora" })).await;
    assert_eq!(newcomer.expect_error().await, "identity_needed");
    // The same connection goes on.
    let welcome = newcomer.hello_as(identity("Nora", PASSPHRASE)).await;
    assert_eq!((&welcome["identities_required"], &welcome["guest"]["kept"]), (&true.into(), &true.into()));
    let visitor = Visitor::stranger(&room);
    let answer = visitor.post("/rooms/main/guests", json!({ "name": "Vera" })).await;
    assert_eq!((answer.status, &answer.json()["code"]), (403, &"identity_needed".into()));
    let mut browser = NoscriptGuest::stranger(&room);
    let asked = enter(&mut browser, &[("name", "Nell")]).await;
    assert!(
        asked.status == 403 && asked.text().contains("Choose a name and a passphrase"),
        "{}",
        asked.text()
    );
    assert!(asked.text().contains("<details open>"), "{}", asked.text());
    assert_eq!(enter(&mut browser, &[("name", "Nell"), ("passphrase", PASSPHRASE)]).await.status, 303);
}
