//! Joining and leaving a room.

use std::sync::Arc;

use divan::{Bencher, black_box};
use onionroom::config::{HistorySettings, RoomSettings};
use onionroom::hub::{Join, Room};
use onionroom::log::{MemoryLog, Retention};
use onionroom::protocol::{Hello, Name};
use tokio::runtime::{Builder, Runtime};

use super::sample::name;

/// One guest joins and leaves while this many others are there; 99 is the most whose presence is announced to each
/// other. Includes the round trip to the task of the room and the encoding of the welcome.
#[divan::bench(args = [10, 99, 10_000])]
fn join_and_leave(bencher: Bencher<'_, '_>, others: usize) {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let room = runtime.block_on(open(others + 1));
    let _others: Vec<_> =
        (0..others).map(|number| join(&runtime, &room, name(&format!("Guest {number}")))).collect();
    let ann = name("Ann");
    bencher.bench_local(|| {
        let joined = join(&runtime, &room, ann.clone());
        black_box(joined.welcome.event().encode());
        joined.seat.leave();
    });
}

async fn open(guests: usize) -> Room {
    let (room, history) =
        (RoomSettings { guests, joins_per_minute: 0, ..Default::default() }, HistorySettings::default());
    let log =
        MemoryLog::new(Retention { messages: history.messages, bytes: 0, age: None }).expect("randomness");
    Room::open(&room, &history, Arc::new(log)).await.expect("a room")
}

fn join(runtime: &Runtime, room: &Room, name: Name) -> Join {
    let hello = Hello { name: Some(name), ..Hello::default() };
    runtime.block_on(room.join(hello)).expect("a seat")
}
