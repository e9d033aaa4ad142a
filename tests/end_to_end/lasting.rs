//! Entries of the log that are no messages: they last, have their place in the one order, and come on every transport.

use std::fs;
use std::path::Path;

use onionroom::log::sqlite::Synchronous;
use onionroom::log::{Entry, Log, Retention, SqliteLog};
use onionroom::protocol::{Body, GuestId, MessageId};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpSocket;

use crate::kit::noscript_stream::NoscriptStream;
use crate::kit::{Guest, TestRoom, Visitor};

/// The files of a log that version 0.1.0 of 25 November 2026 wrote, with the third version of the schema: three messages of
/// Ann.
const BEFORE: [(&str, &[u8]); 3] = [
    ("messages.sqlite", include_bytes!("data_directory/version_3/messages.sqlite")),
    ("messages.keys", include_bytes!("data_directory/version_3/messages.keys")),
    ("messages.state", include_bytes!("data_directory/version_3/messages.state")),
];

/// Her token there.
const TOKEN: &str = "nqLXfHTmpl6I1CFscEmvdKhm9Q1Y9gm2yKdtODcOefI";

/// A room of this title on this directory, which keeps as many messages.
async fn open(data: &Path, title: &str, keeps: usize) -> TestRoom {
    let (data, title) = (data.join("room"), title.to_owned());
    TestRoom::open_with(|settings| {
        settings.data_dir = Some(data);
        settings.room.title = title;
        settings.history.messages = keeps;
        settings.history.days = 0;
    })
    .await
}

/// Everything that lasts, up to this entry.
async fn lasting(guest: &mut Guest, last: u64) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    while events.last().is_none_or(|event| event["seq"] != last) {
        let event = guest.next().await;
        if event.get("seq").is_some() && event["type"] != "acknowledged" {
            events.push(event);
        }
    }
    events
}

/// Type and number of each.
fn types(events: &[Value]) -> Vec<(&str, u64)> {
    events.iter().map(|event| (event["type"].as_str().unwrap(), event["seq"].as_u64().unwrap())).collect()
}

#[tokio::test]
async fn a_log_of_the_version_before_is_read_and_goes_on() {
    let data = TempDir::new().unwrap();
    // Made, and closed again, so that the directory is as the program makes it.
    open(data.path(), "onionroom", 10).await.close().await;
    for (name, content) in BEFORE {
        fs::write(data.path().join("room").join(name), content).unwrap();
    }
    for _ in 0..2 {
        let room = open(data.path(), "onionroom", 10).await;
        let mut ann = room.stranger().await;
        ann.hello_as(json!({ "token": TOKEN })).await;
        assert_eq!(ann.welcome["guest"]["id"], 174_214_297_001_599_u64, "the same room");
        let messages = lasting(&mut ann, 3).await;
        assert_eq!(types(&messages), [("message", 1), ("message", 2), ("message", 3)]);
        assert_eq!(messages[1]["text"], "said before, 2");
        assert_eq!(ann.say("m2", "said before, 2").await, 2, "a duplicate");
        room.close().await;
    }
    let room = open(data.path(), "another", 10).await;
    let mut ann = room.stranger().await;
    ann.hello_as(json!({ "token": TOKEN, "after": 3 })).await;
    assert_eq!(types(&lasting(&mut ann, 4).await), [("title", 4)]);
    assert_eq!(ann.say("m4", "said after").await, 5);
}

#[tokio::test]
async fn another_title_is_told_on_every_transport() {
    let data = TempDir::new().unwrap();
    let room = open(data.path(), "Tea", 10).await;
    let mut ann = room.guest("Ann").await;
    assert_eq!(ann.say("1", "before").await, 1, "the first title is no entry");
    let hello = json!({ "token": ann.welcome["token"], "epoch": ann.welcome["room"]["epoch"], "after": 1 });
    room.close().await;

    let room = open(data.path(), "Cake", 10).await;
    let mut ann = room.stranger().await;
    ann.hello_as(hello).await;
    assert_eq!((&ann.welcome["room"]["title"], &ann.welcome["head"]), (&json!("Cake"), &json!(2)));
    let title = lasting(&mut ann, 2).await.pop().unwrap();
    assert_eq!(
        (&title["type"], &title["title"], &title["guest"]),
        (&json!("title"), &json!("Cake"), &json!(0))
    );
    assert_eq!(ann.say("2", "after").await, 3);

    let visitor = Visitor::arrive(&room, "Visitor").await;
    let all = [("message", 1), ("title", 2), ("message", 3)];
    let page = visitor.messages("after=0").await;
    assert_eq!(types(page["messages"].as_array().unwrap()), all);
    let older = visitor.messages("before=3").await;
    assert_eq!(types(older["messages"].as_array().unwrap()), all[..2]);
    // Nothing but the entry is new after this cursor, and the poll does not wait for a message.
    let one = visitor.messages("after=1&limit=1&wait=30").await;
    assert_eq!(types(one["messages"].as_array().unwrap()), all[1..2]);
    ann.send(json!({ "type": "history", "before": 3 })).await;
    let history = ann.expect("history").await;
    assert_eq!(types(history["messages"].as_array().unwrap()), all[..2]);

    let mut listener = visitor.listen("after=1", &[]).await;
    assert_eq!(listener.expect("title").await["seq"], 2);
    let id = listener.last_id.clone().unwrap();
    let mut listener = visitor.listen("", &[&format!("Last-Event-ID: {id}")]).await;
    listener.expect("welcome").await;
    assert_eq!(listener.expect("message").await["seq"], 3, "the cursor is after the title");

    let mut page = NoscriptStream::enter_on(TcpSocket::new_v4().unwrap(), room.address(), 7).await;
    assert_eq!(page.message().await.as_deref(), Some("before"));
    page.until("The room is now called <bdi>Cake</bdi>").await;
    assert_eq!(page.message().await.as_deref(), Some("after"));
    room.close().await;

    // Once: the same title again is nothing new.
    let room = open(data.path(), "Cake", 10).await;
    assert_eq!(room.guest("Eve").await.welcome["head"], 3);
}

/// The state of the room is kept where its entries are not.
#[tokio::test]
async fn a_room_that_keeps_nothing_knows_its_title() {
    let data = TempDir::new().unwrap();
    for (title, head) in [("Tea", 0), ("Cake", 1), ("Cake", 1), ("Tea", 2)] {
        let room = open(data.path(), title, 0).await;
        let ann = room.guest("Ann").await;
        assert_eq!((&ann.welcome["room"]["title"], &ann.welcome["head"]), (&json!(title), &json!(head)));
        room.close().await;
    }
}

/// What a newer program wrote: an older one passes over it, on every transport, and keeps it.
#[tokio::test]
async fn an_unknown_kind_is_passed_over_and_kept() {
    let data = TempDir::new().unwrap();
    open(data.path(), "Tea", 100).await.close().await;
    let file = data.path().join("room/messages.sqlite");
    let keep = Retention { messages: 100, bytes: 0, age: None };
    let pin = |id: u64| Entry {
        at: 0,
        author: GuestId(9),
        id: MessageId::parse(&id.to_string()).unwrap(),
        body: Body::Unknown { kind: "pin".into(), data: vec![7, 255] },
    };
    // More than a page of the log, so that whole pages have nothing that is shown.
    let pins = (1..=80).map(pin);
    let log = SqliteLog::open(&file, keep, Synchronous::Normal).unwrap();
    log.append(pins.collect()).await.unwrap();
    drop(log);

    let room = open(data.path(), "Tea", 100).await;
    let mut ann = room.guest("Ann").await;
    let events = lasting(&mut ann, 80).await;
    assert_eq!(events.len(), 80);
    assert_eq!(events[0].get("kind"), Some(&json!("pin")));
    assert_eq!(ann.say("1", "said").await, 81);
    let visitor = Visitor::arrive(&room, "Visitor").await;
    let page = visitor.messages("after=79&wait=30").await;
    assert_eq!(types(page["messages"].as_array().unwrap()), [("unknown", 80), ("message", 81)]);
    let mut listener = visitor.listen("after=80", &[]).await;
    assert_eq!(listener.expect("message").await["seq"], 81);
    let mut page = NoscriptStream::enter_on(TcpSocket::new_v4().unwrap(), room.address(), 7).await;
    page.until("Something that this page cannot show.").await;
    assert_eq!(page.message().await.as_deref(), Some("said"));
    room.close().await;

    let log = SqliteLog::open(&file, keep, Synchronous::Normal).unwrap();
    let kept = log.read(79, 1).await.unwrap();
    assert_eq!(kept[0].body, Body::Unknown { kind: "pin".into(), data: vec![7, 255] });
}

/// A title is text, whatever is in it, also where it is all that was ever done; and no guest gives one.
#[tokio::test]
async fn only_the_host_gives_a_title_and_it_stays_text() {
    let data = TempDir::new().unwrap();
    open(data.path(), "Tea", 10).await.close().await;
    let strange = format!("<b>&\u{202e}{}", "😀".repeat(59));
    let room = open(data.path(), &strange, 10).await;
    let mut ann = room.guest("Ann").await;
    let title = lasting(&mut ann, 1).await.pop().unwrap();
    assert_eq!((&title["title"], &ann.welcome["room"]["title"]), (&json!(strange), &json!(strange)));
    for kind in ["title", "unknown"] {
        ann.send(json!({ "type": kind, "seq": 2, "guest": 0, "id": "x", "title": "Mine", "kind": "pin" }))
            .await;
        assert!(ann.expect("error").await.get("code").is_some());
    }
    ann.send(json!({ "type": "history", "before": 99 })).await;
    let history = ann.expect("history").await;
    assert_eq!(types(history["messages"].as_array().unwrap()), [("title", 1)]);
    assert_eq!(history["after"], 0);
    let mut page = NoscriptStream::enter_on(TcpSocket::new_v4().unwrap(), room.address(), 7).await;
    let shown = strange.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    page.until(&format!("The room is now called <bdi>{shown}</bdi>")).await;
    assert_eq!(ann.say("1", "said").await, 2);
    assert_eq!(page.message().await.as_deref(), Some("said"));
}
