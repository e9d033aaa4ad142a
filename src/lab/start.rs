//! Starting the network: every step waits for a condition, none for a clock.
//!
//! Left to themselves, C Tor's nodes would take minutes to find each other: authorities vote at fixed times,
//! and whoever asks too early asks again at random. So the first vote is called when every authority knows
//! every relay, the relays are told when there is a consensus to fetch, and the client starts when they have
//! it.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::files::{self, Directory};
use super::plan::{Place, Prepared};
use super::process::{Node, Nodes};
use super::{Control, ControlError, LabError, Network, Progress, keys, torrc};

/// How long the whole network may take. It takes about 15 seconds on two idle cores.
const DEADLINE: Duration = Duration::from_secs(120);

/// How often something that is awaited is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// The voting interval for the first consensus; must divide [`torrc::WAITING_SECONDS`].
const FIRST_VOTE_SECONDS: u64 = 10;

/// How far ahead the first consensus is scheduled: 4 seconds of voting and signing, and 2 to spare for
/// telling every authority.
const FIRST_VOTE_AHEAD: u64 = 6;

/// Starts everything that was prepared.
pub(super) async fn start(prepared: Prepared, progress: impl FnMut(Progress)) -> Result<Network, LabError> {
    let since = Instant::now();
    let mut start = Start { step: None, nodes: Nodes::default(), directory: None, progress };
    match tokio::time::timeout(DEADLINE, start.run(prepared)).await {
        Ok(started) => {
            let network = started?;
            start.tell(Progress::Ready { took: since.elapsed() });
            Ok(network)
        }
        Err(_) => {
            let step = start.step.map_or_else(|| "about to start".into(), |step| step.to_string());
            Err(LabError::Deadline { step, after: DEADLINE })
        }
    }
}

/// The start under way. Whatever ends it early, the processes end and then the directory goes.
struct Start<P> {
    step: Option<Progress>,
    nodes: Nodes,
    /// Dropped after the nodes, which still write to it.
    directory: Option<Directory>,
    progress: P,
}

impl<P: FnMut(Progress)> Start<P> {
    async fn run(&mut self, prepared: Prepared) -> Result<Network, LabError> {
        let Prepared { directory, programs, network_file, shared, authorities, relays, client } = prepared;
        let path = self.directory.insert(directory).path().to_path_buf();
        let defaults = path.join("torrc-defaults");
        files::write(&defaults, "")?;
        files::write(&shared.bandwidths, torrc::bandwidths(now(), &[]))?;

        let number_of_authorities = authorities.len();
        for (index, place) in authorities.into_iter().enumerate() {
            self.tell(Progress::StartingAuthority { number: index + 1, of: number_of_authorities });
            self.spawn(&programs.tor, place, &defaults)?;
        }
        let number_of_relays = relays.len();
        for (index, place) in relays.into_iter().enumerate() {
            self.tell(Progress::StartingRelay { number: index + 1, of: number_of_relays });
            self.spawn(&programs.tor, place, &defaults)?;
        }

        let fingerprints = self.fingerprints().await?;
        files::write(&shared.bandwidths, torrc::bandwidths(now(), &fingerprints))?;
        let mut controls = self.controls().await?;
        let (authorities, relays) = controls.split_at_mut(number_of_authorities);
        self.introduce(authorities).await?;
        self.vote(authorities).await?;
        self.spread(relays).await?;

        let [socks, control] = [client.ports[0].address(), client.ports[1].address()];
        let cookie = torrc::cookie_file(&client.data);
        self.spawn(&programs.tor, client, &defaults)?;
        self.connect_client().await?;
        let nodes = std::mem::take(&mut self.nodes);
        let directory = self.directory.take();
        Ok(Network { nodes, directory, path, network_file, socks, control, cookie })
    }

    fn tell(&mut self, step: Progress) {
        if self.step != Some(step) {
            self.step = Some(step);
            (self.progress)(step);
        }
    }

    fn spawn(&mut self, tor: &Path, place: Place, defaults: &Path) -> Result<(), LabError> {
        let torrc = place.torrc();
        drop(place.ports); // The node takes them now.
        self.nodes.0.push(Node::start(tor, &place.nickname, &place.data, &torrc, defaults)?);
        Ok(())
    }

    /// Waits for the next look, and fails if a node has ended meanwhile.
    async fn look_again(&mut self) -> Result<(), LabError> {
        tokio::time::sleep(LOOK).await;
        self.nodes.0.iter_mut().try_for_each(Node::check)
    }

    /// The names and RSA fingerprints of all nodes so far, which each writes when it has its keys.
    async fn fingerprints(&mut self) -> Result<Vec<(String, String)>, LabError> {
        let mut found = Vec::new();
        for index in 0..self.nodes.0.len() {
            let path = self.nodes.0[index].data().join("fingerprint");
            let fingerprint = loop {
                match keys::fingerprint_in(&path)? {
                    Some(fingerprint) => break fingerprint,
                    None => self.look_again().await?,
                }
            };
            found.push((self.nodes.0[index].nickname().to_owned(), fingerprint));
        }
        Ok(found)
    }

    /// Connections to the control ports of all nodes so far.
    async fn controls(&mut self) -> Result<Vec<(String, Control)>, LabError> {
        let mut controls = Vec::new();
        for index in 0..self.nodes.0.len() {
            controls.push((self.nodes.0[index].nickname().to_owned(), self.control(index).await?));
        }
        Ok(controls)
    }

    /// A connection to one node's control port, as soon as it is there.
    async fn control(&mut self, index: usize) -> Result<Control, LabError> {
        let data = self.nodes.0[index].data().to_path_buf();
        loop {
            // The file has the form `PORT=127.0.0.1:1234`, and is written when the port is open.
            let text = std::fs::read_to_string(torrc::control_port_file(&data)).unwrap_or_default();
            let address = text.trim().strip_prefix("PORT=").and_then(|address| address.parse().ok());
            if let Some(address) = address {
                match Control::connect(address, &torrc::cookie_file(&data)).await {
                    Ok(control) => return Ok(control),
                    Err(ControlError::Io(_)) => {} // The port is open a moment before the cookie is there.
                    Err(cause) => {
                        return Err(LabError::Control { node: self.nodes.0[index].nickname().into(), cause });
                    }
                }
            }
            self.look_again().await?;
        }
    }

    /// Waits until every authority has every relay's descriptor.
    async fn introduce(&mut self, controls: &mut [(String, Control)]) -> Result<(), LabError> {
        let of = self.nodes.0.len();
        loop {
            let mut known = of;
            for (node, control) in controls.iter_mut() {
                let descriptors = ask(node, control, "desc/all-recent").await?;
                known = known.min(descriptors.iter().filter(|line| line.starts_with("router ")).count());
            }
            self.tell(Progress::Introducing { known, of });
            if known >= of {
                return Ok(());
            }
            self.look_again().await?;
        }
    }

    /// Has the authorities vote now, and waits until all of them hold a consensus with every relay.
    async fn vote(&mut self, controls: &mut [(String, Control)]) -> Result<(), LabError> {
        self.tell(Progress::Voting);
        let offset = (now() + FIRST_VOTE_AHEAD) % FIRST_VOTE_SECONDS;
        let command = format!(
            "SETCONF TestingV3AuthInitialVotingInterval={FIRST_VOTE_SECONDS} \
             TestingV3AuthVotingStartOffset={offset}"
        );
        for (node, control) in controls.iter_mut() {
            tell(node, control, &command).await?;
        }
        let of = self.nodes.0.len();
        for (node, control) in controls.iter_mut() {
            while ask(node, control, "ns/all").await?.iter().filter(|line| line.starts_with("r ")).count()
                < of
            {
                self.look_again().await?;
            }
        }
        Ok(())
    }

    /// Waits until every relay has the consensus and knows all others by it.
    ///
    /// Left alone they would ask again at random, up to 20 seconds later, and a client that asks one of them
    /// before waits for another 10. A reload makes them ask at once.
    async fn spread(&mut self, controls: &mut [(String, Control)]) -> Result<(), LabError> {
        for (node, control) in controls.iter_mut() {
            tell(node, control, "SIGNAL RELOAD").await?;
        }
        let of = controls.len();
        for (have, (node, control)) in controls.iter_mut().enumerate() {
            self.tell(Progress::Spreading { have, of });
            while ask(node, control, "status/enough-dir-info").await? != ["1"] {
                self.look_again().await?;
            }
        }
        Ok(())
    }

    /// Waits until the client, the newest node, can build circuits.
    async fn connect_client(&mut self) -> Result<(), LabError> {
        self.tell(Progress::ConnectingClient { percent: 0 });
        let index = self.nodes.0.len() - 1;
        let mut control = self.control(index).await?;
        loop {
            let phase = ask("client", &mut control, "status/bootstrap-phase").await?.join(" ");
            let percent = phase
                .split(' ')
                .find_map(|word| word.strip_prefix("PROGRESS="))
                .and_then(|percent| percent.parse().ok())
                .unwrap_or(0);
            self.tell(Progress::ConnectingClient { percent });
            if percent >= 100 {
                return Ok(());
            }
            self.look_again().await?;
        }
    }
}

async fn tell(node: &str, control: &mut Control, command: &str) -> Result<(), LabError> {
    let told = control.command(command).await;
    told.map(drop).map_err(|cause| LabError::Control { node: node.to_owned(), cause })
}

async fn ask(node: &str, control: &mut Control, key: &str) -> Result<Vec<String>, LabError> {
    control.get_info(key).await.map_err(|cause| LabError::Control { node: node.to_owned(), cause })
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
