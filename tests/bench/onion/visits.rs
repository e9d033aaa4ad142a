//! Guests who come in, talk and stay.

use std::ffi::OsStr;

use onionroom::lab::Network;
use tokio::time::Instant;

use super::service::{Kind, Service};
use crate::kit::Outcome;
use crate::kit::figures::Sample;
use crate::kit::program::Program;
use crate::kit::way::{Way, new_user};
use crate::kit::websocket::Guest;
use crate::kit::wire::Tally;

/// How many messages each guest says.
const MESSAGES: usize = 5;

/// How long guests and visits took, and what they weigh.
#[derive(Debug, Default)]
pub(crate) struct Visits {
    /// From asking for a connection to the end of the handshake, for somebody new.
    pub(crate) new_circuit: Sample,
    /// The same for somebody whose circuit is there.
    pub(crate) same_circuit: Sample,
    /// From the request to its answer, over a connection that is there.
    pub(crate) handshake: Sample,
    /// From say to acknowledged.
    pub(crate) message: Sample,
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
    /// One guest after another comes in, says a few things, and stays.
    async fn all(&mut self, way: &Way, guests: usize) -> Outcome<Vec<Guest>> {
        let mut inside = Vec::with_capacity(guests);
        for number in 0..guests {
            let user = new_user("guest");
            let (mut guest, took, _) = come_in(way, &user).await?;
            self.new_circuit.add(took);
            guest.hello().await?;
            for id in 0..MESSAGES {
                let said = Instant::now();
                guest.say(&format!("v{number}-{id}"), "good evening").await?;
                self.message.add(said.elapsed());
            }
            let (_, took, handshake) = come_in(way, &user).await?;
            self.same_circuit.add(took);
            self.handshake.add(handshake);
            inside.push(guest);
        }
        Ok(inside)
    }
}

/// Connects and shakes hands; answers with how long both took, and the handshake of it.
async fn come_in(way: &Way, user: &str) -> Outcome<(Guest, std::time::Duration, std::time::Duration)> {
    let tally = std::sync::Arc::<Tally>::default();
    let asked = Instant::now();
    let io = way.connect_counted(user, &tally).await?;
    let connected = Instant::now();
    let guest = Guest::connect(io, &tally, &way.host).await?;
    Ok((guest, asked.elapsed(), connected.elapsed()))
}
