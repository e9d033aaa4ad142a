//! What is deleted is read by no guest who has not read it yet, and by none after the act that deletes it.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::FutureExt;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::timeout;

use super::slow_log_tests::hello;
use super::tests::{decoded, publish_one, unlimited, wire};
use super::{Join, Reader, Room};
use crate::config::HistorySettings;
use crate::log::{
    Appended, Entry, Follow, Log, LogFuture, MemoryLog, Retention, RoomIdentity, RoomState, Span,
};
use crate::protocol::act::Target;
use crate::protocol::request::{Cursor, HistoryRequest};
use crate::protocol::{Act, EventBatch, GuestId, Hello, MessageId, Record, Say};

/// A log in memory whose pages wait until it is open, as they were when they were asked for.
struct PagedLog {
    log: MemoryLog,
    open: watch::Sender<bool>,
}

impl Log for PagedLog {
    fn identity(&self) -> LogFuture<'_, RoomIdentity> {
        self.log.identity()
    }

    fn append(&self, entries: Vec<Entry>) -> LogFuture<'_, Vec<Appended>> {
        self.log.append(entries)
    }

    fn state(&self, initial: RoomState) -> LogFuture<'_, RoomState> {
        self.log.state(initial)
    }

    fn follow(&self, after: u64) -> LogFuture<'_, Follow> {
        self.log.follow(after)
    }

    fn read(&self, after: u64, limit: usize) -> LogFuture<'_, Vec<Record>> {
        let (mut open, page) = (self.open.subscribe(), self.log.read(after, limit).now_or_never());
        async move {
            let _ = open.wait_for(|open| *open).await;
            page.unwrap()
        }
        .boxed()
    }

    fn cursor_before(&self, before: u64, count: usize) -> LogFuture<'_, u64> {
        self.log.cursor_before(before, count)
    }

    fn span(&self) -> LogFuture<'_, Span> {
        self.log.span()
    }

    fn trim(&self, clock: u64) -> LogFuture<'_, ()> {
        self.log.trim(clock)
    }

    fn close(&self) -> LogFuture<'_, ()> {
        self.log.close()
    }
}

async fn room() -> (Arc<PagedLog>, Room) {
    let log = MemoryLog::new(Retention { messages: 100, bytes: 0, age: None }).unwrap();
    let log = Arc::new(PagedLog { log, open: watch::Sender::new(true) });
    let room = Room::open(&unlimited(), &HistorySettings::default(), Arc::<PagedLog>::clone(&log)).await;
    (log, room.unwrap())
}

async fn say(room: &Room, join: &Join, id: &str) -> u64 {
    let say = Say { id: MessageId::parse(id).unwrap(), text: format!("said in {id}"), reply: None };
    publish_one(room, &join.seat, say).await.unwrap()
}

async fn delete(room: &Room, messages: &[u64]) {
    room.govern(Act::Delete { messages: messages.to_vec(), own: false }).await.unwrap();
}

/// What a guest gets now over a WebSocket: `message 3`, `deleted 2`, `act 6`, …, and all of it as text.
async fn frames(reader: &mut Reader) -> (Vec<String>, String) {
    let wire = wire(reader).await;
    let text = String::from_utf8_lossy(&wire).into_owned();
    (decoded(wire).iter().filter_map(short).collect(), text)
}

/// The same for the other transports.
async fn events(reader: &mut Reader) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let mut out = EventBatch::default();
        reader.read_events(&mut out).await.unwrap();
        if out.is_empty() {
            return all;
        }
        for event in out.iter() {
            assert_eq!(event.json.trim_end(), event.json);
            let json: Value = serde_json::from_str(event.json).unwrap();
            assert_eq!((json["type"].as_str(), json["seq"].as_u64()), (Some(event.kind.as_str()), event.seq));
            all.extend(short(&json));
        }
    }
}

fn short(event: &Value) -> Option<String> {
    let kind = event["type"].as_str().unwrap();
    match kind {
        "gap" => Some(format!("gap {}..{}", event["after"], event["before"])),
        _ => event["seq"].as_u64().map(|seq| format!("{kind} {seq}")),
    }
}

#[tokio::test]
async fn who_reads_slowly_and_who_comes_later_get_no_text() {
    let (_, room) = room().await;
    let ann = room.join(hello("Ann")).await.unwrap();
    let bob = room.join(hello("Bob")).await.unwrap();
    let [mut fast, mut slow, mut polls] = [0, 1, 2].map(|_| Reader::new(&room, &ann, None));
    for id in 1..=5 {
        say(&room, if id == 2 { &bob } else { &ann }, &id.to_string()).await;
    }
    let (seen, text) = frames(&mut fast).await;
    assert_eq!(seen.len(), 5);
    assert!(text.contains("said in 2"));
    delete(&room, &[2, 4]).await;
    assert_eq!(frames(&mut fast).await.0, ["act 6"]);
    let expected = ["message 1", "deleted 2", "message 3", "deleted 4", "message 5", "act 6"];
    let (seen, text) = frames(&mut slow).await;
    assert_eq!(seen, expected);
    assert!(!text.contains("said in 2") && !text.contains("said in 4") && text.contains("said in 5"));
    assert_eq!(events(&mut polls).await, expected);

    let eve = room.join(hello("Eve")).await.unwrap();
    let rest = ["message 1", "message 3", "message 5", "act 6"];
    assert_eq!(frames(&mut Reader::new(&room, &eve, None)).await.0, rest);
    assert_eq!(events(&mut Reader::new(&room, &eve, None)).await, rest);
    let from = async |after| frames(&mut Reader::new(&room, &eve, Some(after))).await.0;
    assert_eq!(from(1).await, ["gap 1..3", "message 3", "message 5", "act 6"]);
    assert_eq!(from(3).await, ["gap 3..5", "message 5", "act 6"]);
    assert_eq!(from(4).await, ["message 5", "act 6"]);
    let page = room.history(HistoryRequest::before(6, 9)).await.unwrap();
    assert_eq!(page.messages.iter().map(|message| message.record.seq).collect::<Vec<_>>(), [1, 3, 5]);
}

#[tokio::test]
async fn all_of_a_guest_goes_and_what_they_say_later_stays() {
    let (_, room) = room().await;
    let (ann, bob) = (room.join(hello("Ann")).await.unwrap(), room.join(hello("Bob")).await.unwrap());
    let mut slow = Reader::new(&room, &ann, None);
    for id in ["1", "2"] {
        say(&room, &ann, id).await;
        say(&room, &bob, id).await;
    }
    let target = Target { of: bob.welcome.guest.id, name: None };
    room.govern(Act::DeleteAll { target }).await.unwrap();
    say(&room, &bob, "3").await;
    let expected = ["message 1", "deleted 2", "message 3", "deleted 4", "act 5", "message 6"];
    assert_eq!(frames(&mut slow).await.0, expected);
    let hello = Hello { cursor: Some(Cursor { after: 0, epoch: None }), ..hello("Eve") };
    let mut eve = room.join(hello.clone()).await.unwrap();
    let mut reader = Reader::begin(&room, &mut eve, &hello).await.unwrap();
    let expected = ["message 1", "gap 1..3", "message 3", "act 5", "message 6"];
    assert_eq!(frames(&mut reader).await.0, expected);
}

/// The act that pinned a message has its text.
#[tokio::test]
async fn a_pinned_text_goes_as_well() {
    let (_, room) = room().await;
    let ann = room.join(hello("Ann")).await.unwrap();
    let mut slow = Reader::new(&room, &ann, None);
    say(&room, &ann, "1").await;
    room.govern(Act::Pin { message: 1, said: None }).await.unwrap();
    assert_eq!(room.state().await.unwrap().policy.pinned.unwrap().said.text, "said in 1");
    delete(&room, &[1]).await;
    let (seen, text) = frames(&mut slow).await;
    assert_eq!(seen, ["deleted 1", "deleted 2", "act 3"]);
    assert!(!text.contains("said in"));
    let state = String::from_utf8(room.state().await.unwrap().encode()).unwrap();
    assert!(!state.contains("said in"), "{state}");
    let refusal = room.govern(Act::Pin { message: 1, said: None }).await.unwrap_err();
    assert_eq!(refusal.code, crate::protocol::Code::NotAllowed);
}

/// A guest may not delete, nor what comes later, nor acts.
#[tokio::test]
async fn nothing_else_goes() {
    let (_, room) = room().await;
    let ann = room.join(hello("Ann")).await.unwrap();
    let mut slow = Reader::new(&room, &ann, None);
    say(&room, &ann, "1").await;
    let bob = room.join(hello("Bob")).await.unwrap();
    let id = MessageId::parse("d").unwrap();
    room.act(&bob.seat, id, Act::Delete { messages: vec![1], own: false }).await.unwrap_err();
    room.govern(Act::Lock { locked: true }).await.unwrap();
    delete(&room, &[2, 3, 4]).await;
    room.govern(Act::DeleteAll { target: Target { of: GuestId::ROOM, name: None } }).await.unwrap();
    say(&room, &ann, "2").await;
    assert_eq!(frames(&mut slow).await.0, ["message 1", "act 2", "act 3", "act 4", "message 5"]);
}

/// Guards against a page of the history that was read before a deletion and comes after it: nothing would remove it.
#[tokio::test]
async fn a_page_that_comes_after_the_act_has_not_what_it_deletes() {
    let (log, room) = room().await;
    let ann = room.join(hello("Ann")).await.unwrap();
    for id in 1..=3 {
        say(&room, &ann, &id.to_string()).await;
    }
    log.open.send_replace(false);
    let page = room.history(HistoryRequest::before(4, 9));
    tokio::pin!(page);
    assert!(page.as_mut().now_or_never().is_none());
    delete(&room, &[2]).await;
    log.open.send_replace(true);
    let page = timeout(Duration::from_secs(60), page).await.unwrap().unwrap();
    assert_eq!(page.messages.iter().map(|message| message.record.seq).collect::<Vec<_>>(), [1, 3]);
}

/// What a reader has asked of the log before the deletion comes before the act that deletes it.
#[tokio::test]
async fn a_page_that_comes_before_the_act_is_followed_by_it() {
    let (log, room) = room().await;
    let ann = room.join(hello("Ann")).await.unwrap();
    say(&room, &ann, "0").await;
    say(&room, &ann, "1").await;
    delete(&room, &[2]).await;
    for id in 2..=4 {
        say(&room, &ann, &id.to_string()).await;
    }
    let eve = room.join(hello("Eve")).await.unwrap();
    // It reads the log: the ring has a message that is not kept.
    let mut reader = Reader::new(&room, &eve, None);
    log.open.send_replace(false);
    let (mut first, mut all) = (BytesMut::new(), Vec::new());
    {
        let read = reader.read_frames(&mut first);
        tokio::pin!(read);
        assert!(read.as_mut().now_or_never().is_none());
        delete(&room, &[5]).await;
        log.open.send_replace(true);
        timeout(Duration::from_secs(60), read).await.unwrap().unwrap();
    }
    all.extend(decoded(first.to_vec()).iter().filter_map(short));
    all.extend(frames(&mut reader).await.0);
    assert_eq!(all, ["message 1", "act 3", "message 4", "message 5", "message 6", "act 7"]);
}
