//! What is wanted, and making it ready: programs found, ports reserved, keys made, files written.

use std::path::{Path, PathBuf};

use super::files::{self, Directory};
use super::ports::Reserved;
use super::program::Programs;
use super::torrc::{self, Common};
use super::{LabError, Network, Progress, keys, start};
use crate::tor::PrivateNetwork;

/// The fewest relays, beside the authorities, with which rendezvous worked every time, with one authority as
/// well.
const LEAST_RELAYS: usize = 3;

/// A private network as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How many relays, beside the authorities, which relay as well; 3 to 50, default 8.
    ///
    /// With 3 everything works, though a circuit crosses some relays twice and visits take longer than with
    /// 8; with fewer the client does not always come up. Each relay takes 35 MB of memory, and up to 110 MB
    /// when it is busy.
    pub relays: usize,
    /// How many directory authorities; 1 to 9, default 3.
    pub authorities: usize,
    /// The client's SOCKS port on 127.0.0.1; 0, the default, for any free one.
    pub socks_port: u16,
    /// The client's control port on 127.0.0.1; 0, the default, for any free one.
    pub control_port: u16,
    /// The program `tor`; otherwise it is looked for on `PATH`.
    pub tor: Option<PathBuf>,
    /// The directory for the network's files, absent or empty; it is kept at the end, with the logs.
    /// Otherwise a temporary one, removed at the end.
    pub directory: Option<PathBuf>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { relays: 8, authorities: 3, socks_port: 0, control_port: 0, tor: None, directory: None }
    }
}

/// A network that could start: keys and files are there and ports are reserved, but nothing runs and every
/// connection is refused.
#[derive(Debug)]
pub struct Prepared {
    pub(super) directory: Directory,
    pub(super) programs: Programs,
    pub(super) network_file: PathBuf,
    pub(super) shared: Common,
    pub(super) authorities: Vec<Place>,
    pub(super) relays: Vec<Place>,
    pub(super) client: Place,
}

/// One node before it runs.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) nickname: String,
    pub(super) data: PathBuf,
    /// The ports it will listen on.
    pub(super) ports: Vec<Reserved>,
}

impl Place {
    fn new(directory: &Directory, nickname: String, ports: &[u16]) -> Result<Self, LabError> {
        let data = directory.path().join(&nickname);
        files::make(&data)?;
        let ports = ports.iter().map(|&port| Reserved::port(port)).collect::<Result<_, _>>()?;
        Ok(Self { nickname, data, ports })
    }

    /// The file with its configuration.
    pub(super) fn torrc(&self) -> PathBuf {
        self.data.join("torrc")
    }
}

impl Plan {
    /// Finds `tor`, reserves ports, makes keys and writes the files; takes about 3 seconds.
    ///
    /// # Errors
    /// When a number is out of range, `tor` is not installed, a port is taken, the directory cannot be used
    /// or the keys cannot be made.
    pub async fn prepare(self, mut progress: impl FnMut(Progress)) -> Result<Prepared, LabError> {
        self.check()?;
        let programs = Programs::find(self.tor.as_deref())?;
        let client_ports = [self.socks_port, self.control_port];
        let directory = Directory::new(self.directory)?;
        if !torrc::can_quote(directory.path()) {
            return Err(LabError::DirectoryName(directory.path().into()));
        }
        let client = Place::new(&directory, "client".into(), &client_ports)?;
        let place = |kind: &str, number: usize, ports: &[u16]| {
            Place::new(&directory, format!("{kind}{number}"), ports)
        };
        let authorities: Vec<Place> = (1..=self.authorities)
            .map(|number| place("authority", number, &[0, 0]))
            .collect::<Result<_, _>>()?;
        let relays: Vec<Place> =
            (1..=self.relays).map(|number| place("relay", number, &[0])).collect::<Result<_, _>>()?;

        progress(Progress::MakingKeys { authorities: authorities.len() });
        let shared = Common {
            authorities: make_keys(&programs, &authorities).await?,
            owner: std::process::id(),
            bandwidths: directory.path().join("bandwidths"),
        };
        for authority in &authorities {
            let [or, dir] = [authority.ports[0].address(), authority.ports[1].address()];
            let text = torrc::authority(&authority.nickname, &authority.data, or, dir, &shared);
            files::write(&authority.torrc(), text)?;
        }
        for relay in &relays {
            let text = torrc::relay(&relay.nickname, &relay.data, relay.ports[0].address(), &shared);
            files::write(&relay.torrc(), text)?;
        }
        let [socks, control] = [client.ports[0].address(), client.ports[1].address()];
        let text = torrc::client(&client.nickname, &client.data, socks, control, &shared);
        files::write(&client.torrc(), text)?;

        let network_file = directory.path().join("network.toml");
        let known = shared.authorities.iter().map(|(authority, _)| authority.clone()).collect();
        PrivateNetwork { authorities: known }.write(&network_file)?;
        Ok(Prepared { directory, programs, network_file, shared, authorities, relays, client })
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
        Ok(())
    }
}

impl Prepared {
    /// The description of this network, for the room's setting `onion.network_file`.
    pub fn network_file(&self) -> &Path {
        &self.network_file
    }

    /// Where the network's files are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Starts every node and waits until onion services can be reached through the client.
    ///
    /// # Errors
    /// When a node cannot be started or ends, or the network is not ready within two minutes. Whatever was
    /// started is ended again.
    pub async fn start(self, progress: impl FnMut(Progress)) -> Result<Network, LabError> {
        start::start(self, progress).await
    }
}

/// The keys of all authorities, made side by side.
async fn make_keys(
    programs: &Programs,
    authorities: &[Place],
) -> Result<Vec<(crate::tor::Authority, std::net::SocketAddr)>, LabError> {
    let making = authorities.iter().map(|place| async move {
        let [or, dir] = [place.ports[0].address(), place.ports[1].address()];
        let authority = keys::make(programs, place.nickname.clone(), &place.data, or, dir).await?;
        Ok((authority, dir))
    });
    futures_util::future::try_join_all(making).await
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
            (Plan { authorities: 0, ..Plan::default() }, ["authorities", "1 to 9", "vote"]),
        ] {
            let said = plan.prepare(|_| ()).await.unwrap_err().to_string();
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
    }
}
