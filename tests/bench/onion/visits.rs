//! Guests who come in, talk and stay, in several rooms side by side.

use std::ffi::OsStr;

use onionroom::lab::Network;
use tempfile::TempDir;
use tokio::time::{Duration, Instant, sleep};

use super::cells::Cells;
use super::crowd::Crowd;
use super::load::{Load, Round};
use super::service::{Kind, Service};
use crate::kit::Outcome;
use crate::kit::figures::Sample;
use crate::kit::program::Program;
use crate::kit::way::{Way, new_user};
use crate::kit::websocket::Guest;
use crate::kit::wire::Tally;

/// The time between one guest and the next: the visitors' Tor client makes circuits in advance, and fifty guests at
/// once would only measure how fast it makes more.
const PAUSE: Duration = Duration::from_millis(500);

/// How many messages are said to find out how long one takes.
const SAID: usize = 50;

/// How long guests and visits took, and what they weigh.
#[derive(Debug, Default)]
pub(crate) struct Visits {
    /// From asking for a connection to the end of the handshake, for somebody new.
    pub(crate) new_circuit: Sample,
    /// The same for somebody whose circuit is there.
    pub(crate) same_circuit: Sample,
    /// From the request to its answer, over a connection that is there.
    pub(crate) handshake: Sample,
    /// From say to acknowledged, alone in the room.
    pub(crate) message: Sample,
    /// The same with all the others there, who get it as well.
    pub(crate) message_to_all: Sample,
    /// Bytes of resident memory before the guests came and with all of them, who have not said much.
    pub(crate) memory: (u64, u64),
    /// The most memory that was resident at any time, in bytes.
    pub(crate) memory_peak: u64,
    /// The rounds of each load.
    pub(crate) loads: Vec<(Load, Vec<Round>)>,
}

/// One room with its guests.
struct Room {
    service: Service,
    crowd: Crowd,
    visits: Visits,
    _home: TempDir,
}

/// Without Tor, to tell what of it all is Tor.
pub(crate) async fn on_loopback(guests: usize) -> Outcome<Visits> {
    let home = tempfile::tempdir()?;
    let mut room = Program::serve(home.path(), &[OsStr::new("--no-onion")])?;
    let way = Way::loopback(&room.told("local").await?);
    let (mut visits, mut crowd) = (Visits::default(), Crowd::new());
    for number in 0..guests {
        let mut guest = visits.come_in(&way).await?;
        visits.talk(&mut guest, number, guests).await?;
        crowd.add(guest);
    }
    // There are no circuits here.
    visits.new_circuit = Sample::default();
    crowd.complete()?;
    drop(crowd);
    room.end().await?;
    Ok(visits)
}

/// Each guest on a circuit of their own, all of them staying to the end. Whatever is asked of one room is asked of
/// the next before anything else, so that what happens to the machine happens to all of them.
pub(crate) async fn side_by_side(
    kinds: &[Kind],
    network: &Network,
    guests: usize,
    loads: &[Load],
    rounds: usize,
) -> Outcome<Vec<(Kind, Visits)>> {
    let cells = Cells::counted(network).await?;
    let mut rooms = Vec::new();
    for kind in kinds {
        rooms.push(Room::open(*kind, network).await?);
    }
    for load in loads {
        all_in(&mut rooms, load.guests.min(guests), guests).await?;
        let mut measured = vec![Vec::new(); rooms.len()];
        for round in 0..rounds {
            for step in 0..rooms.len() {
                // Another one begins each time.
                let place = (step + round) % rooms.len();
                let Room { service, crowd, .. } = &mut rooms[place];
                measured[place].push(load.round(service, crowd, &cells).await?);
            }
            eprintln!("  {}: round {} of {rounds}", load.name, round + 1);
        }
        for (room, rounds) in rooms.iter_mut().zip(measured) {
            room.visits.loads.push((*load, rounds));
        }
    }
    all_in(&mut rooms, guests, guests).await?;
    let mut visits = Vec::new();
    for (kind, mut room) in kinds.iter().zip(rooms) {
        room.visits.memory_peak = room.service.resident_peak()?;
        room.crowd.complete()?;
        drop(room.crowd);
        room.service.end().await?;
        visits.push((*kind, room.visits));
    }
    Ok(visits)
}

/// Guests come in, into each room in turn, until there are so many of `all`.
async fn all_in(rooms: &mut [Room], guests: usize, all: usize) -> Outcome<()> {
    while rooms.iter().any(|room| room.crowd.len() < guests) {
        for room in rooms.iter_mut() {
            room.one_more(all).await?;
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

impl Room {
    async fn open(kind: Kind, network: &Network) -> Outcome<Self> {
        let home = tempfile::tempdir()?;
        let service = Service::start(kind, network, home.path()).await?;
        service.way.reach().await?;
        let mut visits = Visits::default();
        visits.memory.0 = service.resident()?;
        Ok(Self { service, crowd: Crowd::new(), visits, _home: home })
    }

    async fn one_more(&mut self, all: usize) -> Outcome<()> {
        let mut guest = self.visits.come_in(&self.service.way).await?;
        self.visits.talk(&mut guest, self.crowd.len(), all).await?;
        self.crowd.add(guest);
        if self.crowd.len() == all {
            self.visits.memory.1 = self.service.resident()?;
        }
        Ok(())
    }
}

impl Visits {
    /// Somebody comes in twice, once to stay.
    async fn come_in(&mut self, way: &Way) -> Outcome<Guest> {
        let user = new_user("guest");
        let (mut guest, took, _) = come_in(way, &user).await?;
        self.new_circuit.add(took);
        guest.hello().await?;
        let (_, took, handshake) = come_in(way, &user).await?;
        self.same_circuit.add(took);
        self.handshake.add(handshake);
        Ok(guest)
    }

    /// The first one speaks to nobody, the last one to everybody.
    async fn talk(&mut self, guest: &mut Guest, others: usize, all: usize) -> Outcome<()> {
        let sample = match others {
            0 => &mut self.message,
            _ if others + 1 == all => &mut self.message_to_all,
            _ => return Ok(()),
        };
        for number in 0..SAID {
            let said = Instant::now();
            guest.say(&format!("v{number}"), "good evening").await?;
            sample.add(said.elapsed());
        }
        Ok(())
    }
}

/// Connects and shakes hands; answers with how long both took, and the handshake of it.
async fn come_in(way: &Way, user: &str) -> Outcome<(Guest, Duration, Duration)> {
    let tally = std::sync::Arc::<Tally>::default();
    let asked = Instant::now();
    let io = way.connect_counted(user, &tally).await?;
    let connected = Instant::now();
    let guest = Guest::connect(io, &tally, &way.host).await?;
    Ok((guest, asked.elapsed(), connected.elapsed()))
}
