//! The rooms under test, and a Tor client of the attackers' own.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use onionroom::lab::{Control, Network};
use onionroom_bench::program::{Build, Program};
use onionroom_bench::{Outcome, process, within};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::route::Route;

/// For one attempt to connect while the descriptor may not be published yet.
const ATTEMPT: Duration = Duration::from_secs(10);

/// A room at its default limits.
pub(crate) struct Room {
    program: Program,
    pub(crate) route: Route,
    _home: TempDir,
}

impl Room {
    /// Starts a room and waits until it can be reached.
    pub(crate) async fn start(build: &Build, network: &Network) -> Outcome<Self> {
        let home = tempfile::tempdir()?;
        let mut command = Command::new(&build.path);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(home.path().join("data"));
        command.arg("--network-file").arg(network.network_file());
        let mut program = Program::start(command, home.path())?;
        let onion = program.line("room: http://").await?.trim_end_matches('/').to_owned();
        let route = Route { proxy: network.socks(), onion };
        let reached = async {
            while !matches!(timeout(ATTEMPT, route.connect(&route.new_circuit())).await, Ok(Ok(_))) {}
        };
        within("connection to the room", reached).await?;
        Ok(Self { program, route, _home: home })
    }

    /// Its process.
    pub(crate) fn id(&self) -> Outcome<u32> {
        self.program.id()
    }

    /// Ends it.
    pub(crate) async fn stop(self) -> Outcome<()> {
        self.program.terminate().await
    }
}

/// The Tor client of the attackers: their work is not done by the process that serves the honest.
pub(crate) struct Client {
    program: Program,
    control: SocketAddr,
    pub(crate) socks: SocketAddr,
    home: TempDir,
}

/// Counts circuits of a client until it is dropped.
pub(crate) struct Circuits {
    counted: Arc<Mutex<Counted>>,
    task: JoinHandle<Outcome<()>>,
}

#[derive(Default)]
struct Counted {
    numbers: BTreeSet<u64>,
    most: usize,
}

impl Client {
    /// Starts it and waits until it has a directory.
    pub(crate) async fn start(network: &Network) -> Outcome<Self> {
        let home = tempfile::tempdir()?;
        // The private network is described in the configuration of its client.
        let client = fs::read_to_string(network.directory().join("client/torrc"))?;
        let options = ["TestingTorNetwork ", "Address ", "AssumeReachable ", "DirAuthority "];
        let lines = client.lines().filter(|line| options.iter().any(|option| line.starts_with(option)));
        let directory = home.path().display();
        let torrc = format!(
            "{}\nSocksPort auto\nControlPort auto\nControlPortWriteToFile \"{directory}/port\"\n\
             CookieAuthentication 1\nCookieAuthFile \"{directory}/cookie\"\nDataDirectory \"{directory}/tor\"\n\
             Log notice stdout\nShutdownWaitLength 0\n__OwningControllerProcess {}\nClientOnly 1\n\
             MaxClientCircuitsPending 256\n",
            lines.collect::<Vec<_>>().join("\n"),
            std::process::id()
        );
        let (file, defaults) = (home.path().join("torrc"), home.path().join("torrc-defaults"));
        fs::write(&file, torrc)?;
        fs::write(&defaults, "")?;
        let mut command = Command::new("tor");
        command.arg("--defaults-torrc").arg(&defaults).arg("-f").arg(&file);
        let program = Program::start(command, home.path())?;
        let started = async {
            loop {
                sleep(Duration::from_millis(100)).await;
                let port = fs::read_to_string(home.path().join("port")).unwrap_or_default();
                let Some(port) = port.trim().strip_prefix("PORT=") else { continue };
                let address = port.parse()?;
                let mut control = Control::connect(address, &home.path().join("cookie")).await?;
                while !control.get_info("status/bootstrap-phase").await?.concat().contains("PROGRESS=100 ") {
                    sleep(Duration::from_millis(100)).await;
                }
                let socks = control.get_info("net/listeners/socks").await?.concat();
                let socks = socks.trim_matches('"').parse()?;
                return Outcome::Ok((address, socks));
            }
        };
        let (control, socks) = within("second Tor client", started).await??;
        Ok(Self { program, control, socks, home })
    }

    /// Its process.
    pub(crate) fn id(&self) -> Outcome<u32> {
        self.program.id()
    }

    /// Counts the circuits that lead to this onion service, by looking at them once a second.
    pub(crate) fn watch_circuits(&self, onion: &str) -> Circuits {
        let (control, cookie) = (self.control, self.home.path().join("cookie"));
        let query = format!("REND_QUERY={}", onion.trim_end_matches(".onion"));
        let counted = Arc::<Mutex<Counted>>::default();
        let counting = Arc::clone(&counted);
        let task = tokio::spawn(async move {
            let mut control = Control::connect(control, &cookie).await?;
            loop {
                let status = control.get_info("circuit-status").await?;
                let joined = status
                    .iter()
                    .filter(|line| line.contains("HS_STATE=HSCR_JOINED") && line.contains(&query));
                let numbers: Vec<u64> =
                    joined.filter_map(|line| line.split(' ').next()?.parse().ok()).collect();
                {
                    let mut counted = counting.lock().unwrap_or_else(PoisonError::into_inner);
                    counted.most = counted.most.max(numbers.len());
                    counted.numbers.extend(numbers);
                }
                sleep(Duration::from_secs(1)).await;
            }
        });
        Circuits { counted, task }
    }
}

impl Circuits {
    /// All that were there, and the most at once.
    pub(crate) fn counts(&self) -> [usize; 2] {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        [counted.numbers.len(), counted.most]
    }
}

impl Drop for Circuits {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// CPU seconds of the relays, with the authorities, and of the client of the honest guests.
pub(crate) fn cpu(network: &Network) -> (f64, f64) {
    let (mut relays, mut client) = (0.0, 0.0);
    for node in fs::read_dir(network.directory()).into_iter().flatten().flatten() {
        let Ok(id) = fs::read_to_string(node.path().join("pid")) else { continue };
        let seconds = id.trim().parse().map_or(0.0, process::cpu);
        match node.file_name() == "client" {
            true => client += seconds,
            false => relays += seconds,
        }
    }
    (relays, client)
}
