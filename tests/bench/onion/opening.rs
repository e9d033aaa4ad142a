//! What opening the room costs a browser with an empty cache, from the address to the first message.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::Duration;

use onionroom::lab::Network;
use tokio::time::Instant;

use crate::kit::Outcome;
use crate::kit::client::{self, Client};
use crate::kit::program::Program;
use crate::kit::way::{Way, new_user};
use crate::kit::websocket::Guest;
use crate::kit::wire::{Counts, Tally};

/// The steps, each with all that went over the wire up to its end, and when that was.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) steps: Vec<(&'static str, Counts, Duration)>,
}

/// One guest opens the page as Tor Browser would, comes in and says something.
pub(crate) async fn measure(network: &Network) -> Outcome<Opening> {
    let home = tempfile::tempdir()?;
    let words = [OsStr::new("--network-file"), network.network_file().as_os_str()];
    let mut room = Program::serve(home.path(), &words)?;
    let way = Way::onion(&room.told("reachable").await?, network);
    way.reach().await?;

    let (tally, user, opened) = (Arc::<Tally>::default(), new_user("browser"), Instant::now());
    let mut steps = Vec::new();
    let mut step = |what| steps.push((what, tally.read(), opened.elapsed()));
    let io = way.connect_counted(&user, &tally).await?;
    let mut page = Client::new(io, &tally, &way.host);
    page.ask("GET /", client::NAVIGATE, "").await?;
    step("the page is there");
    let io = way.connect_counted(&user, &tally).await?;
    let mut guest = Guest::connect(io, &tally, &way.host).await?;
    step("the handshake is done");
    guest.hello().await?;
    step("in the room");
    guest.say("1", "good evening").await?;
    step("the first message is said and acknowledged");
    room.end().await?;
    Ok(Opening { steps })
}
