//! Who comes through the network's C Tor client.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use onionroom::lab::{Control, Network};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::socks;
use crate::kit::Guest;
use crate::kit::raw::Raw;

/// How long a room may take until the client finds it: its descriptor must be spread, and one from before a
/// restart found to be old.
const REACH: Duration = Duration::from_secs(60);

/// How long one knock at the door of a room that is closed may take.
const KNOCK: Duration = Duration::from_secs(3);

/// How long one attempt to reach it may take.
const ATTEMPT: Duration = Duration::from_secs(20);

/// The way to the client, and a new name for each visitor.
pub(crate) struct Visitors {
    socks: SocketAddr,
    control: SocketAddr,
    cookie: PathBuf,
    number: AtomicUsize,
}

impl Visitors {
    /// Visitors through this network's client.
    pub(crate) fn of(network: &Network) -> Self {
        Self::through(network.socks(), network.control(), network.control_cookie().into())
    }

    /// Visitors through the client with these addresses and this cookie.
    pub(crate) fn through(socks: SocketAddr, control: SocketAddr, cookie: PathBuf) -> Self {
        Self { socks, control, cookie, number: AtomicUsize::new(0) }
    }

    /// The client's SOCKS address.
    pub(crate) fn socks(&self) -> SocketAddr {
        self.socks
    }

    /// A name that nobody had, and so a circuit that nobody had.
    pub(crate) fn new_name(&self) -> String {
        format!("visitor{}", self.number.fetch_add(1, Ordering::Relaxed))
    }

    /// A connection to the client's control port.
    pub(crate) async fn control(&self) -> Control {
        Control::connect(self.control, &self.cookie).await.unwrap()
    }

    /// Knocks at `host`, where nobody is, until the client gives it up.
    pub(crate) async fn knock_in_vain(&self, host: &str) {
        let deadline = Instant::now() + REACH;
        // A circuit that the network has not noticed to be gone holds a knock up; the next takes another.
        while !matches!(
            timeout(KNOCK, socks::connect(self.socks, &self.new_name(), host, 80)).await,
            Ok(Err(_refused))
        ) {
            assert!(Instant::now() < deadline, "the client does not give up");
        }
    }

    /// Comes back again and again until a stream to `host` opens.
    pub(crate) async fn reach(&self, host: &str) {
        let deadline = Instant::now() + REACH;
        loop {
            let attempt = timeout(ATTEMPT, socks::connect(self.socks, &self.new_name(), host, 80)).await;
            match attempt {
                Ok(Ok(_stream)) => return,
                other => assert!(Instant::now() < deadline, "the room is not found: {other:?}"),
            }
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// A stream to the room, which must be reachable, as `name`.
    pub(crate) async fn connect_as(&self, name: &str, host: &str) -> TcpStream {
        timeout(REACH, socks::connect(self.socks, name, host, 80)).await.expect("in time").expect("a stream")
    }

    /// A stream to the room as `name`, if there is one to be had at the moment.
    pub(crate) async fn try_connect_as(&self, name: &str, host: &str) -> io::Result<TcpStream> {
        let answer = socks::try_connect(self.socks, name, host, 80).await?;
        answer.map_err(|refused| io::Error::other(format!("{refused:?}")))
    }

    /// Bytes by hand, over a circuit of its own.
    pub(crate) async fn raw(&self, host: &str) -> Raw {
        Raw::new(self.connect_as(&self.new_name(), host).await)
    }

    /// A guest inside, over a circuit that belongs to `name`.
    pub(crate) async fn guest(&self, name: &str, host: &str) -> Guest {
        let mut guest = Guest::connect(self.connect_as(name, host).await, host).await;
        guest.hello(name).await;
        guest
    }

    /// The client's number for the rendezvous circuit that belongs to `name`.
    pub(crate) async fn circuit_of(&self, name: &str) -> String {
        let mut own: Vec<_> = self.circuits().await.into_iter().filter(|(owner, _)| owner == name).collect();
        assert_eq!(own.len(), 1, "one circuit of {name}");
        own.remove(0).1
    }

    /// The rendezvous circuits there are: to whom each belongs, and the client's number for it.
    pub(crate) async fn circuits(&self) -> Vec<(String, String)> {
        let circuits = self.control().await.get_info("circuit-status").await.unwrap();
        let built =
            |circuit: &&String| circuit.contains("PURPOSE=HS_CLIENT_REND") && circuit.contains(" BUILT ");
        let owned = |circuit: &String| {
            let owner = circuit.split_once("SOCKS_USERNAME=\"")?.1.split('"').next()?;
            Some((owner.to_owned(), circuit.split(' ').next()?.to_owned()))
        };
        circuits.iter().filter(built).filter_map(owned).collect()
    }
}
