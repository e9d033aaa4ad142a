//! An onion service that leads to a room: the room's own, or C Tor's before a room without one.

use std::ffi::OsStr;
use std::path::Path;

use onionroom::lab::Network;
use tokio::time::{Duration, Instant};

use super::c_tor;
use crate::kit::Outcome;
use crate::kit::process::Threads;
use crate::kit::program::{Program, ROOM};
use crate::kit::way::Way;

/// Whose onion service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Room,
    CTor,
    /// The room's own, of another build of the program.
    Other(&'static Path),
}

impl Kind {
    /// What it is called in the tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Room => "onionroom",
            Kind::CTor => "C Tor's onion service",
            Kind::Other(program) => program.to_str().unwrap_or("another build"),
        }
    }
}

/// A room and an onion service that leads to it.
pub(crate) struct Service {
    /// The process that is the onion service.
    pub(crate) onion: Program,
    /// The room behind it, if that is another process.
    room: Option<Program>,
    /// The way in.
    pub(crate) way: Way,
    /// When the address was known.
    pub(crate) address_known: Instant,
}

impl Service {
    /// Starts it with its data below `home`, and waits for its address.
    pub(crate) async fn start(kind: Kind, network: &Network, home: &Path) -> Outcome<Self> {
        Self::start_with(kind, network, home, c_tor::ALONE).await
    }

    /// The same with these lines in the configuration of C Tor, where it is C Tor's.
    pub(crate) async fn start_with(kind: Kind, network: &Network, home: &Path, lines: &str) -> Outcome<Self> {
        match kind {
            Kind::Room | Kind::Other(_) => {
                let program = if let Kind::Other(program) = kind { program } else { Path::new(ROOM) };
                let words = vec![OsStr::new("--network-file"), network.network_file().as_os_str()];
                let mut onion = Program::serve_with(program, home, &words)?;
                let url = |line: &str| Some(line.strip_prefix("room: ")?.to_owned());
                let (address_known, url) = onion.heard("its address", url).await?;
                Ok(Self { onion, room: None, way: Way::onion(&url, network), address_known })
            }
            Kind::CTor => {
                let words = vec![OsStr::new("--no-onion")];
                let mut room = Program::serve(home, &words)?;
                let url = room.told("local").await?;
                let onion = Program::start(c_tor::command(network, home, &url, lines)?, home)?;
                let (address_known, address) = c_tor::address(home).await?;
                let way = Way::forwarded(&url, &address, network);
                Ok(Self { onion, room: Some(room), way, address_known })
            }
        }
    }

    /// Waits until Tor is ready to build circuits; answers with when it said so.
    pub(crate) async fn ready(&mut self) -> Outcome<Instant> {
        // Arti's bootstrap, and C Tor's: then what belongs to the onion service begins.
        let after = ["Tor: establishing", "Tor: publishing", "Tor: checking", "Reachable"];
        let ready = |line: &str| {
            let over =
                after.iter().any(|words| line.starts_with(words)) || line.contains("Bootstrapped 100%");
            over.then_some(())
        };
        Ok(self.onion.heard("that Tor is ready", ready).await?.0)
    }

    /// Resident memory of all processes, in bytes.
    pub(crate) fn resident(&self) -> Outcome<u64> {
        self.processes().map(Program::resident).sum()
    }

    /// The sum of the most memory that each process ever had, in bytes.
    pub(crate) fn resident_peak(&self) -> Outcome<u64> {
        self.processes().map(Program::resident_peak).sum()
    }

    /// What all processes have computed so far.
    pub(crate) fn computed(&self) -> Outcome<Vec<Threads>> {
        self.processes().map(Program::threads).collect()
    }

    /// The processor time that all processes took since `earlier`.
    pub(crate) fn computed_since(&self, earlier: &[Threads]) -> Outcome<Duration> {
        Ok(self.computed()?.iter().zip(earlier).map(|(now, earlier)| now.since(earlier)).sum())
    }

    fn processes(&self) -> impl Iterator<Item = &Program> {
        std::iter::once(&self.onion).chain(&self.room)
    }

    /// Ends its processes.
    pub(crate) async fn end(self) -> Outcome<()> {
        self.onion.end().await?;
        match self.room {
            Some(room) => room.end().await,
            None => Ok(()),
        }
    }
}
