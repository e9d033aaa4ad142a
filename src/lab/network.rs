//! The running network.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::control::{Control, ControlError};
use super::distance::Forwarders;
use super::process::Nodes;

/// A running private network: authorities, relays and a client.
///
/// [`stop`](Network::stop) or dropping it ends every process and removes the directory. If this process is killed, the
/// nodes notice within 15 seconds and end by themselves.
#[derive(Debug)]
pub struct Network {
    #[expect(dead_code, reason = "held for its drop")]
    pub(super) nodes: Nodes,
    #[expect(dead_code, reason = "held for its drop")]
    pub(super) forwarders: Option<Forwarders>,
    // Dropped after the processes, which may still write to it.
    pub(super) directory: TempDir,
    pub(super) network_file: PathBuf,
    pub(super) socks: SocketAddr,
    pub(super) control: SocketAddr,
    pub(super) cookie: PathBuf,
}

impl Network {
    /// The description of this network, for the room's setting `onion.network_file`.
    pub fn network_file(&self) -> &Path {
        &self.network_file
    }

    /// The client's SOCKS address. Streams with different user names or passwords are on different circuits.
    pub fn socks(&self) -> SocketAddr {
        self.socks
    }

    /// The client's control address.
    pub fn control(&self) -> SocketAddr {
        self.control
    }

    /// The cookie file that authenticates to the client's control port.
    pub fn control_cookie(&self) -> &Path {
        &self.cookie
    }

    /// An authenticated connection to the client's control port.
    ///
    /// # Errors
    /// When the client does not reply.
    pub async fn connect_control(&self) -> Result<Control, ControlError> {
        Control::connect(self.control, &self.cookie).await
    }

    /// The directory with the network's files; each node's log is `NODE/log` in it, its process number `NODE/pid`.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Ends every process, waits until they have ended, and removes the directory.
    pub async fn stop(self) {
        // Waiting for processes and removing trees blocks.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}
