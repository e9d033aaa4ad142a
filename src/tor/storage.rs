//! Arti's directories for state and cache, within the data directory.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

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
    /// Creates the directories where they are missing.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn within(directory: Arc<DataDirectory>) -> Result<Self, StorageError> {
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
