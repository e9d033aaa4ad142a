//! When rooms are opened and closed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all, ready};
use tokio::time::advance;

use super::keeping::QUIET;
use super::opener::IDLE_MOST;
use super::{Logs, OpenedLog, Rooms, RoomsError};
use crate::config::{ExtraRoom, Settings};
use crate::hub::{House, Room};
use crate::log::{LogError, MemoryLog, Retention};
use crate::protocol::{Act, CircuitId, Code, Emoji, GuestId, Hello, HistoryRequest, MessageId, Refusal, Say};

/// Logs that are there again when they were closed.
#[derive(Default)]
struct LastingLogs {
    logs: Mutex<HashMap<String, Arc<MemoryLog>>>,
    removed: Mutex<Vec<String>>,
    opened: AtomicUsize,
}

impl Logs for LastingLogs {
    fn open(&self, room: &ExtraRoom) -> BoxFuture<'static, Result<OpenedLog, LogError>> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let fresh = || Arc::new(MemoryLog::new(Retention { messages: 100, bytes: 0, age: None }).unwrap());
        let log = Arc::clone(self.logs.lock().unwrap().entry(room.room.name.clone()).or_insert_with(fresh));
        // Not at once, as a disk.
        async move {
            tokio::task::yield_now().await;
            Ok(OpenedLog { log, lasts: true })
        }
        .boxed()
    }

    fn exists(&self, name: &str) -> bool {
        self.logs.lock().unwrap().contains_key(name)
    }

    fn erase(&self) -> BoxFuture<'static, Result<(), LogError>> {
        let removed = std::mem::take(&mut *self.removed.lock().unwrap());
        self.logs.lock().unwrap().retain(|name, _| !removed.contains(name));
        ready(Ok(())).boxed()
    }

    fn keep(&self, _: &[ExtraRoom], removed: Option<&str>) -> BoxFuture<'static, Result<(), LogError>> {
        self.removed.lock().unwrap().extend(removed.map(str::to_owned));
        ready(Ok(())).boxed()
    }
}

/// The main room and so many others, `room-0` and so on, in which circuits may join twenty times in a minute.
async fn rooms(count: usize) -> (Arc<Rooms>, Arc<LastingLogs>) {
    let (settings, logs) = (Settings::default(), Arc::<LastingLogs>::default());
    let house = Arc::new(House::new(settings.room.guests));
    let log = MemoryLog::new(Retention { messages: 100, bytes: 0, age: None }).unwrap();
    let main =
        Room::open_among(&settings.room, &settings.history, Arc::new(log), None, &house).await.unwrap();
    let others = (0..count).map(|number| settings.extra_room(&format!("room-{number}"), None, true).unwrap());
    let others = others.map(|room| (room, false)).collect();
    (Rooms::new(main, settings.main_room(), others, Arc::<LastingLogs>::clone(&logs), house), logs)
}

async fn code<T>(refused: impl Future<Output = Result<T, Refusal>>) -> Code {
    refused.await.err().expect("a refusal").code
}

/// The only guest of a room leaves, and the room is closed after a while.
async fn close(rooms: &Arc<Rooms>, room: Room, guest: GuestId) {
    room.leave(guest);
    room.present().await.unwrap();
    drop(room);
    for _ in 0..2 {
        advance(QUIET).await;
        look_twice(rooms).await;
    }
}

/// A room that trims its log is closed the next time.
async fn look_twice(rooms: &Arc<Rooms>) {
    for _ in 0..2 {
        rooms.look().await;
    }
}

fn open(rooms: &Rooms) -> usize {
    rooms.read().values().filter(|entry| entry.is_open()).count()
}

#[tokio::test(start_paused = true)]
async fn a_room_is_opened_once_closed_when_it_is_quiet_and_has_everything_again() {
    let (rooms, logs) = rooms(1).await;
    let found = join_all((0..10).map(|_| rooms.find_for_host("room-0"))).await;
    assert!(found.iter().all(Result::is_ok));
    assert_eq!(logs.opened.load(Ordering::Relaxed), 1, "for all that ask at the same time");
    let room = found.into_iter().next().unwrap().unwrap();
    let guest = room.join_stateless(Hello::default()).await.unwrap().welcome;
    let say = Say { id: MessageId::parse("a").unwrap(), text: "hello".into(), reply: None };
    let seq = room.publish_stateless(guest.guest.id, say).await.unwrap().seq;
    // However long it lasts: a handle is a request under way.
    advance(10 * QUIET).await;
    rooms.look().await;
    assert_eq!(open(&rooms), 1);
    room.leave(guest.guest.id);
    room.present().await.unwrap();
    drop(room);
    rooms.look().await;
    assert_eq!(open(&rooms), 1, "it was in use until now");
    advance(QUIET).await;
    look_twice(&rooms).await;
    assert_eq!(open(&rooms), 0);
    let line = rooms.lines().into_iter().find(|line| line.name == "room-0").unwrap();
    assert_eq!((line.head, line.guests), (seq, 0), "what was known of it");
    let again = rooms.find("room-0", CircuitId(1)).await.unwrap();
    let token = Some(guest.token);
    let welcome = again.join_stateless(Hello { token, ..Hello::default() }).await.unwrap().welcome;
    assert_eq!((welcome.guest.id, welcome.head), (guest.guest.id, seq));
    assert_eq!(logs.opened.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_room_with_a_guest_stays_open_and_of_idle_ones_only_some() {
    let (rooms, _) = rooms(IDLE_MOST + 8).await;
    let first = rooms.find_for_host("room-0").await.unwrap();
    let join = first.join(Hello::default()).await.unwrap();
    drop(first);
    for number in 0..IDLE_MOST + 8 {
        rooms.find_for_host(&format!("room-{number}")).await.unwrap().present().await.unwrap();
    }
    assert_eq!(open(&rooms), IDLE_MOST + 8);
    advance(Duration::from_secs(1)).await;
    look_twice(&rooms).await;
    assert_eq!(open(&rooms), IDLE_MOST + 1, "and the one with a guest");
    advance(10 * QUIET).await;
    look_twice(&rooms).await;
    assert_eq!(open(&rooms), 1);
    drop(join.seat);
    // The seat is held for a while.
    rooms.look().await;
    advance(QUIET / 3).await;
    rooms.look().await;
    assert_eq!(open(&rooms), 1);
}

#[tokio::test(start_paused = true)]
async fn to_open_rooms_costs_a_circuit_as_much_as_to_join_them() {
    let (rooms, logs) = rooms(1000).await;
    for number in 0..1000 {
        let found = rooms.find(&format!("room-{number}"), CircuitId(7)).await;
        if let Err(refusal) = found {
            assert_eq!(refusal.code, Code::TooFast);
            assert!(refusal.retry_after.is_some());
        }
    }
    assert_eq!(logs.opened.load(Ordering::Relaxed), 10, "those that may be joined at once");
    // Another circuit, and the one in a room that is open, lose nothing by that.
    rooms.find("room-999", CircuitId(8)).await.unwrap();
    let room = rooms.find("room-0", CircuitId(7)).await.unwrap();
    assert_eq!(code(room.join(Hello::default())).await, Code::TooFast, "joins count over all rooms");
    assert_eq!(code(rooms.main().on(CircuitId(7)).join(Hello::default())).await, Code::TooFast);
}

#[tokio::test(start_paused = true)]
async fn rooms_come_and_go() {
    let (rooms, _) = rooms(1).await;
    rooms.add("tea", Some("Tea"), true).await.unwrap();
    assert!(matches!(rooms.add("tea", None, true).await, Err(RoomsError::Exists(_))));
    assert!(matches!(rooms.add("main", None, true).await, Err(RoomsError::Exists(_))));
    for name in ["", "..", "Tea", "t\u{435}a"] {
        assert!(matches!(rooms.add(name, None, true).await, Err(RoomsError::Name(_))), "{name}");
    }
    let tea = rooms.find_for_host("tea").await.unwrap();
    let join = tea.join(Hello::default()).await.unwrap();
    // While it is being removed it is found by no request, and removed once.
    let (one, other) = tokio::join!(rooms.remove("tea"), rooms.remove("tea"));
    assert!(one.is_ok() && matches!(other, Err(RoomsError::Unknown(_))));
    join.seat.lost().await;
    assert_eq!(join.seat.loss().code, Code::UnknownRoom);
    assert_eq!(code(tea.present()).await, Code::StorageUnavailable);
    assert_eq!(code(rooms.find_for_host("tea")).await, Code::UnknownRoom);
    assert!(matches!(rooms.remove("main").await, Err(RoomsError::Main)));
}

/// What was done to messages is there when a room is opened again, and is done to those from before.
#[tokio::test(start_paused = true)]
async fn a_message_of_a_room_that_was_closed_is_edited() {
    let (rooms, _) = rooms(1).await;
    let room = rooms.find_for_host("room-0").await.unwrap();
    let guest = room.join_stateless(Hello::default()).await.unwrap().welcome;
    let say = Say { id: MessageId::parse("a").unwrap(), text: "tae".into(), reply: None };
    let message = room.publish_stateless(guest.guest.id, say).await.unwrap().seq;
    let id = |id: &str| MessageId::parse(id).unwrap();
    let react = Act::React { message, emoji: Some(Emoji::Good) };
    room.act_stateless(guest.guest.id, id("r"), react).await.unwrap();
    close(&rooms, room, guest.guest.id).await;
    assert_eq!(open(&rooms), 0);
    let room = rooms.find("room-0", CircuitId(1)).await.unwrap();
    let hello = Hello { token: Some(guest.token), ..Hello::default() };
    let guest = room.join_stateless(hello).await.unwrap().welcome.guest.id;
    room.act_stateless(guest, id("e"), Act::Edit { message, text: "tea".into() }).await.unwrap();
    let page = room.history(HistoryRequest::before(message + 1, 1)).await.unwrap();
    let now = page.event().encode();
    assert!(now.contains("\"text\":\"tea\"") && now.contains("\"reactions\":{\"👍\":["), "{now}");
}

/// Reactions are no messages, and neither are edits: nothing is unread because of them, also after the room was closed.
#[tokio::test(start_paused = true)]
async fn what_is_told_of_a_room_counts_its_messages() {
    let (rooms, _) = rooms(1).await;
    let said = |rooms: &Rooms| rooms.lines().into_iter().find(|line| line.name == "room-0").unwrap().said;
    let room = rooms.find_for_host("room-0").await.unwrap();
    let guest = room.join_stateless(Hello::default()).await.unwrap().welcome;
    assert_eq!((guest.said, said(&rooms)), (0, 0));
    let id = |id: &str| MessageId::parse(id).unwrap();
    let (guest, token) = (guest.guest.id, guest.token);
    let say = |text: &str| Say { id: id(text), text: text.into(), reply: None };
    let message = room.publish_stateless(guest, say("tae")).await.unwrap().seq;
    for (number, emoji) in [Some(Emoji::Good), None].into_iter().enumerate() {
        room.act_stateless(guest, id(&format!("r{number}")), Act::React { message, emoji }).await.unwrap();
    }
    room.act_stateless(guest, id("e"), Act::Edit { message, text: "tea".into() }).await.unwrap();
    let newest = room.publish_stateless(guest, say("two")).await.unwrap().seq;
    room.present().await.unwrap();
    assert_eq!((said(&rooms), newest), (2, 5));
    close(&rooms, room, guest).await;
    assert_eq!((open(&rooms), said(&rooms)), (0, 2));
    let room = rooms.find("room-0", CircuitId(1)).await.unwrap();
    let welcome =
        room.join_stateless(Hello { token: Some(token), ..Hello::default() }).await.unwrap().welcome;
    assert_eq!((welcome.said, welcome.head), (2, 5));
}
