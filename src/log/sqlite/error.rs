//! Why a log cannot be opened.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why a log file cannot be used. It is left as it was.
#[derive(Debug, thiserror::Error)]
pub enum SqliteOpenError {
    /// Not an SQLite file, or not one of this program's.
    #[error(
        "The file {} is not a message log of this program. Move it away, or choose another directory with --data-dir.",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// SQLite finds it damaged.
    #[error(
        "The message log {} is damaged ({what}). It was not changed. Move it away to begin with an empty room, or put \
         a backup in its place.",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        what: String,
    },
    /// Its keys are not there.
    #[error(
        "The keys of the message log, {}, are missing, and without them no message can be read. Nothing was changed. \
         Put them back, or move messages.sqlite away to begin with an empty room.",
        path.display()
    )]
    KeysMissing {
        /// Where the keys should be.
        path: PathBuf,
    },
    /// Its keys are damaged.
    #[error(
        "The keys of the message log, {}, are damaged ({what}). Nothing was changed. Put a backup of them and of \
         messages.sqlite in their place, or move both away to begin with an empty room.",
        path.display()
    )]
    KeysDamaged {
        /// The file of the keys.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Made by a newer version of this program.
    #[error(
        "The message log {} was made by a newer version of this program (its format is {found}, known are up to \
         {known}). Use that version, or choose another directory with --data-dir.",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's version.
        found: i64,
        /// The newest known version.
        known: usize,
    },
    /// Another process has it open.
    #[error(
        "The message log {} is in use by another process. Close the other room, or choose another directory with \
         --data-dir.",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error(
        "The message log {} cannot be used: {cause}. Mend that, choose another directory with --data-dir, or use \
         --ephemeral for a room that keeps nothing.",
        path.display()
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite or the system said.
        cause: String,
    },
}

/// SQLite's error as what it means for opening a room.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> SqliteOpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => SqliteOpenError::Foreign { path },
        Some(ErrorCode::DatabaseCorrupt) => SqliteOpenError::Damaged { path, what: error.to_string() },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SqliteOpenError::InUse { path },
        _ => SqliteOpenError::Unusable { path, cause: error.to_string() },
    }
}
