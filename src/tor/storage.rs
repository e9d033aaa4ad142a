//! Where Arti keeps its state and what it has downloaded.

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

    /// Whether nothing of this outlives the program; the key of the address is then not even written here.
    pub(super) fn is_ephemeral(&self) -> bool {
        self.directory.is_ephemeral()
    }
}
