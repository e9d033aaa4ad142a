//! An onion service in front of a room: onionroom's own, or C Tor's in front of onionroom without Tor.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use onionroom::lab::Network;
use onionroom_bench::program::{Build, Program};
use onionroom_bench::{Outcome, process, within};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::guests::{Guests, Route};

/// Between one guest and the next. The Tor client builds circuits in advance; more guests at once would wait for it.
const PAUSE: Duration = Duration::from_millis(500);

/// For one attempt to connect while the descriptor may not be published yet.
const ATTEMPT: Duration = Duration::from_secs(10);

/// Whose onion service.
pub(crate) enum Kind {
    /// Onionroom's own, by Arti, with so many threads; `None` for the build's default.
    Arti(Build, Option<u16>),
    /// C Tor's; this build is behind it.
    CTor(Build),
}

/// A running service and its guests.
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) guests: Guests,
    programs: Vec<Program>,
    _home: TempDir,
}

impl Service {
    /// Starts the programs and waits until the service can be reached.
    pub(crate) async fn start(kind: &Kind, network: &Network) -> Outcome<Self> {
        let home = tempfile::tempdir()?;
        let (Kind::Arti(build, _) | Kind::CTor(build)) = kind;
        let mut command = Command::new("env");
        command.args(build.unlimited().await?).arg(&build.path);
        // No load of guests is to find the room full, nor those of the round before in their seats.
        command.args(["serve", "--guests", "1000", "--listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(home.path().join("data"));
        match kind {
            Kind::Arti(_, threads) => {
                command
                    .args(threads.iter().flat_map(|threads| ["--threads".to_owned(), threads.to_string()]));
                command.arg("--network-file").arg(network.network_file())
            }
            Kind::CTor(_) => command.arg("--no-onion"),
        };
        let mut room = Program::start(command, home.path())?;
        let (name, programs, host, onion) = match kind {
            Kind::Arti(build, threads) => {
                let url = room.line("room: http://").await?;
                let onion = url.trim_end_matches('/').to_owned();
                let name = match threads {
                    None => build.name.clone(),
                    Some(threads) => format!("{}, {threads} threads", build.name),
                };
                (name, vec![room], onion.clone(), onion)
            }
            Kind::CTor(_) => {
                let url = room.line("local: http://").await?;
                let host = url.trim_end_matches('/').to_owned();
                let tor = Program::start(c_tor(network, home.path(), &host)?, home.path())?;
                let onion = within("address of C Tor's service", address(home.path())).await?;
                ("C Tor's onion service".to_owned(), vec![tor, room], host, onion)
            }
        };
        let guests = Guests::new(Route { proxy: network.socks(), onion, host });
        let reached = async { while !matches!(timeout(ATTEMPT, guests.probe()).await, Ok(Ok(()))) {} };
        within("connection to the onion service", reached).await?;
        Ok(Self { name, guests, programs, _home: home })
    }

    /// CPU seconds of all processes so far.
    pub(crate) fn cpu(&self) -> Outcome<f64> {
        self.programs.iter().map(|program| Ok(process::cpu(program.id()?))).sum()
    }

    /// Resident bytes of all processes.
    pub(crate) fn resident(&self) -> Outcome<u64> {
        self.programs.iter().map(|program| Ok(process::resident(program.id()?))).sum()
    }

    /// Ends the processes.
    pub(crate) async fn stop(self) -> Outcome<()> {
        drop(self.guests);
        for program in self.programs {
            program.terminate().await?;
        }
        Ok(())
    }
}

/// Connects guests to all services in turn until each has this many.
pub(crate) async fn connect(services: &mut [Service], guests: usize) -> Outcome<()> {
    while services.iter().any(|service| service.guests.len() < guests) {
        for service in services.iter_mut().filter(|service| service.guests.len() < guests) {
            service.guests.connect().await?;
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

/// C Tor as an onion service on the private network, forwarding to `room`.
fn c_tor(network: &Network, home: &Path, room: &str) -> Outcome<Command> {
    let _: SocketAddr = room.parse()?;
    // The private network is described in the configuration of its client.
    let client = fs::read_to_string(network.directory().join("client/torrc"))?;
    let options = ["TestingTorNetwork ", "Address ", "AssumeReachable ", "DirAuthority "];
    let network = client.lines().filter(|line| options.iter().any(|option| line.starts_with(option)));
    let home = home.display();
    let torrc = format!(
        "{}\nSocksPort 0\nLog notice stdout\nShutdownWaitLength 0\n__OwningControllerProcess {}\n\
         DataDirectory \"{home}/tor\"\nHiddenServiceDir \"{home}/service\"\nHiddenServicePort 80 {room}\n",
        network.collect::<Vec<_>>().join("\n"),
        std::process::id()
    );
    let (file, defaults) = (format!("{home}/torrc"), format!("{home}/torrc-defaults"));
    fs::write(&file, torrc)?;
    fs::write(&defaults, "")?;
    let mut command = Command::new("tor");
    command.args(["--defaults-torrc", &defaults, "-f", &file]);
    Ok(command)
}

/// The address that C Tor writes to a file.
async fn address(home: &Path) -> String {
    loop {
        match fs::read_to_string(home.join("service/hostname")) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => sleep(Duration::from_millis(20)).await,
        }
    }
}
