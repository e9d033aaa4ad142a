//! A second C Tor client on the network. What one client does cannot show what two strangers are to each other: it
//! gives a circuit that waits for one of them to the next.

use onionroom::lab::Network;

use super::daemon::Daemon;
use super::visitor::Visitors;

/// The client, ended when dropped.
pub(crate) struct OtherClient {
    /// Visitors who come through it.
    pub(crate) visitors: Visitors,
    _daemon: Daemon,
}

impl OtherClient {
    /// Starts it, and waits until it can build circuits.
    pub(crate) async fn start(network: &Network) -> Self {
        let daemon = Daemon::start(network, "ClientOnly 1\nSocksPort auto").await;
        daemon.connected().await;
        let listeners = daemon.controlled().await.get_info("net/listeners/socks").await.unwrap();
        let socks = listeners[0].trim_matches('"').parse().unwrap();
        Self { visitors: Visitors::through(socks, daemon.control, daemon.cookie()), _daemon: daemon }
    }
}
