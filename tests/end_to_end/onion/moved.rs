//! The key of an address between a room and C Tor: guests come in at the same address.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use onionroom::config::ProxyAddress;
use onionroom::lab::Network;
use onionroom::server::{Server, keys};

use super::behind::{in_home, settings};
use super::daemon::Daemon;
use super::room::OnionRoom;
use super::visitor::Visitors;

/// What operators are told to write.
const TORRC: &str = include_str!("../../../config/c-tor/torrc");

/// A room's address is C Tor's afterwards, and that of another C Tor the room's.
pub(crate) async fn keys_move_between_the_room_and_c_tor(
    visitors: &Visitors,
    network: &Network,
    data: &Path,
) {
    let room = OnionRoom::open(network.network_file(), Some(data)).await;
    let address = room.host().to_owned();
    room.close().await;
    let home = tempfile::tempdir().unwrap();
    keys::export(data, &home.path().join("service")).unwrap();
    let daemon = Daemon::start_in(home, network, &in_home(TORRC)).await;
    assert_eq!(daemon.onion("service").await, address);
    let proxy = ProxyAddress::Unix(daemon.home().join("proxy.sock"));
    let room = Server::open(&settings(proxy, &format!("http://{address}"))).await.unwrap();
    visitors.reach(&address).await;
    talks("Cleo", visitors, &address).await;
    room.close().await;
    drop(daemon);

    let daemon = Daemon::start(network, &in_home(TORRC)).await;
    let address = daemon.onion("service").await;
    let copy = tempfile::tempdir().unwrap();
    let secret = copy.path().join("hs_ed25519_secret_key");
    fs::copy(daemon.home().join("service/hs_ed25519_secret_key"), &secret).unwrap();
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    drop(daemon);
    keys::import(data, copy.path(), true).unwrap();
    let room = OnionRoom::open(network.network_file(), Some(data)).await;
    assert_eq!(room.host(), address);
    visitors.reach(&address).await;
    talks("Dora", visitors, &address).await;
    room.close().await;
}

/// A guest of this name comes in at this address, and what they say is taken.
async fn talks(name: &str, visitors: &Visitors, address: &str) {
    let mut guest = visitors.guest(name, address).await;
    assert!(guest.say("1", "good evening").await > 0);
}
