//! Where Arti keeps its state and what it has downloaded.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::storage::{DataDirectory, StorageError};

/// The directories of one room's Tor side, for as long as it holds them.
#[derive(Debug)]
pub(super) struct Storage {
    /// Keys and state.
    pub(super) state: PathBuf,
    /// What can be downloaded again.
    pub(super) cache: PathBuf,
    directory: Arc<DataDirectory>,
}

impl Storage {
    pub(super) fn within(directory: Arc<DataDirectory>) -> Result<Self, StorageError> {
        Ok(Self { state: directory.make("tor/state")?, cache: directory.make("tor/cache")?, directory })
    }

    /// Has Arti choose new introduction points for the service with this nickname, as C Tor does at each start.
    ///
    /// Arti would take up those of the run before. But a guest's Tor client that tried them while the room was
    /// away takes them for broken for two minutes, and while the descriptor names no others it says that the
    /// room cannot be reached.
    ///
    /// # Errors
    /// When the system refuses; then the old ones are used.
    pub(super) fn forget_introduction_points(&self, nickname: &str) -> io::Result<()> {
        // Where tor-hsservice 0.47 lists them.
        match fs::remove_file(self.state.join("hss").join(nickname).join("ipts.json")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    /// Whether nothing of this outlives the program; the key of the address is then not even written here.
    pub(super) fn is_ephemeral(&self) -> bool {
        self.directory.is_ephemeral()
    }
}
