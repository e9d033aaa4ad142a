//! The settings, validated and complete, with their defaults.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::nats_address::NatsAddress;
use super::public_origin::PublicOrigin;

/// The name of the room that is always there.
pub(super) const MAIN: &str = "main";

/// All settings, validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The room and its limits.
    pub room: RoomSettings,
    /// The retention of messages.
    pub history: HistorySettings,
    /// The other rooms at the same address, in the order of the file.
    pub rooms: Vec<ExtraRoom>,
    /// Where and how connections are accepted.
    pub listen: ListenSettings,
    /// The onion service.
    pub onion: OnionSettings,
    /// The directory for keys and state; `None` for an ephemeral room, which leaves nothing on disk.
    pub data_dir: Option<PathBuf>,
    /// Whether an ephemeral room may be on an ordinary disk where there is no file system in memory.
    pub ephemeral_on_disk: bool,
    /// The servers that keep the messages of a room on several machines; `None` for a room on this machine alone.
    pub cluster: Option<ClusterSettings>,
    /// What is logged, as a `tracing` filter.
    pub log: String,
}

/// The room and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSettings {
    /// The room's name in addresses; see [`is_room_name`](super::is_room_name).
    pub name: String,
    /// The room's title, shown to guests; 1 to 64 characters, no control characters.
    pub title: String,
    /// How many guests may be in the room at once; 1 to 10000.
    pub guests: usize,
    /// The longest message text, in bytes of UTF-8; 1 to 32000, so that it fits a frame however it is escaped.
    pub message_bytes: usize,
    /// The rate limit of one guest, in messages a minute, up to 60000; 0 for none. A circuit may publish twice as much.
    pub messages_per_minute: u32,
    /// How many messages a guest may publish at once; 1 to 1000. A new guest begins with a third of it.
    pub messages_at_once: u32,
    /// The rate limit of all guests together, in messages a minute, up to 600000; 0 for none.
    pub room_messages_per_minute: u32,
    /// How often one circuit may join in a minute, up to 60000; 0 for any number. Ten joins may come at once.
    pub joins_per_minute: u32,
    /// For how many seconds a guest may edit what they have said, up to a year; 0 for never.
    pub edit_seconds: u64,
    /// The grace time: how long a guest whose connection broke keeps seat and name; at most a day, 0 for none.
    pub away: Duration,
    /// After how many days without the confirmation of a host the room is wiped, up to 36500; 0 for never.
    pub wipe_after_days: u64,
    /// Whether the address is wiped with it then.
    pub wipe_address: bool,
}

/// A room beside the main one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraRoom {
    /// Its name, title and limits.
    pub room: RoomSettings,
    /// Its retention.
    pub history: HistorySettings,
    /// Whether guests find it in the list of rooms.
    pub listed: bool,
    /// Whether its limits and its retention are its own, and not those that the main room has.
    pub own_limits: bool,
}

/// The retention of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistorySettings {
    /// How many messages, up to 1000000; 0 keeps nothing.
    pub messages: usize,
    /// How many megabytes of texts and names, up to 100000; 0 for no limit.
    pub megabytes: u64,
    /// For how many days at most, up to 36500; 0 for any time.
    pub days: u64,
    /// Whether an acknowledged message survives a loss of power, or only the end of the process.
    pub survive_power_loss: bool,
}

/// Who on this machine may use the local room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalAccess {
    /// Those who have its link, which begins with a key.
    Key,
    /// Every user and program of this machine.
    Open,
    /// The user who runs it: there is no TCP listener but a Unix socket in the data directory.
    Unix,
    /// None: the room is reached through Tor only.
    Off,
}

/// Where a reverse proxy, or a Tor daemon with an onion service of its own, hands connections over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyAddress {
    /// A TCP address; port 0 takes any free one.
    Tcp(SocketAddr),
    /// The absolute path of a Unix socket.
    Unix(PathBuf),
}

/// Where TLS connections are accepted, and with which certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// The address, of this machine or of all its networks; port 0 takes any free one.
    pub address: SocketAddr,
    /// Where the certificate comes from. One of files needs an https origin in `public`.
    pub certificate: CertificateSource,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// From two PEM files, which are followed while the room is open.
    Files {
        /// The certificate, and after it those that it was signed with, in their order.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// It is made at the start and trusted by no browser, for a try.
    SelfSigned,
}

/// Where and how connections are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenSettings {
    /// Who may use the local room.
    pub local: LocalAccess,
    /// The loopback address of the local room; port 0 takes any free one.
    pub address: SocketAddr,
    /// Whether `address` is the default: then a busy port is replaced by a free one instead of an error.
    pub address_is_default: bool,
    /// The origins under which the room answers on its public listeners, such as that of `proxy`; no two with the same host
    /// and port. On the local listener and the onion service's own they do not count.
    pub public: Vec<PublicOrigin>,
    /// The listener for reverse proxies; `None` for none. It needs an origin in `public`.
    pub proxy: Option<ProxyAddress>,
    /// Whether each connection of that listener begins with the PROXY protocol, version 1 or 2; without it is refused.
    pub proxy_protocol: bool,
    /// The listener for TLS; `None` for none.
    pub tls: Option<TlsSettings>,
    /// How many connections may be open at once, over all listeners, shared between circuits; more are refused, not
    /// queued. Never fewer than `room.guests`.
    pub connections: usize,
    /// The rate limit of one circuit, in requests and frames a second over all its connections, up to 10000; 0 for none.
    /// Ten seconds' worth may come at once. This machine has a hundred times as much.
    pub requests_per_second: u32,
    /// How long a request's head may take to arrive, and its body after that.
    pub request_head: Duration,
    /// How long a WebSocket guest may take to send the hello.
    pub hello: Duration,
    /// After how long without input the server pings; a guest who is silent for as long again is disconnected.
    pub idle_ping: Duration,
    /// The write timeout: how long a write may make no progress before the connection is closed.
    pub write_stall: Duration,
}

/// The onion service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnionSettings {
    /// Whether the room is published on the Tor network at all.
    pub enabled: bool,
    /// The port of the onion address that answers; browsers assume 80.
    pub port: u16,
    /// Whether only those invited find the room. Once a room has invitations it is private without this, too.
    pub restricted: bool,
    /// How many streams one rendezvous circuit may have open at once; 1 to 1000.
    pub streams_per_circuit: usize,
    /// How long a rendezvous circuit without an open stream is kept; 10 seconds to an hour.
    pub idle_circuit: Duration,
    /// Whether introductions with proof of work go before those without, when more come than can be answered. Without
    /// the cargo feature `pow` it has no effect.
    pub proof_of_work: bool,
    /// How many introduction points the service has; 3 to 20, as C Tor allows.
    pub introduction_points: u8,
    /// How many introductions a second each introduction point passes on, up to 10000, with bursts of eight times as
    /// many; 0 leaves it to the introduction point.
    pub introductions_per_second: u32,
    /// The most memory for what waits in Arti's queues, in megabytes of 2^20 bytes; 16 to 65536.
    pub memory_megabytes: usize,
    /// How many threads the room and its circuits have together; 1 to 64. With 1 they share the room's thread, with more
    /// the room keeps its own and the circuits have the others.
    pub threads: usize,
    /// A description of a private Tor network to use in place of the public one.
    pub network_file: Option<PathBuf>,
}

/// Where the messages of a room on several machines are kept: in NATS JetStream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    /// The servers, at least one; those of them that the client finds by itself need not be named.
    pub nats: Vec<NatsAddress>,
    /// The name of the room's streams: 1 to 32 letters, digits, `-` and `_`.
    pub room: String,
    /// How many servers keep each message, 1 to 5; 0 for 3 where there are as many servers, and 1 otherwise.
    pub replicas: usize,
    /// The file of the key that names and texts are encrypted with, the same on each machine.
    pub secret: PathBuf,
    /// A file of credentials (a JWT and its key), as `nsc` writes it.
    pub credentials: Option<PathBuf>,
    /// The PEM file of the authorities that signed the servers' certificates; `None` for those that the system trusts.
    pub ca: Option<PathBuf>,
    /// The PEM files of a certificate for servers that ask for one, and of its private key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Whether guests of the other machines are told where guests reach this one.
    pub doors: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            room: RoomSettings::default(),
            history: HistorySettings::default(),
            rooms: Vec::new(),
            listen: ListenSettings::default(),
            onion: OnionSettings::default(),
            data_dir: None,
            ephemeral_on_disk: false,
            cluster: None,
            log: "onionroom=info".into(),
        }
    }
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            name: MAIN.into(),
            title: "onionroom".into(),
            guests: 250,
            message_bytes: 4096,
            messages_per_minute: 30,
            messages_at_once: 15,
            room_messages_per_minute: 1200,
            joins_per_minute: 20,
            edit_seconds: 900,
            away: Duration::from_secs(90),
            wipe_after_days: 0,
            wipe_address: false,
        }
    }
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self { messages: 1000, megabytes: 64, days: 7, survive_power_loss: true }
    }
}

impl Default for ListenSettings {
    fn default() -> Self {
        Self {
            local: LocalAccess::Key,
            address: SocketAddr::from(([127, 0, 0, 1], 8646)),
            address_is_default: true,
            public: Vec::new(),
            proxy: None,
            proxy_protocol: false,
            tls: None,
            connections: 1000,
            requests_per_second: 20,
            request_head: Duration::from_secs(20),
            hello: Duration::from_secs(30),
            idle_ping: Duration::from_secs(45),
            write_stall: Duration::from_secs(120),
        }
    }
}

impl Default for OnionSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            port: 80,
            restricted: false,
            streams_per_circuit: 16,
            idle_circuit: Duration::from_secs(60),
            proof_of_work: true,
            introduction_points: 3,
            introductions_per_second: 25,
            memory_megabytes: 256,
            threads: 1,
            network_file: None,
        }
    }
}
