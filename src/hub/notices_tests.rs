//! Guests know the room's doors and whether it can write, whenever they came and whatever they missed.

use std::sync::Arc;

use super::faulty_log_tests::FaultyLog;
use super::notices::Notices;
use super::presence::OccupancyBounds;
use super::ring::Ring;
use super::slow_log_tests::hello;
use super::tests::unlimited;
use super::{Reader, Room};
use crate::config::HistorySettings;
use crate::log::LogError;
use crate::protocol::{Event, EventBatch, MessageId, Say};

fn doors<const N: usize>(names: [&str; N]) -> Arc<[String]> {
    names.map(str::to_owned).into()
}

#[test]
fn another_order_of_the_doors_is_no_news() {
    let mut notices = Notices::default();
    assert_eq!(notices.snapshot().events().count(), 0);
    notices.set_doors(doors(["a", "b"]));
    assert!(notices.is_due());
    assert_eq!(notices.announce_doors().unwrap().encode(), r#"{"type":"doors","doors":["a","b"]}"#);
    notices.set_doors(doors(["b", "a"]));
    assert!(!notices.is_due());
    assert_eq!(**notices.doors(), ["b", "a"], "a newcomer gets the least busy first");
    notices.set_doors(doors(["b", "c"]));
    notices.set_doors(doors(["a", "b"]));
    assert!(notices.is_due(), "a guest who joined in between was told c");
    notices.set_doors(doors([]));
    assert_eq!(notices.announce_doors().unwrap().encode(), r#"{"type":"doors","doors":[]}"#);
    assert_eq!(notices.snapshot().events().count(), 1, "a reader may know of some");
}

#[test]
fn storage_is_told_when_it_changes() {
    let (failed, stored) = (Err(LogError("full".into())), Ok(Vec::new()));
    let mut notices = Notices::default();
    let told = |event: Option<Event<'_>>| event.map(|event| event.encode());
    let (away, back) = (
        Some(r#"{"type":"storage","available":false}"#.to_owned()),
        Some(r#"{"type":"storage","available":true}"#.to_owned()),
    );
    assert_eq!(told(notices.note_append(&stored)), None);
    assert_eq!(notices.snapshot().events().count(), 0);
    assert_eq!(told(notices.note_append(&failed)), away);
    assert_eq!(told(notices.note_append(&failed)), None);
    assert_eq!(told(notices.note_quorum(true)), None, "it answered all the time, and the disk is full");
    assert_eq!(told(notices.note_quorum(false)), None);
    assert_eq!(told(notices.note_append(&stored)), None);
    assert_eq!(told(notices.note_append(&failed)), None);
    assert_eq!(told(notices.note_quorum(true)), back);
    assert_eq!(told(notices.note_append(&failed)), away);
    assert_eq!(told(notices.note_append(&stored)), back);
    assert_eq!(notices.snapshot().events().count(), 1, "a reader may believe the other");
}

/// Guests are told that the room cannot write when an append fails, also those who come meanwhile or missed it, and that
/// it can again.
#[tokio::test(start_paused = true)]
async fn guests_are_told_whether_the_room_can_write() {
    let log = FaultyLog::new(vec![true, true, false]);
    log.allow(|allowed| allowed.all = true);
    let (settings, history) = (unlimited(), HistorySettings::default());
    let (ring, bounds) = (Ring::new(1000), OccupancyBounds::default());
    let room = Room::open_with(&settings, &history, log, ring, bounds, None).await.unwrap();
    let (ann, bob) = (room.join(hello("Ann")).await.unwrap(), room.join(hello("Bob")).await.unwrap());
    assert!(ann.welcome.storage_available);
    let mut reader = Reader::new(&room, &bob, None);
    let mut slow = Reader::new(&room, &bob, None);
    let say =
        |id: &str, text: &str| Say { id: MessageId::parse(id).unwrap(), text: text.into(), reply: None };
    for (id, stored, told) in [
        ("1", false, &["storage"][..]),
        ("2", false, &[]),
        ("3", true, &["message", "storage"]),
        ("4", false, &["storage"]),
    ] {
        let batch = room.publish(&ann.seat, vec![say(id, "text")]).await;
        assert_eq!(batch.results[0].is_ok(), stored, "{id}");
        assert_eq!(kinds(&mut reader).await, told, "{id}");
        let welcome = room.touch(&bob.welcome.token).await.unwrap().unwrap().welcome;
        assert_eq!(welcome.storage_available, stored, "{id}");
    }
    for id in ["5", "6"] {
        room.publish(&ann.seat, vec![say(id, &"text".repeat(300))]).await;
    }
    assert_eq!(kinds(&mut slow).await, ["roster", "storage", "message", "message"], "a reader that lagged");
}

async fn kinds(reader: &mut Reader) -> Vec<&'static str> {
    let mut kinds = Vec::new();
    loop {
        let mut events = EventBatch::default();
        reader.read_events(&mut events).await.unwrap();
        if events.is_empty() {
            return kinds;
        }
        kinds.extend(events.iter().map(|event| event.kind.as_str()));
    }
}
