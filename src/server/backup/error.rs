//! Why a backup cannot be written.

use std::io;
use std::path::PathBuf;

use crate::log::sqlite::{CopyError, SqliteOpenError};
use crate::server::restore::RestoreError;
use crate::server::room_list::RoomListError;
use crate::storage::StorageError;
use crate::tor::KeystoreError;

/// Why a backup cannot be written. The room is as it was, and no file was made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The room is open.
    #[error("The room in {} is open. Close it first, and back it up then.", path.display())]
    Open {
        /// The data directory.
        path: PathBuf,
    },
    /// A backup or a key was not put in place completely.
    #[error(transparent)]
    Interrupted(#[from] RestoreError),
    /// There is nothing to back up.
    #[error("There is nothing to back up in {}: no room was opened there. --data-dir names another directory.", path.display())]
    Nothing {
        /// The data directory.
        path: PathBuf,
    },
    /// The file would be overwritten.
    #[error("{} exists, and no backup is overwritten. Name another file.", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A wipe would leave it, and the loss of the disk would take both.
    #[error("{} is in the data directory of the room. Name a file elsewhere, best on another disk.", path.display())]
    Inside {
        /// The file.
        path: PathBuf,
    },
    /// It was not waited for, or the room is closing.
    #[error("The backup was given up, and no file was made.")]
    GivenUp,
    /// There is a backup under way.
    #[error("A backup of this room is being written already. Wait until it is complete.")]
    UnderWay,
    /// The room has nothing on a disk.
    #[error("This room leaves nothing behind, so there is nothing to back up.")]
    Ephemeral,
    /// The log cannot be opened.
    #[error(transparent)]
    Log(#[from] SqliteOpenError),
    /// The log cannot be copied.
    #[error("The backup cannot be written. {0}")]
    Copy(#[from] CopyError),
    /// The list of the other rooms cannot be used.
    #[error(transparent)]
    List(#[from] RoomListError),
    /// A room beside the main one cannot be read.
    #[error("The backup cannot be written, because the room {name:?} cannot be read. {why}")]
    Room {
        /// Its name.
        name: String,
        /// Why not, as a sentence.
        why: String,
    },
    /// The key of the address cannot be read.
    #[error("The key of the address cannot be read: {0}.")]
    Key(#[from] KeystoreError),
    /// The file cannot be made.
    #[error("The backup cannot be written to {}: {}.", path.display(), said(cause))]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It cannot be written.
    #[error("The backup cannot be written: {}.", said(.0))]
    Io(#[from] io::Error),
}

impl BackupError {
    /// Names the room whose log cannot be read.
    pub(super) fn of_room(self, name: &str) -> Self {
        match self {
            Self::Log(cause) => Self::Room { name: name.into(), why: cause.to_string() },
            Self::Copy(cause @ CopyError::Log(_)) => Self::Room { name: name.into(), why: cause.to_string() },
            other => other,
        }
    }
}

fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full".into(),
        _ => error.to_string(),
    }
}
