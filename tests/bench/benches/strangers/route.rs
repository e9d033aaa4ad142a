//! Ways to a room: through a Tor client, a circuit for each user of its SOCKS port.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use onionroom_bench::Outcome;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;

/// How an onion service is reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Route {
    /// The SOCKS port of a Tor client.
    pub(crate) proxy: SocketAddr,
    pub(crate) onion: String,
}

impl Route {
    /// A SOCKS user that was not there before, and so a circuit.
    pub(crate) fn new_circuit(&self) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// A stream on the circuit of this user.
    ///
    /// # Errors
    /// When Tor cannot connect.
    pub(crate) async fn connect(&self, user: &str) -> Outcome<Socks5Stream<TcpStream>> {
        let target = (self.onion.as_str(), 80);
        Ok(Socks5Stream::connect_with_password(self.proxy, target, user, "password").await?)
    }
}
