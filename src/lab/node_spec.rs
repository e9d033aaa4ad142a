//! A node that is not started yet.

use std::path::{Path, PathBuf};

use super::error::LabError;
use super::files;
use super::ports::ReservedPort;
use super::torrc::OrPort;

/// The name, the data directory and the ports of one node.
#[derive(Debug)]
pub(super) struct NodeSpec {
    pub(super) nickname: String,
    pub(super) data: PathBuf,
    /// The ports that it will listen on; of a relay the first is the OR port, which it may only advertise.
    pub(super) ports: Vec<ReservedPort>,
    /// Where a relay listens in place of its OR port if there is a forwarder before it.
    pub(super) behind: Option<ReservedPort>,
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
        Ok(Self { nickname, data, ports, behind: None })
    }

    /// Reserves a port that the relay will listen on behind a forwarder.
    ///
    /// # Errors
    /// When no port is free.
    pub(super) fn behind_forwarder(mut self) -> Result<Self, LabError> {
        self.behind = Some(ReservedPort::new(0)?);
        Ok(self)
    }

    /// The OR port of a relay, as its configuration file needs it.
    pub(super) fn or_port(&self) -> OrPort {
        let behind = self.behind.as_ref().map(ReservedPort::address);
        OrPort { advertised: self.ports[0].address(), behind }
    }

    /// The path of its configuration file.
    pub(super) fn torrc(&self) -> PathBuf {
        self.data.join("torrc")
    }
}
