//! Arti's directories for state and cache, within the data directory.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::belonging::{self, NetworkInUse, Settled};
use super::private_network::PrivateNetwork;
use crate::storage::{DataDirectory, StorageError};

/// Arti's directories. Holds the data directory, and so its lock, as long as it lives.
#[derive(Debug)]
pub(super) struct Storage {
    /// Keys and state.
    pub(super) state: PathBuf,
    /// The downloaded network directory.
    pub(super) cache: PathBuf,
    directory: Arc<DataDirectory>,
}

impl Storage {
    /// Creates the directories where they are missing. What is there and belongs to another network than `network`, which
    /// is the public one if there is none, is put aside or deleted, see [`super::belonging`]; not the service's key.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn within(
        directory: Arc<DataDirectory>,
        network: Option<&PrivateNetwork>,
    ) -> Result<Self, StorageError> {
        let tor = directory.make("tor")?;
        let authorities = match network {
            Some(network) => {
                network.authorities.iter().map(|authority| authority.v3_identity.clone()).collect()
            }
            None => belonging::public_authorities(),
        };
        let network = NetworkInUse { authorities: &authorities, public: network.is_none() };
        let settled = belonging::settle(&tor, network)
            .map_err(|cause| StorageError::Unusable { path: tor.clone(), cause })?;
        match settled {
            Settled::Same => {}
            Settled::Afresh => tracing::info!(
                "The data directory was used on another Tor network: Tor's directory and guards start afresh, address and \
                 messages stay."
            ),
            Settled::PublicAgain => tracing::info!(
                "The data directory was used on another Tor network: those of Tor's files that are the public network's are \
                 in use again, address and messages stay."
            ),
        }
        Ok(Self { state: directory.make("tor/state")?, cache: directory.make("tor/cache")?, directory })
    }

    /// Deletes the list of introduction points, so that Arti chooses new ones, as C Tor does at each start.
    ///
    /// Arti would use those of the instance before. But a guest's Tor client that tried them while the room was
    /// closed treats them as broken for two minutes, and while the descriptor names no others it reports that the
    /// room cannot be reached.
    ///
    /// # Errors
    /// When the system refuses; then Arti uses the old ones.
    pub(super) fn forget_introduction_points(&self, nickname: &str) -> io::Result<()> {
        // Where tor-hsservice 0.47 lists them.
        match fs::remove_file(self.state.join("hss").join(nickname).join("ipts.json")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    /// Whether the directories are removed at the end. The service's key is then never written to disk.
    pub(super) fn is_ephemeral(&self) -> bool {
        self.directory.is_ephemeral()
    }
}
