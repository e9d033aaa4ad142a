//! Starts a prepared network. Every step waits for a condition, none for a fixed time.
//!
//! By themselves C Tor's nodes take minutes to find each other: authorities vote at fixed times, and nodes that ask too
//! early ask again after a random delay. So the first vote is scheduled when every authority has every relay's
//! descriptor, the relays are told to fetch the consensus when there is one, and the client starts when they have it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use super::control::{Control, ControlError};
use super::distance::Forwarders;
use super::error::LabError;
use super::network::Network;
use super::node_spec::NodeSpec;
use super::plan::Prepared;
use super::process::{Node, Nodes};
use super::progress::Progress;
use super::torrc::{self, CommonOptions};
use super::{files, keys};

/// The limit for starting the whole network. It takes about 15 seconds on two idle cores.
const DEADLINE: Duration = Duration::from_secs(240);

/// The interval at which a condition is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The voting interval for the first consensus; must divide [`torrc::WAITING_SECONDS`].
const FIRST_VOTE_SECONDS: u64 = 10;

/// The seconds from the command to the first consensus: 4 for voting and signing, and 2 for sending the command to
/// every authority.
const FIRST_VOTE_AHEAD: u64 = 6;

impl Prepared {
    /// Starts every node and waits until onion services can be reached through the client.
    ///
    /// # Errors
    /// When a node cannot be started or ends, or the network is not ready within four minutes. All processes are
    /// ended then, and the directory is removed.
    pub async fn start(self, progress: impl FnMut(Progress)) -> Result<Network, LabError> {
        let since = Instant::now();
        let Prepared { directory, programs, network_file, options, authorities, relays, client, distance } =
            self;
        let [socks, control] = [client.ports[0].address(), client.ports[1].address()];
        let cookie = torrc::cookie_file(&client.data);
        let forwarders = match distance.is_zero() {
            true => None,
            false => Some(Forwarders::new(distance).map_err(LabError::Distance)?),
        };
        let mut startup = Startup {
            step: None,
            nodes: Nodes::default(),
            forwarders,
            directory,
            tor: programs.tor,
            progress,
        };
        let steps = startup.run(&options, authorities, relays, client);
        match tokio::time::timeout(DEADLINE, steps).await {
            Ok(done) => done?,
            Err(_) => {
                let step = startup.step.map_or_else(|| "about to start".into(), |step| step.to_string());
                return Err(LabError::Deadline { step, after: DEADLINE });
            }
        }
        startup.report(Progress::Ready { took: since.elapsed() });
        let Startup { nodes, forwarders, directory, .. } = startup;
        Ok(Network { nodes, forwarders, directory, network_file, socks, control, cookie })
    }
}

/// The start under way. Dropping it ends the processes and removes the directory.
struct Startup<P> {
    step: Option<Progress>,
    nodes: Nodes,
    /// What makes the distance between them, if there is any.
    forwarders: Option<Forwarders>,
    /// Dropped after the nodes, which still write to it.
    directory: TempDir,
    /// The path of the program `tor`.
    tor: PathBuf,
    progress: P,
}

impl<P: FnMut(Progress)> Startup<P> {
    async fn run(
        &mut self,
        options: &CommonOptions,
        authorities: Vec<NodeSpec>,
        relays: Vec<NodeSpec>,
        client: NodeSpec,
    ) -> Result<(), LabError> {
        let defaults = self.directory.path().join("torrc-defaults");
        files::write(&defaults, "")?;
        files::write(&options.bandwidths, torrc::bandwidths(unix_seconds(), &[]))?;

        let number_of_authorities = authorities.len();
        for (index, node) in authorities.into_iter().enumerate() {
            self.report(Progress::StartingAuthority { number: index + 1, of: number_of_authorities });
            self.spawn(node, &defaults)?;
        }
        let number_of_relays = relays.len();
        for (index, node) in relays.into_iter().enumerate() {
            self.report(Progress::StartingRelay { number: index + 1, of: number_of_relays });
            self.spawn(node, &defaults)?;
        }

        let fingerprints = self.fingerprints().await?;
        files::write(&options.bandwidths, torrc::bandwidths(unix_seconds(), &fingerprints))?;
        let mut controls = self.control_connections().await?;
        let (authorities, relays) = controls.split_at_mut(number_of_authorities);
        self.wait_for_descriptors(authorities).await?;
        self.make_consensus(authorities).await?;
        self.distribute_consensus(relays).await?;

        self.spawn(client, &defaults)?;
        self.wait_for_client().await
    }

    fn report(&mut self, step: Progress) {
        if self.step != Some(step) {
            self.step = Some(step);
            (self.progress)(step);
        }
    }

    fn spawn(&mut self, node: NodeSpec, defaults: &Path) -> Result<(), LabError> {
        let torrc = node.torrc();
        let NodeSpec { nickname, data, mut ports, behind } = node;
        if let (Some(forwarders), Some(behind)) = (&self.forwarders, behind) {
            let listener = ports.remove(0).listen();
            let added = listener.and_then(|listener| forwarders.add(listener, behind.address()));
            added.map_err(LabError::Distance)?;
        }
        drop(ports); // The process binds them now.
        self.nodes.0.push(Node::start(&self.tor, &nickname, &data, &torrc, defaults)?);
        Ok(())
    }

    /// Waits before a condition is checked again; fails if a node has ended.
    async fn wait_before_retry(&mut self) -> Result<(), LabError> {
        tokio::time::sleep(POLL_INTERVAL).await;
        self.nodes.0.iter_mut().try_for_each(Node::check)
    }

    /// The nicknames and RSA fingerprints of all nodes so far; each node writes a file when it has its keys.
    async fn fingerprints(&mut self) -> Result<Vec<(String, String)>, LabError> {
        let mut found = Vec::new();
        for index in 0..self.nodes.0.len() {
            let path = self.nodes.0[index].data().join("fingerprint");
            let fingerprint = loop {
                match keys::fingerprint_in(&path)? {
                    Some(fingerprint) => break fingerprint,
                    None => self.wait_before_retry().await?,
                }
            };
            found.push((self.nodes.0[index].nickname().to_owned(), fingerprint));
        }
        Ok(found)
    }

    /// Connections to the control ports of all nodes so far.
    async fn control_connections(&mut self) -> Result<Vec<(String, Control)>, LabError> {
        let mut controls = Vec::new();
        for index in 0..self.nodes.0.len() {
            controls.push((self.nodes.0[index].nickname().to_owned(), self.control_connection(index).await?));
        }
        Ok(controls)
    }

    /// A connection to one node's control port; waits until it is open.
    async fn control_connection(&mut self, index: usize) -> Result<Control, LabError> {
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
            self.wait_before_retry().await?;
        }
    }

    /// Waits until every authority has every relay's descriptor.
    async fn wait_for_descriptors(&mut self, controls: &mut [(String, Control)]) -> Result<(), LabError> {
        let of = self.nodes.0.len();
        loop {
            let mut collected = of;
            for (node, control) in controls.iter_mut() {
                let descriptors = get_info(node, control, "desc/all-recent").await?;
                collected =
                    collected.min(descriptors.iter().filter(|line| line.starts_with("router ")).count());
            }
            self.report(Progress::CollectingDescriptors { collected, of });
            if collected >= of {
                return Ok(());
            }
            self.wait_before_retry().await?;
        }
    }

    /// Has the authorities vote, and waits until all of them have a consensus with every relay.
    async fn make_consensus(&mut self, controls: &mut [(String, Control)]) -> Result<(), LabError> {
        self.report(Progress::Voting);
        let offset = (unix_seconds() + FIRST_VOTE_AHEAD) % FIRST_VOTE_SECONDS;
        let command = format!(
            "SETCONF TestingV3AuthInitialVotingInterval={FIRST_VOTE_SECONDS} \
             TestingV3AuthVotingStartOffset={offset}"
        );
        for (node, control) in controls.iter_mut() {
            send(node, control, &command).await?;
        }
        let of = self.nodes.0.len();
        for (node, control) in controls.iter_mut() {
            while get_info(node, control, "ns/all")
                .await?
                .iter()
                .filter(|line| line.starts_with("r "))
                .count()
                < of
            {
                self.wait_before_retry().await?;
            }
        }
        Ok(())
    }

    /// Waits until every relay has the consensus and the descriptors of all others.
    ///
    /// By themselves they ask again after a random delay of up to 20 seconds, and a client that asks one of them too
    /// early waits for another 10. A reload makes them ask at once.
    async fn distribute_consensus(&mut self, controls: &mut [(String, Control)]) -> Result<(), LabError> {
        for (node, control) in controls.iter_mut() {
            send(node, control, "SIGNAL RELOAD").await?;
        }
        let of = controls.len();
        for (updated, (node, control)) in controls.iter_mut().enumerate() {
            self.report(Progress::DistributingConsensus { updated, of });
            while get_info(node, control, "status/enough-dir-info").await? != ["1"] {
                self.wait_before_retry().await?;
            }
        }
        Ok(())
    }

    /// Waits until the client, the newest node, can build circuits.
    async fn wait_for_client(&mut self) -> Result<(), LabError> {
        self.report(Progress::ConnectingClient { percent: 0 });
        let index = self.nodes.0.len() - 1;
        let mut control = self.control_connection(index).await?;
        loop {
            let phase = get_info("client", &mut control, "status/bootstrap-phase").await?.join(" ");
            let percent = phase
                .split(' ')
                .find_map(|word| word.strip_prefix("PROGRESS="))
                .and_then(|percent| percent.parse().ok())
                .unwrap_or(0);
            self.report(Progress::ConnectingClient { percent });
            if percent >= 100 {
                return Ok(());
            }
            self.wait_before_retry().await?;
        }
    }
}

async fn send(node: &str, control: &mut Control, command: &str) -> Result<(), LabError> {
    let reply = control.command(command).await;
    reply.map(drop).map_err(|cause| LabError::Control { node: node.to_owned(), cause })
}

async fn get_info(node: &str, control: &mut Control, key: &str) -> Result<Vec<String>, LabError> {
    control.get_info(key).await.map_err(|cause| LabError::Control { node: node.to_owned(), cause })
}

/// Seconds since 1970.
fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
