//! A log that does not answer must not keep events that were published before from the readers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::watch;
use tokio::time::timeout;

use super::tests::unlimited;
use super::{Join, Reader, Room};
use crate::config::HistorySettings;
use crate::log::{
    Appended, Entry, Follow, Log, LogFuture, MemoryLog, Retention, RoomIdentity, RoomState, Span,
};
use crate::protocol::{EventBatch, Hello, MessageId, Name, Record, Say};

/// A log in memory whose answers wait until it is open.
struct SlowLog {
    log: MemoryLog,
    open: watch::Sender<bool>,
}

impl SlowLog {
    fn later<'a, T: Send + 'a>(&self, answer: LogFuture<'a, T>) -> LogFuture<'a, T> {
        let mut open = self.open.subscribe();
        async move {
            let _ = open.wait_for(|open| *open).await;
            answer.await
        }
        .boxed()
    }
}

impl Log for SlowLog {
    fn identity(&self) -> LogFuture<'_, RoomIdentity> {
        self.log.identity()
    }

    fn append(&self, entries: Vec<Entry>) -> LogFuture<'_, Vec<Appended>> {
        self.later(self.log.append(entries))
    }

    fn state(&self, initial: RoomState) -> LogFuture<'_, RoomState> {
        self.log.state(initial)
    }

    fn follow(&self, after: u64) -> LogFuture<'_, Follow> {
        let open = self.open.clone();
        let held = move |records| {
            let mut open = open.subscribe();
            async move {
                let _ = open.wait_for(|open| *open).await;
                records
            }
        };
        self.log.follow(after).map(|follow| follow.map(|follow| follow.then(held).boxed())).boxed()
    }

    fn read(&self, after: u64, limit: usize) -> LogFuture<'_, Vec<Record>> {
        self.later(self.log.read(after, limit))
    }

    fn cursor_before(&self, before: u64, count: usize) -> LogFuture<'_, u64> {
        self.later(self.log.cursor_before(before, count))
    }

    fn span(&self) -> LogFuture<'_, Span> {
        self.later(self.log.span())
    }

    fn trim(&self, clock: u64) -> LogFuture<'_, ()> {
        self.log.trim(clock)
    }

    fn close(&self) -> LogFuture<'_, ()> {
        self.log.close()
    }
}

/// A room, and its log, which answers at first.
async fn slow_room() -> (Arc<SlowLog>, Room) {
    let log = MemoryLog::new(Retention { messages: 10, bytes: 0, age: None }).unwrap();
    let log = Arc::new(SlowLog { log, open: watch::Sender::new(true) });
    let log_of_room = Arc::<SlowLog>::clone(&log);
    let room = Room::open(&unlimited(), &HistorySettings::default(), log_of_room).await.unwrap();
    (log, room)
}

pub(super) fn hello(name: &str) -> Hello {
    Hello { name: Some(Name::parse(name).unwrap()), ..Hello::default() }
}

/// A command that asks the log, and whether it was answered well.
type Asks = for<'a> fn(&'a Room, &'a Join) -> BoxFuture<'a, bool>;

/// Every command that asks the log.
const COMMANDS: [(&str, Asks); 6] = [
    ("publish", |room, ann| {
        let say = Say { id: MessageId::parse("1").unwrap(), text: "text".into(), reply: None };
        room.publish(&ann.seat, vec![say]).map(|batch| batch.results[0].is_ok()).boxed()
    }),
    ("join", |room, _| room.join(hello("Bob")).map(|join| join.is_ok()).boxed()),
    ("join_stateless", |room, _| room.join_stateless(hello("Bob")).map(|join| join.is_ok()).boxed()),
    ("members", |room, _| room.members(hello("Bob")).map(|join| join.is_ok()).boxed()),
    ("touch", |room, ann| room.touch(&ann.welcome.token).map(|join| join.unwrap().is_some()).boxed()),
    ("snapshot", |room, _| room.snapshot().map(|snapshot| snapshot.is_ok()).boxed()),
];

/// Two commands that the actor takes together: the first publishes an event, the second waits for the log. Readers were
/// told of the event when the log had answered.
#[tokio::test(start_paused = true)]
async fn readers_are_told_what_was_published_while_a_later_command_waits_for_the_log() {
    for (name, command) in COMMANDS {
        let (log, room) = slow_room().await;
        let ann = room.join(hello("Ann")).await.unwrap();
        let mut reader = Reader::new(&room, &ann, None);
        log.open.send_replace(false);
        let mut waits = Box::pin(reader.wait());
        assert!(waits.as_mut().now_or_never().is_none());
        let mut first = Box::pin(room.rename(&ann.seat, Name::parse("Anna").unwrap()));
        let mut second = command(&room, &ann);
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        let told = timeout(Duration::from_secs(10), waits).await;
        assert_eq!(told.ok(), Some(true), "{name}");
        assert!(second.as_mut().now_or_never().is_none(), "{name} waits for the log");
        let mut events = EventBatch::default();
        reader.read_events(&mut events).await.unwrap();
        assert!(events.iter().next().is_some_and(|event| event.json.contains("Anna")), "{name}");
        log.open.send_replace(true);
        assert!(second.await, "{name}");
    }
}

/// Lets the room's task run until it has nothing to do.
pub(super) async fn idle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// While the log has not answered, the next append is begun, and what is said after that waits; all in one order.
#[tokio::test(start_paused = true)]
async fn the_next_append_is_begun_while_the_last_is_waited_for() {
    let (log, room) = slow_room().await;
    let ann = room.join(hello("Ann")).await.unwrap();
    let mut reader = Reader::new(&room, &ann, None);
    log.open.send_replace(false);
    let mut answers = Vec::new();
    for (id, asked) in [("1", 1), ("2", 2), ("3", 2), ("4", 2)] {
        let say = Say { id: MessageId::parse(id).unwrap(), text: "text".into(), reply: None };
        let mut answer = room.publish(&ann.seat, vec![say]).boxed();
        assert!(answer.as_mut().now_or_never().is_none());
        answers.push(answer);
        idle().await;
        assert_eq!(log.log.span().await.unwrap().head, asked, "the log was asked for");
    }
    let mut renamed = Box::pin(room.rename(&ann.seat, Name::parse("Anna").unwrap()));
    assert!(renamed.as_mut().now_or_never().is_none());
    let mut waits = Box::pin(reader.wait());
    idle().await;
    assert!(waits.as_mut().now_or_never().is_none(), "nothing is published before the log has it");
    drop(waits);
    log.open.send_replace(true);
    for (answer, seq) in answers.into_iter().zip(1..) {
        assert_eq!(answer.await.results, [Ok(seq)]);
    }
    renamed.await.unwrap();
    let mut events = EventBatch::default();
    reader.read_events(&mut events).await.unwrap();
    let order: Vec<_> = events.iter().map(|event| event.seq).collect();
    assert_eq!(order, [Some(1), Some(2), Some(3), Some(4), None]);
}
