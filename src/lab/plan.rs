//! The plan of a network, and its preparation: finds programs, reserves ports, makes keys, writes files.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future;
use tempfile::TempDir;

use super::error::LabError;
use super::node_spec::NodeSpec;
use super::programs::Programs;
use super::progress::Progress;
use super::torrc::{self, CommonOptions};
use super::{distance, files, keys};
use crate::tor::{Authority, PrivateNetwork};

/// The fewest relays, beside the authorities, with which rendezvous always succeeded, also with one authority.
const LEAST_RELAYS: usize = 3;

/// The size and the ports of a private network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The number of relays beside the authorities, which relay as well; 3 to 50, default 8.
    ///
    /// With 3 everything works, though a circuit crosses some relays twice and connecting takes longer than with
    /// 8; with fewer the client does not always bootstrap. Each relay takes 35 MB of memory, and up to 110 MB
    /// when it is busy.
    pub relays: usize,
    /// The number of directory authorities; 1 to 9, default 3.
    pub authorities: usize,
    /// The client's SOCKS port on 127.0.0.1; 0, the default, for any free one.
    pub socks_port: u16,
    /// The client's control port on 127.0.0.1; 0, the default, for any free one.
    pub control_port: u16,
    /// How long a byte takes from one node to the next, in one direction; 0, the default, for as long as it takes on this
    /// machine, and at most 200 ms. Some 40 ms are as in the public network.
    ///
    /// It is made by a forwarder before each relay's and authority's OR port, so connecting takes a round trip as well.
    /// A circuit of three hops takes twelve times as long to build, a visit of a room about as much again.
    pub distance: Duration,
    /// The least time that clients and services give the building of a circuit, whatever they have learned; 5 s by default.
    /// In the public network, where nothing is built in milliseconds, it is 10 ms.
    pub build_timeout_min: Duration,
    /// The path of the program `tor`; `None` to look for it on `PATH`.
    pub tor: Option<PathBuf>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            relays: 8,
            authorities: 3,
            socks_port: 0,
            control_port: 0,
            distance: Duration::ZERO,
            build_timeout_min: torrc::BUILD_TIMEOUT_MIN,
            tor: None,
        }
    }
}

/// A network that is ready to start: keys and files exist and ports are reserved, but no process runs and every
/// connection is refused. Its files are in a temporary directory, which is removed at the end.
#[derive(Debug)]
pub struct Prepared {
    pub(super) directory: TempDir,
    pub(super) programs: Programs,
    pub(super) network_file: PathBuf,
    pub(super) options: CommonOptions,
    pub(super) authorities: Vec<NodeSpec>,
    pub(super) relays: Vec<NodeSpec>,
    pub(super) client: NodeSpec,
    /// One way from one node to the next.
    pub(super) distance: Duration,
}

impl Plan {
    /// Finds `tor`, reserves ports, makes keys and writes the files; takes about 3 seconds.
    ///
    /// # Errors
    /// When a number is out of range, `tor` is not installed, a port is in use, or the files or keys cannot be made.
    pub async fn prepare(self, mut progress: impl FnMut(Progress)) -> Result<Prepared, LabError> {
        self.check()?;
        let programs = Programs::find(self.tor.as_deref())?;
        let client_ports = [self.socks_port, self.control_port];
        let directory = files::network_directory()?;
        if !torrc::can_quote(directory.path()) {
            return Err(LabError::DirectoryName(directory.path().into()));
        }
        let client = NodeSpec::new(directory.path(), "client".into(), &client_ports)?;
        let node = |kind: &str, number: usize, ports: &[u16]| {
            let node = NodeSpec::new(directory.path(), format!("{kind}{number}"), ports)?;
            if self.distance.is_zero() { Ok(node) } else { node.behind_forwarder() }
        };
        let authorities: Vec<NodeSpec> = (1..=self.authorities)
            .map(|number| node("authority", number, &[0, 0]))
            .collect::<Result<_, _>>()?;
        let relays: Vec<NodeSpec> =
            (1..=self.relays).map(|number| node("relay", number, &[0])).collect::<Result<_, _>>()?;

        progress(Progress::MakingKeys { authorities: authorities.len() });
        let options = CommonOptions {
            authorities: make_keys(&programs, &authorities).await?,
            build_timeout_min: self.build_timeout_min,
            owner: std::process::id(),
            bandwidths: directory.path().join("bandwidths"),
        };
        for authority in &authorities {
            let (or, dir) = (authority.or_port(), authority.ports[1].address());
            let text = torrc::authority(&authority.nickname, &authority.data, or, dir, &options);
            files::write(&authority.torrc(), text)?;
        }
        for relay in &relays {
            let text = torrc::relay(&relay.nickname, &relay.data, relay.or_port(), &options);
            files::write(&relay.torrc(), text)?;
        }
        let [socks, control] = [client.ports[0].address(), client.ports[1].address()];
        let text = torrc::client(&client.nickname, &client.data, socks, control, &options);
        files::write(&client.torrc(), text)?;

        let network_file = directory.path().join("network.toml");
        let known = options.authorities.iter().map(|(authority, _)| authority.clone()).collect();
        PrivateNetwork { authorities: known }.write(&network_file)?;
        let distance = self.distance;
        Ok(Prepared { directory, programs, network_file, options, authorities, relays, client, distance })
    }

    fn check(&self) -> Result<(), LabError> {
        const RELAYS: &str = "onion services need relays for several hops, and each one takes memory";
        const AUTHORITIES: &str = "a consensus needs somebody to vote, and the public network has nine";
        for (name, given, least, most, why) in [
            ("relays", self.relays, LEAST_RELAYS, 50, RELAYS),
            ("authorities", self.authorities, 1, 9, AUTHORITIES),
        ] {
            if !(least..=most).contains(&given) {
                return Err(LabError::OutOfRange { name, least, most, given, why });
            }
        }
        if self.distance > distance::MAX {
            return Err(LabError::TooFar { given: self.distance, most: distance::MAX });
        }
        Ok(())
    }
}

impl Prepared {
    /// The description of this network, for the room's setting `onion.network_file`.
    pub fn network_file(&self) -> &Path {
        &self.network_file
    }
}

/// Makes the keys of all authorities concurrently; each with the address of its `DirPort`.
async fn make_keys(
    programs: &Programs,
    authorities: &[NodeSpec],
) -> Result<Vec<(Authority, SocketAddr)>, LabError> {
    let making = authorities.iter().map(|node| async move {
        let [or, dir] = [node.ports[0].address(), node.ports[1].address()];
        let authority = keys::make(programs, node.nickname.clone(), &node.data, or, dir).await?;
        Ok((authority, dir))
    });
    future::try_join_all(making).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    #[tokio::test]
    async fn numbers_out_of_range_say_what_is_allowed_and_why() {
        for (plan, words) in [
            (Plan { relays: 2, ..Plan::default() }, ["relays", "3 to 50", "hops"]),
            (Plan { relays: 51, ..Plan::default() }, ["relays", "not 51", "memory"]),
            (Plan { distance: Duration::from_secs(3), ..Plan::default() }, ["200 ms", "not 3s", "one hop"]),
            (Plan { authorities: 0, ..Plan::default() }, ["authorities", "1 to 9", "vote"]),
        ] {
            let said = plan.prepare(|_| ()).await.unwrap_err().to_string();
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
    }
}
