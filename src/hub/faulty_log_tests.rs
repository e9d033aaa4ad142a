//! Any order of requests and of a log's answers: appends that are slow, fail, or are answered before what they appended is
//! told to those who follow, or after.
//!
//! Every author gets an answer; what is acknowledged was published before, once and in the order of the log; what was said
//! before a guest came in comes before they do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use proptest::prelude::*;
use tokio::sync::watch;
use tokio::time::timeout;

use super::slow_log_tests::{hello, idle};
use super::tests::unlimited;
use super::{Join, PublishBatch, Reader, Room};
use crate::config::{HistorySettings, RoomSettings};
use crate::log::{
    Appended, Entry, Follow, Log, LogError, LogFuture, MemoryLog, Retention, RoomIdentity, RoomState, Span,
};
use crate::protocol::{Body, Code, EventBatch, GuestId, MessageId, Record, Say};

/// What the log may do by now.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed {
    /// These appends may be answered, counted from 0;
    pub(super) answers: BTreeSet<usize>,
    /// so many batches of entries may be told to those who follow;
    pub(super) told: usize,
    /// or everything.
    pub(super) all: bool,
}

/// A log in memory that does nothing before it is allowed to, and fails some appends.
pub(super) struct FaultyLog {
    log: MemoryLog,
    allowed: watch::Sender<Allowed>,
    /// Whether an append fails, by its place, and again from the first.
    fails: Vec<bool>,
    appends: AtomicUsize,
    /// What another process appends when this one has asked for the state.
    others: Mutex<Vec<Entry>>,
}

impl FaultyLog {
    pub(super) fn new(fails: Vec<bool>) -> Arc<Self> {
        let log = MemoryLog::new(Retention { messages: 1000, bytes: 0, age: None }).unwrap();
        let (allowed, appends) = (watch::Sender::default(), AtomicUsize::new(0));
        Arc::new(Self { log, allowed, fails, appends, others: Mutex::default() })
    }

    pub(super) fn allow(&self, change: impl FnOnce(&mut Allowed)) {
        self.allowed.send_modify(change);
    }

    fn until(&self, allows: impl Fn(&Allowed) -> bool + Send + 'static) -> BoxFuture<'static, ()> {
        let mut allowed = self.allowed.subscribe();
        let allows = move |allowed: &Allowed| allowed.all || allows(allowed);
        async move { drop(allowed.wait_for(allows).await.map(drop)) }.boxed()
    }
}

impl Log for FaultyLog {
    fn identity(&self) -> LogFuture<'_, RoomIdentity> {
        self.log.identity()
    }

    fn append(&self, entries: Vec<Entry>) -> LogFuture<'_, Vec<Appended>> {
        let append = self.appends.fetch_add(1, Ordering::Relaxed);
        let answer = match self.fails[append % self.fails.len()] {
            true => std::future::ready(Err(LogError("the disk is full".into()))).boxed(),
            false => self.log.append(entries),
        };
        self.until(move |allowed| allowed.answers.contains(&append)).then(|()| answer).boxed()
    }

    fn state(&self, initial: RoomState) -> LogFuture<'_, RoomState> {
        let state = self.log.state(initial);
        drop(self.log.append(std::mem::take(&mut self.others.lock().unwrap())));
        state
    }

    fn follow(&self, after: u64) -> LogFuture<'_, Follow> {
        let until: Vec<_> = (0..200).map(|batch| self.until(move |allowed| allowed.told > batch)).collect();
        let held = move |follow: Follow| {
            let untils = futures_util::stream::iter(until);
            follow.zip(untils).then(|(records, until)| until.map(|()| records)).boxed()
        };
        self.log.follow(after).map(|follow| follow.map(held)).boxed()
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
        self.log.trim(clock)
    }

    fn close(&self) -> LogFuture<'_, ()> {
        self.log.close()
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// One request with messages of these ids; the same may come again.
    Say(Vec<u8>),
    Join,
    /// The log answers this append.
    Answer(usize),
    /// The log tells of one more batch of entries.
    Tell,
    /// The log is closed: nothing is told after that.
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::collection::vec(0u8..20, 1..4).prop_map(Step::Say),
        1 => Just(Step::Join),
        6 => (0usize..12).prop_map(Step::Answer),
        6 => Just(Step::Tell),
    ]
}

type Asked<T> = BoxFuture<'static, T>;

struct World {
    log: Arc<FaultyLog>,
    room: Room,
    ann: Join,
    reader: Reader,
    /// The ids of the messages that were published, by their number.
    published: BTreeMap<u64, String>,
    /// The requests that are not answered yet, with their ids.
    waiting: Vec<(Vec<u8>, Asked<PublishBatch>)>,
    /// The ids that were said before each guest came in.
    before: BTreeMap<String, BTreeSet<String>>,
    joining: Vec<Asked<Option<Join>>>,
    inside: Vec<Join>,
    said: BTreeSet<String>,
    closed: bool,
}

impl World {
    async fn new(fails: Vec<bool>) -> Self {
        let log = FaultyLog::new(fails);
        let of_room = Arc::<FaultyLog>::clone(&log);
        let room = Room::open(&unlimited(), &HistorySettings::default(), of_room).await.unwrap();
        let ann = room.join(hello("Ann")).await.unwrap();
        let reader = Reader::new(&room, &ann, None);
        Self {
            log,
            room,
            ann,
            reader,
            published: BTreeMap::new(),
            waiting: Vec::new(),
            before: BTreeMap::new(),
            joining: Vec::new(),
            inside: Vec::new(),
            said: BTreeSet::new(),
            closed: false,
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Say(ids) => {
                let say = |id: &u8| Say {
                    id: MessageId::parse(&id.to_string()).unwrap(),
                    text: format!("says {id}"),
                    reply: None,
                };
                let mut answer = self.room.publish(&self.ann.seat, ids.iter().map(say).collect()).boxed();
                assert!(answer.as_mut().now_or_never().is_none(), "the room's task has not run yet");
                self.said.extend(ids.iter().map(u8::to_string));
                self.waiting.push((ids, answer));
            }
            Step::Join => {
                let name = format!("Guest {}", self.before.len());
                let (room, hello) = (self.room.clone(), hello(&name));
                let mut answer = async move { room.join(hello).await.ok() }.boxed();
                assert!(answer.as_mut().now_or_never().is_none(), "the room's task has not run yet");
                self.joining.push(answer);
                self.before.insert(name, self.said.clone());
            }
            Step::Answer(append) => self.log.allow(|allowed| allowed.answers.extend([append])),
            Step::Tell => self.log.allow(|allowed| allowed.told += 1),
            Step::Close => {
                self.closed = true;
                self.log.close().await.unwrap();
            }
        }
        idle().await;
        self.check().await;
    }

    async fn check(&mut self) {
        let mut waiting = Vec::new();
        for (ids, mut answer) in std::mem::take(&mut self.waiting) {
            match answer.as_mut().now_or_never() {
                Some(batch) => self.answered(&ids, batch).await,
                None => waiting.push((ids, answer)),
            }
        }
        self.waiting = waiting;
        self.read().await;
        let head = self.head();
        self.joining.retain_mut(|answer| match answer.as_mut().now_or_never() {
            Some(join) => {
                let join = join.expect("there are seats");
                assert!(join.welcome.head <= head, "they are told of nothing that was not published");
                self.inside.push(join);
                false
            }
            None => true,
        });
    }

    fn head(&self) -> u64 {
        self.published.keys().next_back().copied().unwrap_or(0)
    }

    async fn answered(&mut self, ids: &[u8], batch: PublishBatch) {
        assert_eq!(batch.results.len(), ids.len());
        self.read().await;
        for (id, result) in ids.iter().zip(batch.results) {
            match result {
                Ok(seq) if self.closed => assert!(seq > 0),
                Ok(seq) => assert_eq!(self.published.get(&seq), Some(&id.to_string()), "published before"),
                Err(refusal) => assert_eq!(refusal.code, Code::StorageUnavailable),
            }
        }
    }

    /// Reads what was published.
    async fn read(&mut self) {
        loop {
            let mut events = EventBatch::default();
            self.reader.read_events(&mut events).await.unwrap();
            if events.is_empty() {
                return;
            }
            for event in events.iter() {
                let json: serde_json::Value = serde_json::from_str(event.json).unwrap();
                if let Some(seq) = event.seq {
                    assert_eq!(seq, self.head() + 1, "each once and in order");
                    self.published.insert(seq, json["id"].as_str().unwrap().to_owned());
                } else if json["type"] == "joined" && !self.closed && !self.log.fails.contains(&true) {
                    for id in &self.before[json["guest"]["name"].as_str().unwrap()] {
                        assert!(self.published.values().any(|one| one == id), "{id} was said before");
                    }
                }
            }
        }
    }

    async fn end(mut self) {
        self.log.allow(|allowed| allowed.all = true);
        idle().await;
        self.check().await;
        assert!(self.waiting.is_empty() && self.joining.is_empty(), "everyone has an answer");
        self.read().await;
        let kept = self.log.read(0, usize::MAX).await.unwrap();
        let kept: BTreeMap<u64, String> =
            kept.iter().map(|record| (record.seq, record.id.as_str().to_owned())).collect();
        if !self.closed {
            assert_eq!(self.published, kept, "what the log has is what was published");
        }
        for join in &self.inside {
            let mut reader = Reader::new(&self.room, join, Some(0));
            let mut read = Vec::new();
            loop {
                let mut events = EventBatch::default();
                reader.read_events(&mut events).await.unwrap();
                if events.is_empty() {
                    break;
                }
                read.extend(events.iter().filter_map(|event| event.seq));
            }
            assert!(read.iter().eq(self.published.keys()), "a guest who came in between: {read:?}");
        }
    }
}

fn play(fails: Vec<bool>, steps: Vec<Step>, close: Option<usize>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(fails).await;
        for (place, step) in steps.into_iter().enumerate() {
            if close == Some(place) {
                world.take(Step::Close).await;
            }
            world.take(step).await;
        }
        timeout(Duration::from_secs(10), world.end()).await.expect("everything is answered");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_the_log_does_each_is_answered_after_what_they_said_was_published(
        fails in prop::collection::vec(prop::bool::weighted(0.2), 1..8),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        play(fails, steps, None);
    }

    #[test]
    fn whenever_the_log_is_closed_everyone_is_answered(
        fails in prop::collection::vec(prop::bool::weighted(0.2), 1..8),
        steps in prop::collection::vec(step(), 1..30),
        close in 0usize..30,
    ) {
        play(fails, steps, Some(close));
    }
}

/// A room that its host calls "Cake", on this log.
async fn cake(log: &Arc<FaultyLog>) -> Room {
    log.allow(|allowed| allowed.all = true);
    let settings = RoomSettings { title: "Cake".into(), ..unlimited() };
    Room::open(&settings, &HistorySettings::default(), Arc::<FaultyLog>::clone(log)).await.unwrap()
}

/// Guards against a room that keeps its old title until the next start because the disk was full for a moment.
#[tokio::test(start_paused = true)]
async fn a_title_that_could_not_be_stored_is_tried_again() {
    let log = FaultyLog::new(vec![true, true, false]);
    log.log.state(RoomState::new("Tea")).await.unwrap();
    let room = cake(&log).await;
    assert_eq!(room.join(hello("Ann")).await.unwrap().welcome.title, "Tea");
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(40)).await;
    }
    let welcome = room.join(hello("Bob")).await.unwrap().welcome;
    assert_eq!((welcome.title.as_str(), welcome.head), ("Cake", 1), "once");
}

/// Guards against an entry that is in no state and not followed: it came between the two.
#[tokio::test(start_paused = true)]
async fn what_another_process_does_while_a_room_is_opened_counts() {
    let log = FaultyLog::new(vec![false]);
    log.log.state(RoomState::new("Cake")).await.unwrap();
    let (author, id) = (GuestId::ROOM, MessageId::parse("1").unwrap());
    let entry = Entry { at: 0, author, id, body: Body::Title { title: "Pie".into() } };
    log.others.lock().unwrap().push(entry);
    let room = cake(&log).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(40)).await;
        let welcome = room.join(hello("Ann")).await.unwrap().welcome;
        assert_eq!((welcome.title.as_str(), welcome.head), ("Pie", 1));
        room.leave(welcome.guest.id);
    }
}
