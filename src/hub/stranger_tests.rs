//! What one stranger could do to a room, each found against an earlier version of this program.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{advance, sleep};

use super::presence::OccupancyBounds;
use super::ring::Ring;
use super::tests::{publish_one, unlimited};
use super::{Reader, Room};
use crate::config::{HistorySettings, RoomSettings};
use crate::log::{
    Appended, Entry, Follow, Log, LogFuture, MemoryLog, Retention, RoomIdentity, RoomState, Span,
};
use crate::protocol::{CircuitId, Code, EventBatch, Hello, MessageId, Name, Record, Say};

const STRANGER: CircuitId = CircuitId(666);

async fn room(settings: RoomSettings) -> Room {
    let log = Arc::new(MemoryLog::new(Retention { messages: 1000, bytes: 0, age: None }).unwrap());
    Room::open(&settings, &HistorySettings::default(), log).await.unwrap()
}

fn named(name: &str) -> Hello {
    Hello { name: Some(Name::parse(name).unwrap()), ..Hello::default() }
}

fn say(number: u64) -> Say {
    Say { id: MessageId::parse(&number.to_string()).unwrap(), text: format!("message {number}"), reply: None }
}

/// 250 requests without a token on one connection filled the room in 0.02 s.
#[tokio::test(start_paused = true)]
async fn one_circuit_cannot_fill_the_room() {
    let room = room(RoomSettings::default()).await;
    let stranger = room.on(STRANGER);
    let mut seats = HashSet::new();
    for _ in 0..1000 {
        match stranger.join_stateless(Hello::default()).await {
            Ok(join) => drop(seats.insert(join.welcome.guest.id)),
            Err(refusal) => {
                assert_eq!(refusal.code, Code::TooFast);
                assert!(refusal.retry_after.is_some());
            }
        }
    }
    assert_eq!(seats.len(), 10);
    // In an hour of trying, the seats that were only asked for come and go.
    for _ in 0..3600 {
        let _ = stranger.join_stateless(Hello::default()).await;
        sleep(Duration::from_secs(1)).await;
    }
    let ann = room.on(CircuitId(1)).join(named("Ann")).await.unwrap();
    assert!(ann.welcome.count < 25, "{} of 250 seats", ann.welcome.count);
}

/// In a full room guests who were away were evicted, and their names taken: Ann's token got `name_taken`.
#[tokio::test(start_paused = true)]
async fn a_guest_who_is_away_keeps_name_and_seat_in_a_full_room() {
    let room = room(RoomSettings { guests: 20, joins_per_minute: 0, ..RoomSettings::default() }).await;
    let ann = room.on(CircuitId(1)).join(named("Ann")).await.unwrap();
    publish_one(&room, &ann.seat, say(1)).await.unwrap();
    let token = ann.welcome.token.clone();
    drop(ann);
    let stranger = room.on(STRANGER);
    for _ in 0..500 {
        let join = stranger.join_stateless(Hello::default()).await.unwrap();
        let again = Hello { token: Some(join.welcome.token), ..named("Ann") };
        let code = stranger.join_stateless(again).await.unwrap_err().code;
        assert!(matches!(code, Code::NameTaken | Code::TooFast), "{code:?}");
        if join.welcome.count == 20 {
            break;
        }
    }
    let refused = stranger.join_stateless(Hello::default()).await.unwrap_err();
    assert_eq!(refused.code, Code::RoomFull, "the circuit that holds most gets no more");
    // Bob, on a circuit of his own, gets one of the stranger's seats, and Ann still has hers.
    let bob = room.on(CircuitId(2)).join(named("Bob")).await.unwrap();
    let back = Hello { token: Some(token), ..named("Ann") };
    let ann = room.on(CircuitId(3)).join(back).await.unwrap();
    assert!(ann.welcome.resumed && !bob.welcome.resumed);
    assert_eq!(ann.welcome.guest.name, Name::parse("Ann").unwrap());
}

/// One token said 1,000 messages in 2.2 s by leaving and returning, and pushed all others out of the history.
#[tokio::test(start_paused = true)]
async fn leaving_and_returning_gives_no_fresh_budget() {
    let room = room(RoomSettings { joins_per_minute: 0, ..RoomSettings::default() }).await;
    let stranger = room.on(STRANGER);
    let mut token = None;
    let mut said = 0;
    for _ in 0..1000 {
        let join = stranger.join(Hello { token: token.clone(), ..Hello::default() }).await.unwrap();
        token = Some(join.welcome.token.clone());
        while publish_one(&stranger, &join.seat, say(said)).await.is_ok() {
            said += 1;
        }
        join.seat.leave();
    }
    assert_eq!(said, 5, "a third of what a guest may say at once");
    // Other tokens on the same circuit get no more than two guests would.
    for _ in 0..100 {
        let join = stranger.join(Hello::default()).await.unwrap();
        while publish_one(&stranger, &join.seat, say(said)).await.is_ok() {
            said += 1;
        }
        join.seat.leave();
    }
    assert!(said <= 30, "{said} at once");
}

/// 3,000 joins and leaves a second reached every reader.
#[tokio::test(start_paused = true)]
async fn joining_and_leaving_does_not_flood_the_readers() {
    let room = room(RoomSettings { joins_per_minute: 0, ..RoomSettings::default() }).await;
    let ann = room.on(CircuitId(1)).join(named("Ann")).await.unwrap();
    let mut reader = Reader::new(&room, &ann, None);
    let mut events = 0;
    for _ in 0..10 {
        for _ in 0..300 {
            room.on(STRANGER).join(Hello::default()).await.unwrap().seat.leave();
        }
        sleep(Duration::from_secs(1)).await;
        loop {
            let mut batch = EventBatch::default();
            reader.read_events(&mut batch).await.unwrap();
            if batch.is_empty() {
                break;
            }
            events += batch.iter().count();
        }
    }
    assert!(events <= 60 + 10 * 12, "{events} events of 6,000 changes");
    // The last of them is the present state.
    let bob = room.on(CircuitId(2)).join(named("Bob")).await.unwrap();
    assert_eq!(bob.welcome.count, 2);
    let limited = self::room(RoomSettings::default()).await;
    let refused = async {
        for tries in 0.. {
            match limited.on(STRANGER).join(Hello::default()).await {
                Ok(join) => join.seat.leave(),
                Err(_) => return tries,
            }
        }
        0
    };
    assert_eq!(refused.await, 10, "and a circuit can join only so often");
}

/// A log that notes how many messages it had when it was trimmed.
struct NotedLog {
    log: MemoryLog,
    appended: AtomicUsize,
    trimmed_at: Mutex<Vec<usize>>,
}

impl Log for NotedLog {
    fn identity(&self) -> LogFuture<'_, RoomIdentity> {
        self.log.identity()
    }

    fn append(&self, entries: Vec<Entry>) -> LogFuture<'_, Vec<Appended>> {
        self.appended.fetch_add(entries.len(), Ordering::Relaxed);
        // It takes a while, as a disk does: another task has to run before.
        tokio::spawn(async {}).then(|_| self.log.append(entries)).boxed()
    }

    fn state(&self, initial: RoomState) -> LogFuture<'_, RoomState> {
        self.log.state(initial)
    }

    fn follow(&self, after: u64) -> LogFuture<'_, Follow> {
        self.log.follow(after)
    }

    fn read(&self, after: u64, limit: usize) -> LogFuture<'_, Vec<Record>> {
        self.log.read(after, limit)
    }

    fn cursor_before(&self, before: u64, count: usize) -> LogFuture<'_, u64> {
        self.log.cursor_before(before, count)
    }

    fn span(&self) -> LogFuture<'_, Span> {
        self.log.span()
    }

    fn trim(&self, clock: u64) -> LogFuture<'_, ()> {
        self.trimmed_at.lock().unwrap().push(self.appended.load(Ordering::Relaxed));
        self.log.trim(clock)
    }

    fn close(&self) -> LogFuture<'_, ()> {
        self.log.close()
    }
}

/// A busy inbox put off expiry, trimming and presence for as long as it was busy.
#[tokio::test(start_paused = true)]
async fn a_busy_room_trims_and_expires() {
    const BUSY: u64 = 20_000;
    let log = Arc::new(NotedLog {
        log: MemoryLog::new(Retention { messages: 1000, bytes: 0, age: None }).unwrap(),
        appended: AtomicUsize::new(0),
        trimmed_at: Mutex::default(),
    });
    let (history, bounds) = (HistorySettings::default(), OccupancyBounds::default());
    let shared = Arc::clone(&log) as Arc<dyn Log>;
    let room =
        Room::open_with(&unlimited(), &history, shared, Ring::new(10_000), bounds, None).await.unwrap();
    let ann = room.join(named("Ann")).await.unwrap();
    let bob = room.join_stateless(named("Bob")).await.unwrap();
    log.trimmed_at.lock().unwrap().clear();
    // All are sent before the actor sees the first.
    let published: Vec<_> =
        (0..BUSY).map(|number| tokio::spawn(room.publish(&ann.seat, vec![say(number)]))).collect();
    tokio::task::yield_now().await;
    advance(Duration::from_secs(60)).await;
    for published in published {
        published.await.unwrap();
    }
    let trimmed_at = log.trimmed_at.lock().unwrap().clone();
    assert!(trimmed_at.iter().any(|at| (*at as u64) < BUSY), "while it is busy: {trimmed_at:?}");
    assert!(room.touch(&bob.welcome.token).await.unwrap().is_none(), "Bob's seat has expired");
}

/// A change to a name that was taken cost nothing.
#[tokio::test(start_paused = true)]
async fn a_taken_name_costs_a_message() {
    let room = room(RoomSettings::default()).await;
    let _ann = room.on(CircuitId(1)).join(named("Ann")).await.unwrap();
    let eve = room.on(STRANGER).join(named("Eve")).await.unwrap();
    let mut codes = Vec::new();
    for _ in 0..100 {
        codes.push(room.rename(&eve.seat, Name::parse("Ann").unwrap()).await.unwrap_err().code);
    }
    let taken = codes.iter().filter(|code| **code == Code::NameTaken).count();
    assert_eq!(taken, 5, "as many as a new guest may say");
    assert!(codes[5..].iter().all(|code| *code == Code::TooFast));
}

/// A guest whose seat went to another circuit was told to be taken over, and a page that hears that never comes back.
#[tokio::test(start_paused = true)]
async fn a_seat_that_is_given_up_is_told_as_such() {
    let room = room(RoomSettings { guests: 2, ..RoomSettings::default() }).await;
    let first = room.on(STRANGER).join(Hello::default()).await.unwrap();
    let second = room.on(STRANGER).join(Hello::default()).await.unwrap();
    let ann = room.on(CircuitId(1)).join(named("Ann")).await.unwrap();
    second.seat.lost().await;
    assert_eq!(second.seat.loss().code, Code::RoomFull);
    let again = Hello { token: Some(first.welcome.token.clone()), ..Hello::default() };
    let _again = room.on(STRANGER).join(again).await.unwrap();
    first.seat.lost().await;
    assert_eq!(first.seat.loss().code, Code::TakenOver);
    assert_eq!(ann.welcome.count, 2);
}
