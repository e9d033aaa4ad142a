//! A room of the test's own, without Tor: on a port of its own, or in memory.

use std::net::SocketAddr;
use std::sync::Arc;

use onionroom::config::{LocalAccess, Settings};
use onionroom::hub::Room;
use onionroom::listen::{Io, Peer};
use onionroom::protocol::act::Target;
use onionroom::protocol::{Act, GuestId, Role};
use onionroom::server::Server;
use tokio::net::TcpStream;

use super::elsewhere::Elsewhere;
use super::guest::Guest;
use super::memory::{MemoryRoom, ONION};
use super::raw::Raw;

/// An open room; closed when dropped.
pub(crate) struct TestRoom {
    dial: Dial,
    /// `None` in memory.
    server: Option<Server>,
}

/// How a room is reached.
#[derive(Clone)]
pub(crate) enum Dial {
    /// On this machine.
    Tcp(SocketAddr),
    /// As if at this address.
    Memory(SocketAddr, Arc<MemoryRoom>),
    /// Under a public name.
    Elsewhere(Arc<Elsewhere>),
}

impl Dial {
    /// Where it listens on this machine.
    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Dial::Tcp(address) | Dial::Memory(address, _) => *address,
            Dial::Elsewhere(_) => panic!("not on this machine"),
        }
    }

    /// What belongs into `Host`.
    pub(crate) fn host(&self) -> String {
        match self {
            Dial::Elsewhere(elsewhere) => elsewhere.host().to_owned(),
            _ => self.address().to_string(),
        }
    }

    /// A connection with nothing said yet.
    pub(crate) async fn connect(&self) -> Box<dyn Io> {
        match self {
            Dial::Tcp(address) => Box::new(TcpStream::connect(address).await.unwrap()),
            Dial::Memory(address, room) => {
                Box::new(room.connect(Peer::Loopback(*address)).expect("a permit for one more connection"))
            }
            Dial::Elsewhere(elsewhere) => elsewhere.connect().await,
        }
    }
}

impl TestRoom {
    /// A room with the default limits, but that guests may say as much as they like: most tests are in a hurry.
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// A room with other settings.
    pub(crate) async fn open_with(change: impl FnOnce(&mut Settings)) -> Self {
        let server = Server::open(&settings(0, change)).await.unwrap();
        Self { dial: Dial::Tcp(server.local_addr().unwrap()), server: Some(server) }
    }

    /// A room in memory, for tests whose clock is paused, with other settings.
    pub(crate) async fn in_memory(change: impl FnOnce(&mut Settings)) -> Self {
        let settings = settings(80, change);
        let room = Arc::new(MemoryRoom::open(&settings).await);
        Self { dial: Dial::Memory(settings.listen.address, room), server: None }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.dial.address()
    }

    /// Makes a guest a host or a moderator, as the terminal does.
    pub(crate) async fn appoint(&self, guest: u64, role: Role) {
        let target = Target { of: GuestId(guest), name: None };
        let act = Act::Role { target, role, link: None };
        self.room().govern(act).await.unwrap();
    }

    /// Does something as the terminal does; the secret of the link that it makes, if it makes one.
    pub(crate) async fn govern(&self, act: Act) -> Option<String> {
        let done = self.room().govern(act).await.unwrap();
        done.link.map(|link| link.encode())
    }

    /// The secret of a new link that gives this role.
    pub(crate) async fn link(&self, role: Role) -> String {
        self.govern(Act::Link { role, link: None }).await.unwrap()
    }

    /// The same for a link that makes a host of another room, which has this name.
    pub(crate) async fn link_in(&self, room: &str) -> String {
        let room = self.server.as_ref().unwrap().rooms().find_for_host(room).await.unwrap();
        room.govern(Act::Link { role: Role::Host, link: None }).await.unwrap().link.unwrap().encode()
    }

    /// The numbers of the guests who wait at this node.
    pub(crate) async fn waiting(&self) -> Vec<u64> {
        self.room().waiting().await.unwrap().iter().map(|line| line.id.0).collect()
    }

    /// The room itself, as the terminal has it.
    fn room(&self) -> &Room {
        match (&self.server, &self.dial) {
            (Some(server), _) => server.room(),
            (None, Dial::Memory(_, room)) => room.room(),
            (None, _) => panic!("it has no room"),
        }
    }

    /// Where it listens for TLS.
    pub(crate) fn tls(&self) -> SocketAddr {
        self.server.as_ref().and_then(Server::tls).unwrap().address
    }

    /// Where it listens for proxies.
    pub(crate) fn proxy(&self) -> SocketAddr {
        self.server.as_ref().and_then(Server::proxy_place).unwrap().parse().unwrap()
    }

    /// What belongs into `Host`.
    pub(crate) fn host(&self) -> String {
        self.address().to_string()
    }

    /// How it is reached.
    pub(crate) fn dial(&self) -> Dial {
        self.dial.clone()
    }

    /// A connection with nothing said yet.
    pub(crate) async fn connect(&self) -> Box<dyn Io> {
        self.dial.connect().await
    }

    /// A connection for bytes by hand.
    pub(crate) async fn raw(&self) -> Raw {
        Raw::new(self.connect().await)
    }

    /// A connection as if on this rendezvous circuit, for the host [`ONION`]; `None` at the limit. In memory alone.
    pub(crate) fn connect_on(&self, circuit: u64) -> Option<Box<dyn Io>> {
        match &self.dial {
            Dial::Tcp(_) | Dial::Elsewhere(_) => panic!("not a room in memory"),
            Dial::Memory(_, room) => Some(Box::new(room.connect(Peer::Circuit(circuit))?)),
        }
    }

    /// The same for bytes by hand.
    pub(crate) fn raw_on(&self, circuit: u64) -> Option<Raw> {
        self.connect_on(circuit).map(Raw::new)
    }

    /// A guest on this circuit who has not said hello.
    pub(crate) async fn stranger_on(&self, circuit: u64) -> Guest {
        let io = self.connect_on(circuit).expect("a permit for one more connection");
        Guest::connect(io, ONION).await
    }

    /// A guest on this circuit, inside, under this name.
    pub(crate) async fn guest_on(&self, circuit: u64, name: &str) -> Guest {
        let mut guest = self.stranger_on(circuit).await;
        guest.hello(name).await;
        guest
    }

    /// A guest who has not said hello.
    pub(crate) async fn stranger(&self) -> Guest {
        Guest::connect(self.connect().await, &self.host()).await
    }

    /// A guest inside, under this name.
    pub(crate) async fn guest(&self, name: &str) -> Guest {
        let mut guest = self.stranger().await;
        guest.hello(name).await;
        guest
    }

    /// A guest who has become a host by a link.
    pub(crate) async fn host_guest(&self, name: &str) -> Guest {
        let mut host = self.guest(name).await;
        host.claim(&self.link(Role::Host).await).await;
        host
    }

    /// Takes requests of hosts that the room be wiped, for as long as this is kept. It is not.
    pub(crate) fn takes_wipes(&self) -> impl Future + use<> {
        self.server.as_ref().unwrap().wipe_asked()
    }

    /// Closes the room in good order.
    pub(crate) async fn close(self) {
        if let Some(server) = self.server {
            server.close().await;
        }
    }
}

fn settings(port: u16, change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::default();
    settings.listen.address = SocketAddr::from(([127, 0, 0, 1], port));
    settings.listen.local = LocalAccess::Open;
    settings.onion.enabled = false;
    settings.room.messages_per_minute = 0;
    settings.room.room_messages_per_minute = 0;
    settings.room.joins_per_minute = 0;
    change(&mut settings);
    settings
}
