//! nginx and HAProxy as processes of the test's own, with the configurations of `config/`: in a directory of their own, on
//! an address of their own, without root, and without anything of the system's service.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, getuid, kill_process, kill_process_group};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, Command};
use tokio::time::{Duration, sleep};

use super::elsewhere::{Pair, TlsClient};
use super::room::Dial;
use super::within;

/// The configurations that people copy.
const NGINX: &str = include_str!("../../../config/nginx/onionroom.conf");
const NGINX_STREAM: &str = include_str!("../../../config/nginx/onionroom-stream.conf");
const HAPROXY: &str = include_str!("../../../config/haproxy/onionroom.cfg");

/// Which program, with which of its configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// nginx, which speaks HTTP with guests and with the room.
    Nginx,
    /// nginx, which ends TLS and hands on what is inside.
    NginxStream,
    /// HAProxy, which speaks HTTP with guests and with the room, and tells it their addresses.
    Haproxy,
}

impl Kind {
    /// Every one.
    pub(crate) const ALL: [Self; 3] = [Self::Nginx, Self::NginxStream, Self::Haproxy];

    /// Whether it tells the room the address of each guest, by the PROXY protocol.
    pub(crate) fn tells_addresses(self) -> bool {
        self != Self::Nginx
    }
}

/// A running proxy; ended when dropped.
pub(crate) struct Balancer {
    kind: Kind,
    child: Child,
    directory: TempDir,
    address: SocketAddr,
    client: TlsClient,
    change: fn(String) -> String,
}

impl Balancer {
    /// Starts it before the room at these addresses, one or two, as `a` and `b`.
    pub(crate) async fn start(kind: Kind, rooms: &[SocketAddr]) -> Self {
        Self::start_changed(kind, rooms, |config| config).await
    }

    /// The same with another change to the configuration.
    pub(crate) async fn start_changed(
        kind: Kind,
        rooms: &[SocketAddr],
        change: fn(String) -> String,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let pair = Pair::new();
        pair.write(directory.path());
        fs::write(directory.path().join("both.pem"), format!("{}{}", pair.certificate_pem, pair.key_pem))
            .unwrap();
        let address = own_address();
        write_config(kind, directory.path(), address, rooms, change);
        let program = if kind == Kind::Haproxy { "haproxy" } else { "nginx" };
        let mut command = Command::new(program);
        match kind {
            // In the foreground, one process.
            Kind::Haproxy => command.arg("-db").arg("-f").arg(config_file(directory.path())),
            _ => command.arg("-p").arg(directory.path()).arg("-c").arg(config_file(directory.path())),
        };
        let said = fs::File::create(directory.path().join("said")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).kill_on_drop(true).process_group(0);
        // Debian has both where only root looks.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin:/usr/local/sbin"));
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("{program} cannot be started: {error}. On Debian: apt-get install nginx libnginx-mod-stream haproxy")
        });
        let client = TlsClient::trusting(&pair.certificate);
        let mut balancer = Self { kind, child, directory, address, client, change };
        within("the proxy's listener", balancer.listens()).await;
        balancer
    }

    async fn listens(&mut self) {
        while TcpStream::connect(self.address).await.is_err() {
            if let Some(status) = self.child.try_wait().unwrap() {
                let said = fs::read_to_string(self.directory.path().join("said")).unwrap();
                panic!("{:?} has ended: {status}: {said}", self.kind);
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The way to the room through it.
    pub(crate) fn dial(&self) -> Dial {
        self.client.dial(self.address)
    }

    /// The same from an address of this machine's own network, such as 127.0.0.2.
    pub(crate) fn dial_from(&self, from: [u8; 4]) -> Dial {
        self.client.dial_from(from, self.address)
    }

    /// Sends new guests to `rooms` alone from now on; who is connected stays. Returns when that is so.
    pub(crate) async fn send_new_guests_to(&self, rooms: &[(&str, SocketAddr)]) {
        match self.kind {
            Kind::Haproxy => {
                for server in ["a", "b"] {
                    let state = if rooms.iter().any(|(name, _)| *name == server) { "ready" } else { "drain" };
                    self.command(&format!("set server onionroom/{server} state {state}")).await;
                }
            }
            _ => self.reload(&rooms.iter().map(|(_, address)| *address).collect::<Vec<_>>()).await,
        }
    }

    /// Writes a new configuration and has the workers of nginx replaced. Returns when the new ones listen.
    async fn reload(&self, rooms: &[SocketAddr]) {
        let before = self.workers();
        write_config(self.kind, self.directory.path(), self.address, rooms, self.change);
        kill_process(self.pid(), Signal::HUP).unwrap();
        let replaced = async {
            while !self.workers().iter().any(|worker| !before.contains(worker)) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        within("new workers", replaced).await;
    }

    /// The processes of nginx that are not shutting down.
    fn workers(&self) -> Vec<String> {
        let pid = self.pid().as_raw_nonzero();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        children
            .split_whitespace()
            .filter(|child| {
                let title = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
                title.contains("worker process") && !title.contains("shutting down")
            })
            .map(str::to_owned)
            .collect()
    }

    /// A command for the running HAProxy; answers with what it says.
    pub(crate) async fn command(&self, words: &str) -> String {
        let mut socket = UnixStream::connect(self.directory.path().join("admin.sock")).await.unwrap();
        socket.write_all(format!("{words}\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        within("HAProxy's answer", socket.read_to_string(&mut answer)).await.unwrap();
        answer
    }

    fn pid(&self) -> Pid {
        let id = self.child.id().expect("it still runs");
        Pid::from_raw(id.try_into().unwrap()).unwrap()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // The workers of nginx outlive a master that is killed alone.
        if self.child.id().is_some() {
            let _ = kill_process_group(self.pid(), Signal::KILL);
        }
    }
}

fn config_file(directory: &Path) -> PathBuf {
    directory.join("config")
}

/// An address of this machine's own network that no other test has: neither program can be given a port 0 and asked for it.
pub(crate) fn own_address() -> SocketAddr {
    let mut bytes = [0; 3];
    getrandom::fill(&mut bytes).unwrap();
    // Not 127.0.0.0/16, where others are, and no address that ends with 0 or 255.
    SocketAddr::from(([127, bytes[0] | 1, bytes[1], bytes[2] | 2 & !1], 8443))
}

/// The configuration of `config/` with the addresses and files of a test in place of those of `room.example`.
fn write_config(
    kind: Kind,
    directory: &Path,
    address: SocketAddr,
    rooms: &[SocketAddr],
    change: fn(String) -> String,
) {
    let path = |name: &str| directory.join(name).display().to_string();
    let text = match kind {
        Kind::Nginx => NGINX,
        Kind::NginxStream => NGINX_STREAM,
        Kind::Haproxy => HAPROXY,
    };
    let mut config = text.to_owned();
    let mut put = |old: &str, new: &str| {
        assert!(config.contains(old), "{kind:?} has no {old}");
        config = config.replace(old, new);
    };
    put("127.0.0.1:8647", &rooms[0].to_string());
    if let Some(second) = rooms.get(1) {
        put("# server", "server");
        put("127.0.0.1:8648", &second.to_string());
    }
    match kind {
        Kind::Haproxy => {
            put("bind :443", &format!("bind {address}"));
            put("/etc/haproxy/room.example.pem", &path("both.pem"));
            put("/run/haproxy/admin.sock", &path("admin.sock"));
        }
        Kind::Nginx | Kind::NginxStream => {
            put("listen 443", &format!("listen {address}"));
            put("/etc/letsencrypt/live/room.example/fullchain.pem", &path("certificate.pem"));
            put("/etc/letsencrypt/live/room.example/privkey.pem", &path("key.pem"));
            put("/var/log/nginx/onionroom.log", &path("error.log"));
            config = format!("{}{}", nginx_main(kind, directory), around(kind, &config));
        }
    }
    fs::write(config_file(directory), change(config)).unwrap();
}

/// What Debian's own nginx.conf has outside the blocks, with the files of the test.
fn nginx_main(kind: Kind, directory: &Path) -> String {
    let directory = directory.display();
    // Without this the workers of a master that runs as root could not read the directory.
    let user = if getuid().is_root() { "user root;\n" } else { "" };
    // Debian has it apart; elsewhere it is part of the program.
    let module = "/usr/lib/nginx/modules/ngx_stream_module.so";
    let module = match kind == Kind::NginxStream && Path::new(module).exists() {
        true => format!("load_module {module};\n"),
        false => String::new(),
    };
    format!(
        "{user}{module}daemon off;\nworker_processes 1;\npid {directory}/pid;\nerror_log {directory}/main.log;\n\
         worker_shutdown_timeout 60s;\nevents {{ worker_connections 1024; }}\n"
    )
}

/// The block that a configuration is included in, with the directories of the test.
fn around(kind: Kind, config: &str) -> String {
    if kind == Kind::NginxStream {
        return config.to_owned();
    }
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary: String =
        kinds.iter().map(|kind| format!("{kind}_temp_path temporary_{kind};\n")).collect();
    format!("http {{\n{temporary}{config}}}\n")
}
