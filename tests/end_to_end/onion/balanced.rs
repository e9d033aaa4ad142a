//! One address for two rooms on two machines: onionbalance, with C Tor's onion service before each room.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use onionroom::config::ProxyAddress;
use onionroom::lab::Network;
use onionroom::server::Server;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::behind::{in_home, settings};
use super::daemon::Daemon;
use super::socks;
use super::visitor::Visitors;
use crate::kit::Guest;
use crate::kit::within;

/// What operators are told to write.
const TORRC: &str = include_str!("../../../config/c-tor/torrc-balanced");
const BALANCE: &str = include_str!("../../../config/c-tor/onionbalance.yaml");

/// How long the address may take to be found, and one machine after the other left: onionbalance looks every 10 seconds.
const FOUND: Duration = Duration::from_secs(180);

/// A room, and the Tor daemon before it.
struct Machine {
    room: Server,
    daemon: Daemon,
}

impl Machine {
    async fn start(network: &Network, address: &str, title: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let service = home.path().join("service");
        fs::create_dir(&service).unwrap();
        fs::set_permissions(&service, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(service.join("ob_config"), format!("MasterOnionAddress {address}\n")).unwrap();
        let socket = ProxyAddress::Unix(home.path().join("proxy.sock"));
        let mut settings = settings(socket, &format!("http://{address}"));
        settings.room.title = title.to_owned();
        let room = Server::open(&settings).await.unwrap();
        Self { room, daemon: Daemon::start_in(home, network, &in_home(TORRC)).await }
    }

    async fn stop(self) {
        drop(self.daemon);
        self.room.close().await;
    }
}

/// Makes the key of the common address as its documentation says, and answers with the address.
async fn address(directory: &Path) -> (String, PathBuf) {
    // Where Debian has it; the path of a user may be without that.
    let mut command = Command::new("/usr/sbin/onionbalance-config");
    command.args(["--hs-version", "v3", "--no-interactive", "--output"]).arg(directory);
    let output = within("onionbalance-config", command.output()).await;
    let output = output.expect("the package onionbalance is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let key = files.into_iter().find(|path| path.extension().is_some_and(|end| end == "key")).unwrap();
    (format!("{}.onion", key.file_stem().unwrap().to_str().unwrap()), key)
}

async fn balance(directory: &Path, key: &Path, machines: [&Machine; 2], daemon: &Daemon) -> Child {
    let [first, second] = machines.map(|machine| machine.daemon.onion("service"));
    let configuration = directory.join("config.yaml");
    let text = BALANCE.replace("FIRST.onion", &first.await).replace("SECOND.onion", &second.await);
    fs::write(&configuration, text.replace("COMMON.key", key.to_str().unwrap())).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/onion/balanced.py");
    let port = daemon.control.port().to_string();
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script).args(["--is-testnet", "-v", "info", "-i", "127.0.0.1", "-p", &port, "-c"]);
    let log = fs::File::create(directory.join("log")).unwrap();
    command.arg(configuration).stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null());
    command.kill_on_drop(true).spawn().unwrap()
}

/// Guests of one address are in two rooms, and when one machine is gone new ones still get in.
pub(crate) async fn one_address_for_two_rooms(visitors: &Visitors, network: &Network) {
    let directory = TempDir::new().unwrap();
    let keys = directory.path().join("keys");
    let (address, key) = address(&keys).await;
    let one = Machine::start(network, &address, "One").await;
    let two = Machine::start(network, &address, "Two").await;
    let manager = Daemon::start(network, "SocksPort 0").await;
    manager.connected().await;
    let mut balance = balance(directory.path(), &key, [&one, &two], &manager).await;
    let log = directory.path().join("log");

    until_in(visitors, &address, &mut balance, &log, &["One", "Two"]).await;
    one.stop().await;
    until_in(visitors, &address, &mut balance, &log, &["Two"]).await;
    two.stop().await;
}

/// New guests come in until each room had one.
async fn until_in(visitors: &Visitors, address: &str, balance: &mut Child, log: &Path, rooms: &[&str]) {
    let (deadline, mut missing) = (Instant::now() + FOUND, rooms.to_vec());
    while !missing.is_empty() {
        let told = || fs::read_to_string(log).unwrap_or_default();
        let runs = balance.try_wait().unwrap().is_none();
        assert!(runs && Instant::now() < deadline, "no guest was in {missing:?}: {}", told());
        let name = visitors.new_name();
        let knock = socks::connect(visitors.socks(), &name, address, 80);
        match tokio::time::timeout(Duration::from_secs(20), knock).await {
            Ok(Ok(stream)) => {
                let mut guest = Guest::connect(stream, address).await;
                let welcome = guest.hello_as(serde_json::json!({})).await;
                let title = welcome["room"]["title"].as_str().unwrap_or_default().to_owned();
                missing.retain(|room| *room != title);
            }
            _ => sleep(Duration::from_millis(500)).await,
        }
    }
}
