//! The room as a whole: order, cursors, gaps, seats, limits.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use serde_json::Value;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

use super::command::rate_limited;
use super::presence::OccupancyBounds;
use super::ring::Ring;
use super::{Join, PublishBatch, PublishResult, Reader, Room, Seat};
use crate::config::{HistorySettings, RoomSettings};
use crate::log::{Log, MemoryLog, Retention};
use crate::protocol::{Code, Hello, MessageId, Name, Record, Request, Say};
use crate::rate_limit::RateLimit;

async fn room(ring_bytes: usize, messages: usize) -> Room {
    room_with(ring_bytes, messages, &unlimited(), OccupancyBounds::default()).await
}

/// Settings without rate limits: most tests are in a hurry.
pub(super) fn unlimited() -> RoomSettings {
    RoomSettings {
        messages_per_minute: 0,
        room_messages_per_minute: 0,
        joins_per_minute: 0,
        ..RoomSettings::default()
    }
}

/// A room where each guest may publish one message a second, and 20 at once.
async fn limited_room(ring_bytes: usize, messages: usize) -> Room {
    let settings = RoomSettings { messages_per_minute: 60, messages_at_once: 20, ..unlimited() };
    room_with(ring_bytes, messages, &settings, OccupancyBounds::default()).await
}

/// A room where with three guests only the occupancy is announced, until one of them has left.
async fn small_room(ring_bytes: usize) -> Room {
    let every = Duration::from_millis(1);
    let bounds = OccupancyBounds { above: 2, until: 2, every, changes: RateLimit::NONE };
    room_with(ring_bytes, 100, &unlimited(), bounds).await
}

async fn room_with(
    ring_bytes: usize,
    messages: usize,
    settings: &RoomSettings,
    bounds: OccupancyBounds,
) -> Room {
    let log = Arc::new(MemoryLog::new(Retention { messages, bytes: 0, age: None }).unwrap());
    let (history, ring) = (HistorySettings::default(), Ring::new(ring_bytes));
    Room::open_with(settings, &history, log, ring, bounds, None).await.unwrap()
}

fn hello(name: &str) -> Hello {
    Hello { name: Some(Name::parse(name).unwrap()), ..Hello::default() }
}

fn say(id: u64) -> Say {
    Say { id: MessageId::parse(&id.to_string()).unwrap(), text: format!("text {id}"), reply: None }
}

/// Publishes one message and waits for the result.
pub(super) async fn publish_one(room: &Room, seat: &Seat, say: Say) -> PublishResult {
    let id = say.id.clone();
    let PublishBatch { mut results, rate_limited: limited, .. } = room.publish(seat, vec![say]).await;
    limited.map_or_else(|| results.remove(0), |(_, wait)| Err(rate_limited(wait).about(Some(id))))
}

async fn say_all(room: &Room, entered: &Join, ids: std::ops::RangeInclusive<u64>) {
    for id in ids {
        publish_one(room, &entered.seat, say(id)).await.unwrap();
    }
}

/// Everything there is to read now, decoded as a client would.
pub(super) async fn drain(reader: &mut Reader) -> Vec<Value> {
    decoded(wire(reader).await)
}

/// Everything there is to read now, in WebSocket frames.
pub(super) async fn wire(reader: &mut Reader) -> Vec<u8> {
    let (mut wire, mut out) = (Vec::new(), BytesMut::new());
    loop {
        reader.read_frames(&mut out).await.unwrap();
        if out.is_empty() {
            return wire;
        }
        wire.extend_from_slice(&out.split());
    }
}

/// The events in WebSocket frames, as a client decodes them.
pub(super) fn decoded(frames: Vec<u8>) -> Vec<Value> {
    let mut socket = WebSocket::from_raw_socket(std::io::Cursor::new(frames), Role::Client, None);
    std::iter::from_fn(|| socket.read().ok())
        .map(|frame| serde_json::from_str(frame.to_text().unwrap()).unwrap())
        .collect()
}

/// `message 3`, `gap 3..9`, `joined Ann`, …
fn short(events: &[Value]) -> Vec<String> {
    let name = |event: &Value| event["guest"]["name"].as_str().unwrap_or("").to_owned();
    events
        .iter()
        .map(|event| match event["type"].as_str().unwrap() {
            "message" => format!("message {}", event["seq"]),
            "gap" => format!("gap {}..{}", event["after"], event["before"]),
            "roster" => format!("roster of {}", event["guests"].as_array().unwrap().len()),
            "crowd" => format!("crowd of {}", event["count"]),
            "renamed" => format!("renamed {} {}", event["was"].as_str().unwrap(), name(event)),
            other => format!("{other} {}", name(event)),
        })
        .collect()
}

#[tokio::test]
async fn everyone_sees_one_order() {
    let room = room(10_000, 100).await;
    let ann = room.join(hello("Ann")).await.unwrap();
    let mut reader = Reader::new(&room, &ann, None);
    let bob = room.join(hello("Bob")).await.unwrap();
    say_all(&room, &ann, 1..=2).await;
    room.rename(&bob.seat, Name::parse("Rob").unwrap()).await.unwrap();
    say_all(&room, &bob, 1..=1).await;
    bob.seat.leave();
    say_all(&room, &ann, 3..=3).await;
    assert_eq!(
        short(&drain(&mut reader).await),
        ["joined Bob", "message 1", "message 2", "renamed Bob Rob", "message 3", "left Rob", "message 4"]
    );
    assert_eq!(reader.after(), 4);
}

#[tokio::test]
async fn a_cursor_gives_exactly_what_was_missed_then_live() {
    let room = room(10_000, 100).await;
    let ann = room.join(hello("Ann")).await.unwrap();
    say_all(&room, &ann, 1..=5).await;
    let bob = room.join(hello("Bob")).await.unwrap();
    let mut reader = Reader::new(&room, &bob, Some(3));
    say_all(&room, &ann, 6..=6).await;
    assert_eq!(short(&drain(&mut reader).await), ["message 4", "message 5", "message 6"]);
    let mut whole = Reader::new(&room, &bob, Some(900));
    assert_eq!(drain(&mut whole).await.len(), 6, "a cursor beyond the head gives everything");
}

#[tokio::test]
async fn what_is_no_longer_kept_is_a_gap() {
    let room = room(150, 3).await;
    let ann = room.join(hello("Ann")).await.unwrap();
    say_all(&room, &ann, 1..=9).await;
    let bob = room.join(hello("Bob")).await.unwrap();
    let mut reader = Reader::new(&room, &bob, Some(2));
    assert_eq!(short(&drain(&mut reader).await), ["gap 2..7", "message 7", "message 8", "message 9"]);
    let mut newcomer = Reader::new(&room, &bob, None);
    assert_eq!(short(&drain(&mut newcomer).await), ["message 7", "message 8", "message 9"]);
}

#[tokio::test]
async fn what_is_not_kept_is_not_given_out_of_the_ring_either() {
    let room = room(10_000, 0).await;
    let ann = room.join(hello("Ann")).await.unwrap();
    let mut present = Reader::new(&room, &ann, None);
    say_all(&room, &ann, 1..=3).await;
    assert_eq!(short(&drain(&mut present).await), ["message 1", "message 2", "message 3"]);
    let bob = room.join(hello("Bob")).await.unwrap();
    assert_eq!(short(&drain(&mut Reader::new(&room, &bob, Some(0))).await), ["gap 0..4"]);
    assert_eq!(drain(&mut Reader::new(&room, &bob, None)).await.len(), 0);
}

#[tokio::test]
async fn a_reader_who_fell_off_the_ring_reads_the_log_and_goes_on_live() {
    let room = room(400, 50).await;
    let ann = room.join(hello("Ann")).await.unwrap();
    let mut reader = Reader::new(&room, &ann, None);
    say_all(&room, &ann, 1..=2).await;
    assert_eq!(drain(&mut reader).await.len(), 2);
    say_all(&room, &ann, 3..=40).await;
    let events = short(&drain(&mut reader).await);
    assert_eq!(events[0], "roster of 1");
    let expected: Vec<_> = (3..=40).map(|seq| format!("message {seq}")).collect();
    assert_eq!(events[1..], expected);
    say_all(&room, &ann, 41..=41).await;
    assert_eq!(short(&drain(&mut reader).await), ["message 41"]);
}

#[tokio::test]
async fn a_reader_that_fell_off_the_log_is_told_of_the_gap() {
    let room = room(400, 5).await;
    let ann = room.join(hello("Ann")).await.unwrap();
    let mut reader = Reader::new(&room, &ann, None);
    say_all(&room, &ann, 1..=40).await;
    let events = short(&drain(&mut reader).await);
    assert_eq!(events[..3], ["roster of 1", "gap 0..36", "message 36"]);
    assert_eq!(events.len(), 2 + 5);
}

#[tokio::test]
async fn after_a_restart_what_only_the_log_has_is_not_skipped() {
    let log: Arc<dyn Log> =
        Arc::new(MemoryLog::new(Retention { messages: 100, bytes: 0, age: None }).unwrap());
    let (settings, history) = (RoomSettings::default(), HistorySettings::default());
    let open = || {
        Room::open_with(
            &settings,
            &history,
            Arc::clone(&log),
            Ring::new(10_000),
            OccupancyBounds::default(),
            None,
        )
    };
    let before = open().await.unwrap();
    let bob = before.join(hello("Bob")).await.unwrap();
    say_all(&before, &bob, 1..=3).await;
    drop((bob, before));

    let room = open().await.unwrap();
    let ann = room.join(hello("Ann")).await.unwrap();
    say_all(&room, &ann, 4..=4).await;
    // The ring holds the newest message only; the cursor is before it.
    let bob = room.join(hello("Bob")).await.unwrap();
    let mut reader = Reader::new(&room, &bob, Some(1));
    assert_eq!(short(&drain(&mut reader).await), ["message 2", "message 3", "message 4"]);
}

#[tokio::test]
async fn a_message_sent_again_keeps_its_number_and_is_shown_once() {
    let room = room(10_000, 100).await;
    let ann = room.join(hello("Ann")).await.unwrap();
    let token = ann.welcome.token.clone();
    assert_eq!(publish_one(&room, &ann.seat, say(1)).await, Ok(1));
    drop(ann);
    let ann = room.join(Hello { token: Some(token), ..hello("Ann") }).await.unwrap();
    let mut reader = Reader::new(&room, &ann, Some(0));
    assert_eq!(publish_one(&room, &ann.seat, say(1)).await, Ok(1));
    assert_eq!(publish_one(&room, &ann.seat, say(2)).await, Ok(2));
    assert_eq!(short(&drain(&mut reader).await), ["message 1", "message 2"]);
}

#[tokio::test]
async fn a_token_takes_over_its_ghost_without_noise() {
    let room = room(10_000, 100).await;
    let bob = room.join(hello("Bob")).await.unwrap();
    let ghost = room.join(hello("Ann")).await.unwrap();
    let mut reader = Reader::new(&room, &bob, None);
    let token = ghost.welcome.token.clone();
    let ann = room.join(Hello { token: Some(token), ..Hello::default() }).await.unwrap();
    assert!(ann.welcome.resumed);
    assert_eq!(ann.welcome.guest, ghost.welcome.guest);
    ghost.seat.lost().await;
    assert_eq!(publish_one(&room, &ghost.seat, say(1)).await.unwrap_err().code, Code::TakenOver);
    drop(ghost);
    say_all(&room, &ann, 1..=1).await;
    assert_eq!(short(&drain(&mut reader).await), ["joined Ann", "message 1"]);
}

/// Waits for more, and reads it.
async fn hear(reader: &mut Reader) -> Vec<Value> {
    loop {
        let events = drain(reader).await;
        if !events.is_empty() {
            return events;
        }
        tokio::time::timeout(Duration::from_secs(30), reader.wait()).await.expect("more is told");
    }
}

#[tokio::test]
async fn above_the_threshold_the_occupancy_is_told_and_below_it_the_roster() {
    let room = small_room(10_000).await;
    let ann = room.join(hello("Ann")).await.unwrap();
    let mut reader = Reader::new(&room, &ann, None);
    let bob = room.join(hello("Bob")).await.unwrap();
    let eve = room.join(hello("Eve")).await.unwrap();
    assert_eq!((eve.welcome.guests.len(), eve.welcome.count), (1, 3));
    assert_eq!(eve.welcome.guests[0], eve.welcome.guest);
    assert_eq!(short(&hear(&mut reader).await), ["joined Bob", "crowd of 3"]);

    let mia = room.join(hello("Mia")).await.unwrap();
    assert_eq!(short(&hear(&mut reader).await), ["crowd of 4"]);
    let renamed = room.rename(&mia.seat, Name::parse("Max").unwrap()).await.unwrap().unwrap();
    assert_eq!(short(&[serde_json::from_str(&renamed).unwrap()]), ["renamed Mia Max"]);
    assert_eq!(room.rename(&mia.seat, Name::parse("Max").unwrap()).await, Ok(None), "nothing is new");
    drop(eve);
    say_all(&room, &mia, 1..=1).await;
    assert_eq!(short(&hear(&mut reader).await), ["message 1"], "neither the name nor who is away");

    bob.seat.leave();
    assert_eq!(short(&hear(&mut reader).await), ["crowd of 3"]);
    mia.seat.leave();
    let events = hear(&mut reader).await;
    assert_eq!(short(&events), ["roster of 2"]);
    let guests = &events[0]["guests"];
    assert_eq!((&guests[0]["name"], &guests[1]["name"]), (&"Ann".into(), &"Eve".into()));
    assert_eq!(guests[1]["away"], true);
    assert_eq!(room.rename(&ann.seat, Name::parse("Anna").unwrap()).await, Ok(None));
    assert_eq!(short(&hear(&mut reader).await), ["renamed Ann Anna"]);
}

#[tokio::test]
async fn all_members_are_told_on_request_above_the_threshold_too() {
    let room = small_room(10_000).await;
    let seated = [hello("Ann"), hello("Bob"), hello("Eve")].map(|hello| room.join(hello));
    let seated = futures_util::future::try_join_all(seated).await.unwrap();
    let asks = || Hello { token: Some(seated[0].welcome.token.clone()), ..Hello::default() };
    assert_eq!(room.join_stateless(asks()).await.unwrap().welcome.guests.len(), 1);
    let shown = room.members(asks()).await.unwrap().welcome;
    assert_eq!((shown.guests.len(), shown.count), (3, 3));
    room.rename(&seated[1].seat, Name::parse("Rob").unwrap()).await.unwrap();
    let shown = room.members(asks()).await.unwrap().welcome;
    let names: Vec<_> = shown.guests.iter().map(|guest| guest.name.as_str()).collect();
    assert_eq!(names, ["Ann", "Rob", "Eve"], "as they are called now");
}

#[tokio::test]
async fn a_lagged_reader_is_told_the_occupancy() {
    let room = small_room(400).await;
    let ann = room.join(hello("Ann")).await.unwrap();
    let mut reader = Reader::new(&room, &ann, None);
    let _others = [room.join(hello("Bob")).await.unwrap(), room.join(hello("Eve")).await.unwrap()];
    say_all(&room, &ann, 1..=40).await;
    let events = short(&drain(&mut reader).await);
    assert_eq!(events[0], "crowd of 3");
    assert_eq!(events.len(), 1 + 40);
}

#[tokio::test]
async fn what_a_room_publishes_is_what_a_guest_can_say() {
    let room = room(10_000, 100).await;
    let ann = room.join(hello("Ann")).await.unwrap();
    let mut reader = Reader::new(&room, &ann, None);
    let frame = serde_json::json!({"type": "say", "id": "x", "text": "</script> \u{2028} \"quoted\"\nline"});
    let Ok(Request::Say(said)) = Request::decode(&frame.to_string(), 4096) else { panic!() };
    publish_one(&room, &ann.seat, said.clone()).await.unwrap();
    assert_eq!(drain(&mut reader).await[0]["text"], said.text);
}

#[tokio::test]
async fn an_unknown_room_is_refused() {
    let room = room(10_000, 100).await;
    let refusal = room.join(Hello { room: Some("attic".into()), ..Hello::default() }).await.err().unwrap();
    assert_eq!(refusal.code, Code::UnknownRoom);
}

#[test]
fn a_message_is_small_in_memory() {
    assert!(size_of::<Record>() <= 128);
}

#[tokio::test]
async fn a_visit_is_kept_until_the_guest_leaves() {
    let room = room(4096, 100).await;
    let visit = room.join_stateless(hello("Ann")).await.unwrap();
    let kept = room.touch(&visit.welcome.token).await.unwrap().unwrap();
    assert_eq!(kept.welcome.guest, visit.welcome.guest);
    room.leave(visit.welcome.guest.id);
    assert!(room.touch(&visit.welcome.token).await.unwrap().is_none(), "nobody is brought back who left");
}

#[tokio::test(start_paused = true)]
async fn a_rate_limited_guest_waits_while_the_others_publish() {
    let room = limited_room(10_000, 100).await;
    let (ann, bob) = (room.join(hello("Ann")).await.unwrap(), room.join(hello("Bob")).await.unwrap());
    // A new guest's bucket fills first.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let mut head = 0;
    let refusal = loop {
        match publish_one(&room, &ann.seat, say(head + 1)).await {
            Ok(seq) => head = seq,
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(head, 20, "a burst");
    assert_eq!((refusal.code, refusal.id), (Code::TooFast, Some(say(head + 1).id)));
    assert_eq!(publish_one(&room, &bob.seat, say(1)).await, Ok(head + 1));
    tokio::time::sleep(refusal.retry_after.unwrap()).await;
    assert_eq!(publish_one(&room, &ann.seat, say(head + 1)).await, Ok(head + 2));
}

#[tokio::test(start_paused = true)]
async fn a_rate_limited_guest_cannot_change_their_name_either() {
    let room = limited_room(10_000, 100).await;
    let ann = room.join(hello("Ann")).await.unwrap();
    while publish_one(&room, &ann.seat, say(1)).await.is_ok() {}
    let token = Some(ann.welcome.token.clone());
    let named = |name: &str| Hello { token: token.clone(), ..hello(name) };
    let again = room.join(named("Ann")).await.unwrap();
    assert!(again.welcome.resumed, "coming back costs nothing");
    let another = |number: u32| Name::parse(&format!("Ann {number}")).unwrap();
    let refused = [
        room.rename(&again.seat, another(1)).await.unwrap_err(),
        room.join_stateless(named("Ann 2")).await.err().unwrap(),
        room.join(named("Ann 3")).await.err().unwrap(),
    ];
    assert!(refused.iter().all(|refusal| refusal.code == Code::TooFast), "one bucket for everything");
}
