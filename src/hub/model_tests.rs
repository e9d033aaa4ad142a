//! Any order of guests' requests, against a model that is too simple to be wrong.
//!
//! The model has the messages, what may have been trimmed, and the seats. Each reader, however rarely it reads, must
//! get each kept message once and in order, and with a cursor a gap where the first is missing; and once it has read
//! everything, know the roster, or the occupancy where only that is told.

mod guest;
mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use tokio::time::timeout;

use super::presence::OccupancyBounds;
use super::ring::Ring;
use super::tests::{decoded, publish_one, unlimited};
use super::{Reader, Room};
use crate::config::{HistorySettings, RoomSettings};
use crate::log::sqlite::Synchronous;
use crate::log::{Log, MemoryLog, Retention, SqliteLog};
use crate::protocol::{CircuitId, Code, EventBatch, Hello, Name};
use crate::rate_limit::RateLimit;
use guest::{KnownRoster, ModelGuest, say};
use model::Model;

const GUESTS: usize = NAMES.len();
/// One seat fewer than guests, so that the room is full at times.
const SEATS: usize = 3;
const NAMES: [&str; 4] = ["Ann", "Bob", "Eve", "Mia"];
/// How long the occupancy may take, which is announced every millisecond.
const DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
enum Step {
    /// Joins, or joins again on another connection, with a cursor.
    Join(usize, Option<usize>, Cursor),
    Say(usize, usize),
    /// Publishes an earlier message again, under its id.
    Resend(usize, Index),
    Rename(usize, usize),
    /// The connection breaks.
    Drop(usize),
    Leave(usize),
    /// Reads once; otherwise guests read only before they leave and at the end.
    Read(usize),
    /// All messages are removed from the log.
    Trim,
    /// The room is opened anew on the same log.
    Restart,
}

#[derive(Debug, Clone)]
enum Cursor {
    None,
    Own,
    Any(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..GUESTS;
    let cursor = prop_oneof![
        1 => Just(Cursor::None),
        3 => Just(Cursor::Own),
        1 => (0u64..300).prop_map(Cursor::Any),
    ];
    prop_oneof![
        8 => (who(), prop::option::of(0..NAMES.len()), cursor)
            .prop_map(|(who, name, cursor)| Step::Join(who, name, cursor)),
        12 => (who(), 1usize..4).prop_map(|(who, times)| Step::Say(who, times)),
        // More than the log is read at once.
        1 => (who(), 60usize..90).prop_map(|(who, times)| Step::Say(who, times)),
        4 => (who(), any::<Index>()).prop_map(|(who, which)| Step::Resend(who, which)),
        2 => (who(), 0..NAMES.len()).prop_map(|(who, name)| Step::Rename(who, name)),
        4 => who().prop_map(Step::Drop),
        2 => who().prop_map(Step::Leave),
        8 => who().prop_map(Step::Read),
        1 => Just(Step::Trim),
        1 => Just(Step::Restart),
    ]
}

/// Thresholds for so few guests; or none, since there are not more seats.
fn bounds() -> impl Strategy<Value = OccupancyBounds> {
    let every = Duration::from_millis(1);
    let bounds =
        prop_oneof![1 => Just((1, 1)), 1 => Just((2, 1)), 1 => Just((2, 2)), 3 => Just((SEATS, SEATS))];
    bounds.prop_map(move |(above, until)| OccupancyBounds { above, until, every, changes: RateLimit::NONE })
}

/// Where the messages are, across restarts.
enum Store {
    Memory(Arc<MemoryLog>),
    File(PathBuf, Retention),
}

impl Store {
    fn open(&self) -> Arc<dyn Log> {
        match self {
            Store::Memory(log) => Arc::clone(log) as Arc<dyn Log>,
            Store::File(path, retention) => {
                Arc::new(SqliteLog::open(path, *retention, Synchronous::Normal).unwrap())
            }
        }
    }
}

struct World {
    store: Store,
    ring_bytes: usize,
    log: Arc<dyn Log>,
    room: Room,
    guests: Vec<ModelGuest>,
    numbers: [u64; GUESTS],
    model: Model,
    /// These may be forgotten altogether: a restart loses the ids of what was trimmed.
    forgotten: BTreeSet<u64>,
}

async fn open(log: &Arc<dyn Log>, ring_bytes: usize, bounds: OccupancyBounds) -> Room {
    let away = Duration::from_secs(9999);
    let settings = RoomSettings { guests: SEATS, away, ..unlimited() };
    let ring = Ring::new(ring_bytes);
    Room::open_with(&settings, &HistorySettings::default(), Arc::clone(log), ring, bounds, None)
        .await
        .unwrap()
}

impl World {
    async fn new(store: Store, ring_bytes: usize, bounds: OccupancyBounds, keep: usize) -> Self {
        let log = store.open();
        let room = open(&log, ring_bytes, bounds).await;
        let secret = log.identity().await.unwrap().secret;
        let mut guests: Vec<ModelGuest> = (0..GUESTS).map(|_| ModelGuest::new()).collect();
        guests.iter_mut().for_each(|guest| guest.number = guest.token.guest(&secret).0);
        let numbers = std::array::from_fn(|who| guests[who].number);
        let (said, kept, seats) = (Vec::new(), Vec::new(), Vec::new());
        let model = Model { said, kept, keep, seats, aways: 0, bounds, occupancy_only: false };
        Self { store, ring_bytes, log, room, guests, numbers, model, forgotten: BTreeSet::new() }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Join(who, name, cursor) => self.join(who, name.map(|name| NAMES[name]), &cursor).await,
            Step::Say(who, times) => {
                for _ in 0..times {
                    self.say(who).await;
                }
            }
            Step::Resend(who, which) => self.resend(who, which).await,
            Step::Rename(who, name) => self.rename(who, NAMES[name]).await,
            Step::Drop(who) => {
                if self.guests[who].inside.take().is_some() {
                    self.model.aways += 1;
                    let since = self.model.aways;
                    self.model.occupant(who).unwrap().away = Some(since);
                }
            }
            Step::Leave(who) => {
                if let Some((seat, _)) = self.guests[who].inside.take() {
                    seat.leave();
                    self.model.seats.retain(|occupant| occupant.who != who);
                    self.model.recount();
                }
            }
            Step::Read(who) => {
                self.read(who).await;
            }
            Step::Trim => {
                self.log.trim(u64::MAX / 4).await.unwrap();
                self.model.kept.clear();
            }
            Step::Restart => self.restart().await,
        }
        // Until the room has seen everything, and told it.
        self.room.snapshot().await.unwrap();
    }

    async fn join(&mut self, who: usize, name: Option<&str>, cursor: &Cursor) {
        let guest = &mut self.guests[who];
        let hello = Hello {
            name: name.map(|name| Name::parse(name).unwrap()),
            token: Some(guest.token.clone()),
            ..Hello::default()
        };
        let entered = self.room.on(CircuitId(who as u64 + 1)).join(hello).await;
        let expected = self.model.join(who, name);
        let entered = match entered {
            Ok(entered) => entered,
            Err(refusal) => return assert_eq!(expected, Err(refusal.code)),
        };
        let welcome = &entered.welcome;
        assert_eq!(expected, Ok(welcome.resumed));
        assert_eq!((welcome.guest.id.0, welcome.head), (guest.number, self.model.head()));
        assert_eq!(welcome.first, self.model.first());
        // A guest who asked for no name was given one.
        self.model.occupant(who).unwrap().name = welcome.guest.name.as_str().to_owned();

        let after = match cursor {
            Cursor::None => None,
            Cursor::Own => Some(guest.after),
            Cursor::Any(after) => Some(*after),
        };
        guest.gone = self.model.gone();
        let known = after.filter(|after| *after <= welcome.head);
        (guest.gap_due, guest.gap_told) = (known.is_some(), false);
        guest.after = known.unwrap_or(welcome.first - 1);
        let guests = welcome.guests.iter();
        let list = guests.map(|guest| (guest.id.0, (guest.name.as_str().to_owned(), guest.away))).collect();
        guest.around = match welcome.count > welcome.guests.len() {
            true => KnownRoster::Occupancy(welcome.count),
            false => KnownRoster::Listed(list),
        };
        let reader = Reader::new(&self.room, &entered, after);
        if let Some((ghost, _)) = guest.inside.replace((entered.seat, reader)) {
            ghost.lost().await;
            let refused = publish_one(&self.room, &ghost, say(who, 1_000_000)).await;
            assert_eq!(refused.unwrap_err().code, Code::TakenOver);
        }
        assert_eq!(self.guests[who].around, self.around(), "{} knows who is here", NAMES[who]);
    }

    async fn say(&mut self, who: usize) {
        let Some((seat, _)) = &self.guests[who].inside else { return };
        let id = self.guests[who].said.len() as u64;
        let seq = publish_one(&self.room, seat, say(who, id)).await.unwrap();
        self.model.say(who, id);
        assert_eq!(seq, self.model.head());
        self.model.occupant(who).unwrap().spoken = true;
        self.guests[who].said.push(seq);
    }

    async fn resend(&mut self, who: usize, which: Index) {
        let guest = &mut self.guests[who];
        let (Some((seat, _)), false) = (&guest.inside, guest.said.is_empty()) else { return };
        let id = which.index(guest.said.len());
        self.model.occupant(who).unwrap().spoken = true;
        let seq = publish_one(&self.room, seat, say(who, id as u64)).await.unwrap();
        if self.forgotten.contains(&guest.said[id]) && seq == self.model.head() + 1 {
            self.model.say(who, id as u64);
            guest.said[id] = seq;
        }
        assert_eq!(seq, guest.said[id], "the number it had before");
    }

    async fn rename(&mut self, who: usize, name: &str) {
        let Some((seat, _)) = &self.guests[who].inside else { return };
        let renamed = self.room.rename(seat, Name::parse(name).unwrap()).await;
        let expected = if self.model.taken(name, who) { Err(Code::NameTaken) } else { Ok(()) };
        assert_eq!(renamed.as_ref().map(|_| ()).map_err(|refusal| refusal.code), expected);
        if let Ok(answer) = renamed {
            let was = std::mem::replace(&mut self.model.occupant(who).unwrap().name, name.to_owned());
            assert_eq!(
                answer.is_some(),
                self.model.occupancy_only && was != name,
                "told by itself, or with everyone"
            );
        }
    }

    /// Reads once; false if there is nothing more.
    async fn read(&mut self, who: usize) -> bool {
        let Some((_, reader)) = &mut self.guests[who].inside else { return false };
        // Some read frames, as a WebSocket does, and some the JSON, as the other transports do.
        let events: Vec<Value> = if who.is_multiple_of(2) {
            let mut out = BytesMut::new();
            reader.read_frames(&mut out).await.unwrap();
            decoded(out.to_vec())
        } else {
            let mut out = EventBatch::default();
            reader.read_events(&mut out).await.unwrap();
            out.iter().map(|event| serde_json::from_str(event.json).unwrap()).collect()
        };
        let cursor = reader.after();
        for event in &events {
            self.guests[who].hear(event, &self.model, &self.numbers);
        }
        // The last ones may all be missing.
        self.guests[who].pass_over(cursor, &self.model);
        !events.is_empty()
    }

    async fn restart(&mut self) {
        self.guests.iter_mut().for_each(|guest| guest.inside = None);
        self.model.seats.clear();
        self.model.recount();
        self.log.close().await.unwrap();
        self.log = self.store.open();
        self.room = open(&self.log, self.ring_bytes, self.model.bounds).await;
        self.forgotten = self.model.gone();
    }

    /// The roster, as guests are told it.
    fn around(&self) -> KnownRoster {
        if self.model.occupancy_only {
            return KnownRoster::Occupancy(self.model.seats.len());
        }
        let occupant = self.model.seats.iter();
        let list: BTreeMap<_, _> =
            occupant.map(|one| (self.numbers[one.who], (one.name.clone(), one.away.is_some()))).collect();
        KnownRoster::Listed(list)
    }

    /// Reads everything, and waits for the occupancy, which is announced a little later.
    async fn catch_up(&mut self, who: usize) {
        loop {
            while self.read(who).await {}
            let expected = self.around();
            if self.guests[who].around == expected {
                return;
            }
            assert!(self.model.occupancy_only, "{} knows who is here: {expected:?}", NAMES[who]);
            let Some((_, reader)) = &mut self.guests[who].inside else { return };
            assert!(timeout(DEADLINE, reader.wait()).await.expect("the number is told"));
        }
    }

    async fn end(&mut self) {
        for (who, name) in NAMES.iter().enumerate() {
            if self.guests[who].inside.is_some() {
                self.catch_up(who).await;
                assert_eq!(self.guests[who].after, self.model.head(), "{name} knows everything");
            }
        }
    }
}

fn play(store: Store, ring_bytes: usize, bounds: OccupancyBounds, keep: usize, steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(store, ring_bytes, bounds, keep).await;
        for step in steps {
            world.take(step).await;
        }
        world.end().await;
    });
}

fn retention(messages: usize) -> Retention {
    Retention { messages, bytes: 0, age: Some(Duration::from_secs(9999)) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_order_in_memory(
        ring in 100usize..3000,
        bounds in bounds(),
        keep in prop_oneof![0usize..20, 60usize..300],
        steps in prop::collection::vec(step(), 1..60),
    ) {
        play(Store::Memory(Arc::new(MemoryLog::new(retention(keep)).unwrap())), ring, bounds, keep, steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_order_in_a_file(
        ring in 100usize..3000,
        bounds in bounds(),
        keep in prop_oneof![0usize..20, 60usize..300],
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("messages.sqlite");
        play(Store::File(path, retention(keep)), ring, bounds, keep, steps);
    }
}
