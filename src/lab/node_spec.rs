//! A node that is not started yet.

use std::path::{Path, PathBuf};

use super::error::LabError;
use super::files;
use super::ports::ReservedPort;

/// The name, the data directory and the ports of one node.
#[derive(Debug)]
pub(super) struct NodeSpec {
    pub(super) nickname: String,
    pub(super) data: PathBuf,
    /// The ports that it will listen on.
    pub(super) ports: Vec<ReservedPort>,
}

impl NodeSpec {
    /// Creates the data directory in `network`, the network's, and reserves `ports`, where 0 stands for any free one.
    ///
    /// # Errors
    /// When the directory cannot be created or a port is in use.
    pub(super) fn new(network: &Path, nickname: String, ports: &[u16]) -> Result<Self, LabError> {
        let data = network.join(&nickname);
        files::create_directory(&data)?;
        let ports = ports.iter().map(|&port| ReservedPort::new(port)).collect::<Result<_, _>>()?;
        Ok(Self { nickname, data, ports })
    }

    /// The path of its configuration file.
    pub(super) fn torrc(&self) -> PathBuf {
        self.data.join("torrc")
    }
}
