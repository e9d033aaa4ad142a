//! Guests who come in, talk and stay.

use std::ffi::OsStr;

use onionroom::lab::Network;
use tokio::time::{Duration, Instant, sleep};

use super::service::{Kind, Service};
use crate::kit::Outcome;
use crate::kit::figures::Sample;
use crate::kit::program::Program;
use crate::kit::way::{Way, new_user};
use crate::kit::websocket::Guest;
use crate::kit::wire::Tally;

/// The time between one guest and the next: the visitors' Tor client makes circuits in advance, and fifty guests at
/// once would only measure how fast it makes more.
const PAUSE: Duration = Duration::from_secs(1);

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
    /// Bytes of resident memory before the guests came and with all of them.
    pub(crate) memory: (u64, u64),
}

/// Without Tor, to tell what of it all is Tor.
pub(crate) async fn on_loopback(guests: usize) -> Outcome<Visits> {
    let home = tempfile::tempdir()?;
    let mut room = Program::serve(home.path(), &[OsStr::new("--no-onion")])?;
    let way = Way::loopback(&room.told("local").await?);
    let mut visits = Visits::default();
    let inside = visits.all(&way, guests).await?;
    drop(inside);
    // There are no circuits here.
    visits.new_circuit = Sample::default();
    room.end().await?;
    Ok(visits)
}

/// Each guest on a circuit of their own, all of them staying to the end.
pub(crate) async fn measure(kind: Kind, network: &Network, guests: usize) -> Outcome<Visits> {
    let home = tempfile::tempdir()?;
    let service = Service::start(kind, network, home.path()).await?;
    service.way.reach().await?;
    let mut visits = Visits::default();
    let idle = service.resident()?;
    let inside = visits.all(&service.way, guests).await?;
    visits.memory = (idle, service.resident()?);
    drop(inside);
    service.end().await?;
    Ok(visits)
}

impl Visits {
    /// One guest after another comes in and stays. The first one speaks to nobody, the last one to everybody.
    async fn all(&mut self, way: &Way, guests: usize) -> Outcome<Vec<Guest>> {
        let mut inside = Vec::with_capacity(guests);
        for number in 0..guests {
            let user = new_user("guest");
            let (mut guest, took, _) = come_in(way, &user).await?;
            self.new_circuit.add(took);
            guest.hello().await?;
            if number == 0 {
                self.message = talk(&mut guest, guests).await?;
            }
            let (_, took, handshake) = come_in(way, &user).await?;
            self.same_circuit.add(took);
            self.handshake.add(handshake);
            if number + 1 == guests {
                self.message_to_all = talk(&mut guest, guests).await?;
            }
            inside.push(guest);
            if way.through_tor() {
                sleep(PAUSE).await;
            }
        }
        Ok(inside)
    }
}

/// Says so many messages, each when the one before is acknowledged.
async fn talk(guest: &mut Guest, messages: usize) -> Outcome<Sample> {
    let mut sample = Sample::default();
    for number in 0..messages {
        let said = Instant::now();
        guest.say(&format!("v{number}"), "good evening").await?;
        sample.add(said.elapsed());
    }
    Ok(sample)
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
