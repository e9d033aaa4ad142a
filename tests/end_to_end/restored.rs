//! A log that went back, because a backup was put in its place: what is said after is read by all at once, on every
//! transport, and nothing is lost without a word.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpSocket;

use crate::kit::noscript_stream::NoscriptStream;
use crate::kit::visitor::Listener;
use crate::kit::{Guest, TestRoom, Visitor};

/// A room on this data directory.
async fn open(data: &Path) -> TestRoom {
    let data = data.join("room");
    TestRoom::open_with(|settings| settings.data_dir = Some(data)).await
}

/// The files of the log.
fn files(directory: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("messages.")).collect()
}

/// Copies the log's files from one directory to another, where others of it are removed.
fn copy(from: &Path, to: &Path) {
    files(to).iter().for_each(|file| fs::remove_file(file).unwrap());
    for file in files(from) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

fn seqs<'a>(messages: impl IntoIterator<Item = &'a Value>) -> Vec<u64> {
    messages.into_iter().map(|message| message["seq"].as_u64().unwrap()).collect()
}

async fn say(guest: &mut Guest, texts: &[&str]) -> Vec<u64> {
    let mut numbers = Vec::new();
    for text in texts {
        numbers.push(guest.say(text, text).await);
    }
    numbers
}

/// What a guest on a WebSocket comes back with.
fn cursor(welcome: &Value, after: u64) -> Value {
    json!({ "token": welcome["token"], "epoch": welcome["room"]["epoch"], "after": after })
}

async fn comes_back(room: &TestRoom, hello: &Value) -> Guest {
    let mut guest = room.stranger().await;
    guest.hello_as(hello.clone()).await;
    guest
}

/// The messages up to this one.
async fn heard(guest: &mut Guest, last: u64) -> Vec<u64> {
    let mut heard = Vec::new();
    while heard.last() != Some(&last) {
        heard.push(guest.expect("message").await["seq"].as_u64().unwrap());
    }
    heard
}

async fn listened(listener: &mut Listener, last: u64) -> Vec<u64> {
    let mut heard = Vec::new();
    while heard.last() != Some(&last) {
        heard.push(listener.expect("message").await["seq"].as_u64().unwrap());
    }
    heard
}

#[tokio::test]
async fn what_is_said_after_a_backup_was_put_back_is_read_by_all() {
    let (data, backup) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let room = open(data.path()).await;
    let mut ann = room.guest("Ann").await;
    assert_eq!(say(&mut ann, &["one", "two", "three"]).await, [1, 2, 3]);
    let early = cursor(&ann.welcome, 3);
    room.close().await;
    copy(&data.path().join("room"), backup.path());

    // A restart is no reason to read anything twice.
    let room = open(data.path()).await;
    let mut ann = comes_back(&room, &early).await;
    assert_eq!(ann.welcome["cursor"], 3);
    assert_ne!(ann.welcome["room"]["epoch"], early["epoch"]);
    assert_eq!(say(&mut ann, &["lost-4", "lost-5", "lost-6"]).await, [4, 5, 6]);
    let late = cursor(&ann.welcome, 6);
    let epoch = ann.welcome["room"]["epoch"].as_str().unwrap().to_owned();
    let mut poller = Visitor::stranger(&room);
    poller.welcome = ann.welcome.clone();
    let answer = poller.get(&format!("/rooms/main/messages?after=6&epoch={epoch}")).await;
    let tag = format!("If-None-Match: {}", answer.header("etag").unwrap());
    assert_eq!((&answer.json()["cursor"], &answer.json()["messages"]), (&json!(6), &json!([])));
    room.close().await;

    copy(backup.path(), &data.path().join("room"));
    let room = open(data.path()).await;
    // Past every old cursor, before one of them comes back.
    let mut eve = room.guest("Eve").await;
    assert_eq!(say(&mut eve, &["new-4", "new-5", "new-6", "new-7"]).await, [4, 5, 6, 7]);

    let mut ann = comes_back(&room, &late).await;
    assert_eq!(ann.welcome.get("cursor"), None, "what she read is not in this log");
    assert_eq!(heard(&mut ann, 7).await, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(ann.say("three", "three").await, 3, "still there");
    assert_eq!(ann.say("lost-6", "lost-6").await, 8, "not there any more");
    let mut before = comes_back(&room, &early).await;
    assert_eq!(before.welcome["cursor"], 3);
    assert_eq!(heard(&mut before, 8).await, [4, 5, 6, 7, 8]);

    let visitor = Visitor::arrive(&room, "Visitor").await;
    let mut listener = visitor.listen("", &[&format!("Last-Event-ID: {epoch}-6")]).await;
    assert_eq!(listener.next().await.unwrap().get("cursor"), None);
    assert_eq!(listened(&mut listener, 8).await, [1, 2, 3, 4, 5, 6, 7, 8]);
    let id = listener.last_id.clone().unwrap();
    let mut listener = visitor.listen("", &[&format!("Last-Event-ID: {id}")]).await;
    assert_eq!(listener.next().await.unwrap()["cursor"], 8);

    let query = format!("/rooms/main/messages?after=6&epoch={epoch}");
    let answer = visitor.request("GET", &query, &[&tag], "").await;
    assert_eq!((answer.status, answer.json().get("cursor")), (200, None));
    assert_eq!(seqs(answer.json()["messages"].as_array().unwrap()), [1, 2, 3, 4, 5, 6, 7, 8]);
    let waited = visitor.messages(&format!("after=6&epoch={epoch}&wait=30")).await;
    assert_eq!(seqs(waited["messages"].as_array().unwrap()).len(), 8, "not held up");
    // Older messages than one of that epoch are not those of this log.
    for (before, cursor, numbers) in [
        (format!("before=7&epoch={epoch}"), None, vec![]),
        (format!("before=4&epoch={}", early["epoch"].as_str().unwrap()), Some(3), vec![1, 2, 3]),
        (
            format!("before=9&epoch={}", visitor.welcome["room"]["epoch"].as_str().unwrap()),
            Some(8),
            (1..=8).collect(),
        ),
        ("before=7".to_owned(), None, (1..=6).collect()),
    ] {
        let page = visitor.messages(&before).await;
        assert_eq!(page.get("cursor").and_then(Value::as_u64), cursor, "{before}");
        assert_eq!(seqs(page["messages"].as_array().unwrap()), numbers, "{before}");
    }
    let arrival = json!({ "token": visitor.token(), "after": 6, "epoch": epoch });
    assert_eq!(visitor.post("/rooms/main/guests", arrival).await.json().get("cursor"), None);

    let mut page = NoscriptStream::enter_on(TcpSocket::new_v4().unwrap(), room.address(), 7).await;
    for text in ["one", "two", "three", "new-4", "new-5", "new-6", "new-7", "lost-6"] {
        assert_eq!(page.message().await.as_deref(), Some(text));
    }
}

/// A copy of the files as a kill or a snapshot would leave them, in the middle of an epoch: a guest who has read on
/// begins where the copy ends.
#[tokio::test]
async fn who_has_read_further_than_the_log_went_begins_at_its_end() {
    let (data, backup) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let room = open(data.path()).await;
    let mut ann = room.guest("Ann").await;
    assert_eq!(say(&mut ann, &["one", "two", "three"]).await, [1, 2, 3]);
    copy(&data.path().join("room"), backup.path());
    assert_eq!(say(&mut ann, &["lost-4", "lost-5"]).await, [4, 5]);
    let late = cursor(&ann.welcome, 5);
    let epoch = ann.welcome["room"]["epoch"].as_str().unwrap().to_owned();
    room.close().await;

    copy(backup.path(), &data.path().join("room"));
    let room = open(data.path()).await;
    let mut eve = room.guest("Eve").await;
    assert_eq!(say(&mut eve, &["new-4", "new-5", "new-6"]).await, [4, 5, 6]);
    let mut ann = comes_back(&room, &late).await;
    assert_eq!(ann.welcome["cursor"], 3);
    assert_eq!(heard(&mut ann, 6).await, [4, 5, 6]);
    let visitor = Visitor::arrive(&room, "Visitor").await;
    let mut listener = visitor.listen("", &[&format!("Last-Event-ID: {epoch}-5")]).await;
    assert_eq!(listener.next().await.unwrap()["cursor"], 3);
    assert_eq!(listened(&mut listener, 6).await, [4, 5, 6]);
    let answer = visitor.messages(&format!("after=5&epoch={epoch}&wait=30")).await;
    assert_eq!((&answer["cursor"], seqs(answer["messages"].as_array().unwrap())), (&json!(3), vec![4, 5, 6]));
    let older = visitor.messages(&format!("before=6&epoch={epoch}")).await;
    assert_eq!((&older["cursor"], seqs(older["messages"].as_array().unwrap())), (&json!(3), vec![1, 2, 3]));
}
