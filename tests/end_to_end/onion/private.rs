//! A private room: who has a key finds it, who has none is told so by their own Tor, and who is shut out is out.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use onionroom::lab::Network;
use onionroom::tor::ClientKey;
use tokio::time::{Instant, sleep, timeout};

use super::blocked::the_room_becomes_reachable;
use super::daemon::Daemon;
use super::room::OnionRoom;
use super::socks::{self, Refused};
use super::visitor::Visitors;
use crate::kit::Guest;
use crate::kit::program::run;

/// What C Tor answers to a client that has no key, and to one whose key the descriptor is not made for
/// ([SOCKS extensions](https://spec.torproject.org/socks-extensions.html)). Tor Browser asks for a key then.
const KEY_MISSING: Refused = Refused(0xF4);
const KEY_WRONG: Refused = Refused(0xF5);

/// How long a change may take until clients see it: Arti publishes once a minute at most, so it may take two, and clients
/// and services need some seconds each.
const IN_FORCE: Duration = Duration::from_secs(240);

/// Waits until the room has closed the circuit of a guest who is shut out.
async fn is_closed(who: &str, guest: &mut Guest) {
    let closed = timeout(IN_FORCE, guest.read_to_the_end()).await;
    assert!(closed.is_ok(), "the circuit of {who} stays");
}

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(30);

/// A C Tor client with keys of its own.
struct Client {
    daemon: Daemon,
    visitors: Visitors,
}

impl Client {
    async fn start(network: &Network) -> Self {
        let home = tempfile::tempdir().unwrap();
        let keys = home.path().join("keys");
        fs::create_dir(&keys).unwrap();
        fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let options = "ClientOnly 1\nSocksPort auto ExtendedErrors\nClientOnionAuthDir \"HOME/keys\"";
        let daemon = Daemon::start_in(home, network, options).await;
        daemon.connected().await;
        let listeners = daemon.controlled().await.get_info("net/listeners/socks").await.unwrap();
        let socks: SocketAddr = listeners[0].trim_matches('"').parse().unwrap();
        let visitors = Visitors::through(socks, daemon.control, daemon.cookie());
        Self { daemon, visitors }
    }

    /// Gives it this line of a file `.auth_private`.
    async fn take(&self, line: &str) {
        let file = self.daemon.home().join("keys/room.auth_private");
        fs::write(&file, format!("{line}\n")).unwrap();
        self.daemon.controlled().await.command("SIGNAL RELOAD").await.unwrap();
    }

    /// Tries once, as a visitor who was not there before.
    async fn attempt(&self, host: &str) -> Result<(), Option<Refused>> {
        let name = self.visitors.new_name();
        let connected = socks::connect(self.visitors.socks(), &name, host, 80);
        match timeout(ATTEMPT, connected).await {
            Ok(Ok(_stream)) => Ok(()),
            Ok(Err(refused)) => Err(Some(refused)),
            Err(_) => Err(None),
        }
    }

    /// Tries until the room lets it in, and answers how long that took.
    async fn gets_in(&self, who: &str, host: &str) -> Duration {
        let started = Instant::now();
        loop {
            match self.attempt(host).await {
                Ok(()) => return started.elapsed(),
                Err(refused) => {
                    assert!(started.elapsed() < IN_FORCE, "{who} does not get in: {refused:?}");
                }
            }
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// Tries until its Tor says this, and never gets in meanwhile. Answers how long that took.
    async fn is_told(&self, who: &str, wanted: Refused, host: &str) -> Duration {
        let started = Instant::now();
        loop {
            match self.attempt(host).await {
                Ok(()) => panic!("{who} got in after {:?}", started.elapsed()),
                Err(Some(refused)) if refused == wanted => return started.elapsed(),
                Err(other) => {
                    assert!(started.elapsed() < IN_FORCE, "{who} is told {other:?} and not {wanted:?}");
                }
            }
            sleep(Duration::from_millis(300)).await;
        }
    }
}

/// Runs `onionroom invite` on this data directory, and answers with what it prints.
async fn invite(data_dir: &Path, words: &[&str]) -> String {
    let words = [&["invite"], words, &["--data-dir", data_dir.to_str().unwrap()]].concat();
    let output = run(&words, &[("NO_COLOR", OsStr::new("1"))]).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The line of a file `.auth_private`, made with this name.
async fn key(data_dir: &Path, name: &str) -> String {
    let said = invite(data_dir, &["add", name]).await;
    let value = |key: &str| said.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
    let (pasted, line) = (value("key: ").unwrap(), value("auth_private: ").unwrap());
    assert!(pasted.len() == 52 && line.ends_with(&pasted), "{said}");
    line
}

/// All of it, on one room.
pub(crate) async fn a_private_room(network: &Network, data_dir: &Path, step: impl Fn(&str)) {
    let restricted = |settings: &mut onionroom::config::Settings| settings.onion.restricted = true;
    let room = OnionRoom::open_with(network.network_file(), Some(data_dir), restricted).await;
    let host = room.host().to_owned();
    let (alice, bob, stranger) =
        tokio::join!(Client::start(network), Client::start(network), Client::start(network));
    step(
        "private: a room without any invitation reaches itself, and strangers are told that they need a key",
    );
    the_room_becomes_reachable(&room).await;
    let took = stranger.is_told("a stranger", KEY_MISSING, &host).await;
    step(&format!("private: a stranger was told so after {took:.1?}"));

    let (for_alice, for_bob) = tokio::join!(key(data_dir, "alice"), key(data_dir, "bob"));
    let invited = Instant::now();
    tokio::join!(alice.take(&for_alice), bob.take(&for_bob));
    tokio::join!(alice.gets_in("Alice", &host), bob.gets_in("Bob", &host));
    step(&format!("private: two who were invited at once were in {:.1?} after that", invited.elapsed()));
    stranger.is_told("a stranger", KEY_MISSING, &host).await;
    let foreign = format!("{}:descriptor:x25519:{}", &host[..56], *ClientKey::generate().written());
    stranger.take(&foreign).await;
    stranger.is_told("a stranger with another key", KEY_WRONG, &host).await;

    let (mut of_alice, mut of_bob) =
        tokio::join!(alice.visitors.guest("Alice", &host), bob.visitors.guest("Bob", &host));
    of_alice.say("1", "we are among ourselves").await;
    invite(data_dir, &["remove", "alice"]).await;
    let removed = Instant::now();
    is_closed("Alice", &mut of_alice).await;
    step(&format!(
        "private: Alice's circuit was closed {:.1?} after her invitation was removed",
        removed.elapsed()
    ));
    let told = async {
        alice.is_told("Alice", KEY_WRONG, &host).await;
        step(&format!("private: Alice's Tor says that her key is wrong {:.1?} after it", removed.elapsed()));
    };
    let back = async {
        is_closed("Bob", &mut of_bob).await;
        bob.gets_in("Bob", &host).await;
        step(&format!("private: Bob is back {:.1?} after it", removed.elapsed()));
    };
    tokio::join!(told, back);
    the_room_becomes_reachable(&room).await;

    let carol = stranger;
    let for_carol = key(data_dir, "carol").await;
    let invited = Instant::now();
    carol.take(&for_carol).await;
    carol.gets_in("Carol", &host).await;
    step(&format!("private: Carol was in {:.1?} after she was invited", invited.elapsed()));
    alice.is_told("Alice", KEY_WRONG, &host).await;

    step("private: an invitation expires while its guest is inside");
    let mut of_bob = bob.visitors.guest("Bob", &host).await;
    let end = SystemTime::now() + Duration::from_secs(3);
    let end = humantime::format_rfc3339_seconds(end).to_string();
    fs::write(data_dir.join("invited/bob.expires"), end).unwrap();
    is_closed("Bob", &mut of_bob).await;
    bob.is_told("Bob", KEY_WRONG, &host).await;
    assert!(invite(data_dir, &["list"]).await.contains("bob: expired"));
    carol.gets_in("Carol", &host).await;
    room.close().await;

    step("private: a restart keeps who is invited, and the room private without the setting");
    let for_alice = key(data_dir, "alice").await;
    alice.take(&for_alice).await;
    let room = OnionRoom::open(network.network_file(), Some(data_dir)).await;
    assert_eq!(room.host(), host);
    the_room_becomes_reachable(&room).await;
    tokio::join!(alice.gets_in("Alice", &host), carol.gets_in("Carol", &host));
    bob.is_told("Bob", KEY_WRONG, &host).await;
    room.close().await;
}
