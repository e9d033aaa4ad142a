//! Why a backup cannot be put in place, or a key.

use std::io;
use std::path::{Path, PathBuf};

use crate::log::sqlite::SqliteOpenError;
use crate::server::archive::ArchiveError;
use crate::server::files::REPLACED;
use crate::server::wipe::WipeError;
use crate::storage::StorageError;

/// Why a backup could not be put in place. Everything is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A wipe that was interrupted could not be finished.
    #[error(transparent)]
    Wipe(#[from] WipeError),
    /// The file of a backup cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// There is no backup.
    #[error(
        "The directory {} is no backup: neither messages.sqlite nor tor/state is in it. Name a copy of a data directory; \
         an archive has to be unpacked first.",
        path.display()
    )]
    NoBackup {
        /// The directory.
        path: PathBuf,
    },
    /// The backup is in use, or is the data directory itself.
    #[error(
        "The directory {} is not a copy but in use. Name a copy that was made while the room was closed.",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The list of the other rooms in the backup cannot be used.
    #[error("The backup cannot be used, and nothing was changed. The list of rooms in it: {cause}")]
    Rooms {
        /// What is wrong.
        cause: String,
    },
    /// The log of the backup cannot be opened.
    #[error("The backup cannot be used, and nothing was changed. {}", of_the_backup(cause, copy, from))]
    Log {
        /// The backup.
        from: PathBuf,
        /// The copy of it that was opened, and is removed again.
        copy: PathBuf,
        /// Why its log cannot be opened.
        cause: SqliteOpenError,
    },
    /// The process ended while a backup was put in place: some files may be moved away, and others not there yet.
    #[error(
        "A backup was being put in the data directory {} when that was interrupted. Run `onionroom restore` again, with the \
         same backup. What was there before is in {}.",
        path.display(),
        replaced_in(path).display()
    )]
    Interrupted {
        /// The data directory.
        path: PathBuf,
    },
    /// The process ended while a key was put in place.
    #[error(
        "A key was being put in the data directory {} when that was interrupted. Run `onionroom key import` again, with the same \
         key. What was there before is in {}.",
        path.display(),
        replaced_in(path).display()
    )]
    KeyInterrupted {
        /// The data directory.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("Nothing can be put in place: {path} cannot be used: {cause}.", path = path.display())]
    Unusable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// Names the files of the backup where those of the copy are meant. What the system refuses is done to the copy.
fn of_the_backup(cause: &SqliteOpenError, copy: &Path, from: &Path) -> String {
    let said = cause.to_string();
    match cause {
        SqliteOpenError::Unusable { .. } => said,
        _ => said.replace(&copy.display().to_string(), &from.display().to_string()),
    }
}

/// Where what is replaced goes.
pub(in super::super) fn replaced_in(data: &Path) -> PathBuf {
    data.join(REPLACED)
}
