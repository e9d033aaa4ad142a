//! One room at several nodes: claims, guests at other nodes, and what happens when they do not reach each other.

pub(super) mod network;
mod rules;
mod schedule;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use self::network::{Faults, Network};
use super::presence::{OccupancyBounds, RosterSnapshot};
use super::ring::{RING_BYTES, Ring};
use super::tests::unlimited;
use super::{Join, Reader, Room};
use crate::config::{HistorySettings, RoomSettings};
use crate::log::{Log, MemoryLog, Retention};
use crate::protocol::{EventBatch, Guest, Hello, Name, Refusal, Token};
use crate::rate_limit::RateLimit;

/// How long a guest whose connection broke is away.
pub(super) const AWAY: Duration = Duration::from_secs(5);

/// One room at several nodes of one network.
pub(super) struct Nodes {
    pub(super) network: Network,
    pub(super) rooms: Vec<Room>,
    pub(super) log: Arc<dyn Log>,
}

impl Nodes {
    pub(super) async fn open(count: usize) -> Self {
        Self::open_with(count, |_| {}).await
    }

    pub(super) async fn open_with(count: usize, change: impl Fn(&mut RoomSettings)) -> Self {
        let network = Network::new(count);
        let keep = Retention { messages: 10_000, bytes: 0, age: None };
        let log: Arc<dyn Log> = Arc::new(MemoryLog::new(keep).unwrap());
        let mut rooms = Vec::new();
        for node in 0..count {
            let mut settings = RoomSettings { away: AWAY, ..unlimited() };
            change(&mut settings);
            let bounds = OccupancyBounds { changes: RateLimit::NONE, ..OccupancyBounds::default() };
            let (history, ring, cluster) =
                (HistorySettings::default(), Ring::new(RING_BYTES), network.node(node));
            let room = Room::open_with(&settings, &history, Arc::clone(&log), ring, bounds, Some(cluster))
                .await
                .unwrap();
            rooms.push(room);
        }
        Self { network, rooms, log }
    }

    /// A guest on a connection, who reads from then on.
    pub(super) async fn join(&self, node: usize, name: &str) -> (Join, Reader) {
        let join = self.rooms[node].join(hello(name)).await.unwrap();
        let reader = Reader::new(&self.rooms[node], &join, None);
        settle().await;
        (join, reader)
    }

    pub(super) async fn roster(&self, node: usize) -> Vec<Guest> {
        match self.rooms[node].snapshot().await.unwrap().roster {
            RosterSnapshot::Listed(guests) => guests.to_vec(),
            RosterSnapshot::Occupancy(count) => panic!("only the number of guests, {count}"),
        }
    }

    /// The names at a node, in alphabetical order; those of guests who are away in brackets.
    pub(super) async fn names(&self, node: usize) -> Vec<String> {
        let shown = |guest: &Guest| match guest.away {
            true => format!("({})", guest.name.as_str()),
            false => guest.name.as_str().to_owned(),
        };
        let mut names: Vec<_> = self.roster(node).await.iter().map(shown).collect();
        names.sort();
        names
    }
}

pub(super) fn hello(name: &str) -> Hello {
    Hello { name: Some(Name::parse(name).unwrap()), ..Hello::default() }
}

pub(super) fn hello_as(token: &Token, name: Option<&str>) -> Hello {
    let name = name.map(|name| Name::parse(name).unwrap());
    Hello { token: Some(token.clone()), name, ..Hello::default() }
}

/// Lets all rooms run until they have nothing to do, without any time passing.
pub(super) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Lets this much time pass.
pub(super) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
    settle().await;
}

/// The events that came, as "joined Ann".
pub(super) async fn events(reader: &mut Reader) -> Vec<String> {
    settle().await;
    let mut told = Vec::new();
    loop {
        let mut batch = EventBatch::default();
        reader.read_events(&mut batch).await.unwrap();
        if batch.is_empty() {
            return told;
        }
        told.extend(batch.iter().map(|event| {
            let json: Value = serde_json::from_str(event.json).unwrap();
            let detail = match event.kind.as_str() {
                "renamed" => {
                    format!("{} {}", json["was"].as_str().unwrap(), json["guest"]["name"].as_str().unwrap())
                }
                "message" => json["text"].as_str().unwrap().to_owned(),
                "doors" => json["doors"].to_string(),
                "storage" => json["available"].to_string(),
                "crowd" => json["count"].to_string(),
                _ => json["guest"]["name"].as_str().unwrap_or("").to_owned(),
            };
            format!("{} {detail}", event.kind.as_str())
        }));
    }
}

pub(super) fn code(refusal: Result<impl Sized, Refusal>) -> &'static str {
    refusal.err().map_or("accepted", |refusal| refusal.code.as_str())
}
