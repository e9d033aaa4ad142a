//! The running network.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::files::Directory;
use super::process::Nodes;
use super::{Control, ControlError};

/// A private network that runs: authorities, relays and a client.
///
/// [`stop`](Network::stop) or dropping it ends every process and removes the directory (unless the plan
/// named one). If this process is killed, the nodes notice within 15 seconds and end by themselves.
#[derive(Debug)]
pub struct Network {
    // Dropped in this order: first the processes, then the files they might still write to.
    pub(super) nodes: Nodes,
    #[allow(dead_code, reason = "held for its drop")]
    pub(super) directory: Option<Directory>,
    pub(super) path: PathBuf,
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

    /// The client's SOCKS address. Each pair of user name and password gets circuits of its own, as each
    /// visitor would have.
    pub fn socks(&self) -> SocketAddr {
        self.socks
    }

    /// The client's control address.
    pub fn control(&self) -> SocketAddr {
        self.control
    }

    /// The file with the secret that opens the client's control port.
    pub fn control_cookie(&self) -> &Path {
        &self.cookie
    }

    /// A connection to the client's control port, authenticated.
    ///
    /// # Errors
    /// When the client does not answer any more.
    pub async fn connect_control(&self) -> Result<Control, ControlError> {
        Control::connect(self.control, &self.cookie).await
    }

    /// Where the network's files are; each node's log is `NODE/log` in there.
    pub fn directory(&self) -> &Path {
        &self.path
    }

    /// The numbers of the processes.
    pub fn processes(&self) -> Vec<u32> {
        self.nodes.ids()
    }

    /// Ends every process, waits for their end and removes the directory.
    pub async fn stop(self) {
        // Waiting for processes and removing trees blocks.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}
