//! Why a log cannot be opened, or used.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::rows::is_foreign;
use crate::log::LogError;

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
        "The message log {} is damaged ({what}). It was not changed. Put a backup in its place with `onionroom \
         restore`. By hand, first move all files beside it whose names begin with messages. away, -wal and .state too: \
         what one log has left there damages another. Without a backup the room is empty then.",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        what: String,
    },
    /// It is missing or empty, and a write-ahead log is beside it.
    #[error(
        "The message log {0} is missing or empty, but {0}-wal beside it has messages that belong into it. Nothing was \
         changed. Put the file back. To begin with an empty room, move {0}-wal away too; to put a backup in its place, use \
         `onionroom restore`.",
        path.display()
    )]
    Orphaned {
        /// The file.
        path: PathBuf,
    },
    /// It is empty, and there were messages in it.
    #[error(
        "The message log {0} is empty, but there were messages in it; their keys are still beside it. Nothing was changed. \
         Put the file back, or a backup with `onionroom restore`. To begin with an empty room, move {0} away.",
        path.display()
    )]
    Emptied {
        /// The file.
        path: PathBuf,
    },
    /// The write-ahead log beside it is another log's, or of a later time.
    #[error(
        "The message log {0} was closed in good order, so {0}-wal beside it is not its own but of another time, as when a \
         backup is put in the place of a room that was killed. Nothing was changed. Move {0}-wal away, or use `onionroom \
         restore`, which does.",
        path.display()
    )]
    ForeignChanges {
        /// The file.
        path: PathBuf,
    },
    /// Another file is in its place.
    #[error(
        "The message log {0} is not the one that was open when the program last ended: another file is in its place, and \
         what is beside it belongs to the one before. Nothing was changed. Put that back. To go on with this one, move \
         {0}-wal and {1} away, or use `onionroom restore`.",
        path.display(),
        super::mark::place(path).display()
    )]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// Acknowledged messages are not in it.
    #[error(
        "The message log {0} ends with message {found}, but messages up to {promised} were said: {0}-wal is missing or \
         damaged, or an older file was put in its place. Nothing was changed. Put back what belongs here. To go on with \
         what there is, move {1} away.",
        path.display(),
        super::mark::place(path).display()
    )]
    SetBack {
        /// The file.
        path: PathBuf,
        /// Its newest number.
        found: u64,
        /// The newest number that was acknowledged.
        promised: u64,
    },
    /// Its keys are those of an earlier time.
    #[error(
        "The keys of the message log, {}, are older than messages.sqlite beside them: messages that were said since could \
         not be read and would be lost. Nothing was changed. Put back the newer keys, or the messages.sqlite that was \
         there when these were copied.",
        path.display()
    )]
    KeysOlder {
        /// The file of the keys.
        path: PathBuf,
    },
    /// Its keys are those of another log.
    #[error(
        "No message in {} can be read with the keys beside it, {}: one of the two files is of another log. Nothing was \
         changed. Put that file back which belongs to the other, or move both away to begin with an empty room.",
        path.display(),
        keys.display()
    )]
    KeysForeign {
        /// The file.
        path: PathBuf,
        /// The file of the keys.
        keys: PathBuf,
    },
    /// Opening was called off.
    #[error("Opening the message log {} was called off. Nothing is lost.", path.display())]
    Cancelled {
        /// The file.
        path: PathBuf,
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
        Some(ErrorCode::DatabaseCorrupt) => SqliteOpenError::Damaged { path, what: said(error) },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SqliteOpenError::InUse { path },
        _ if is_foreign(error) => SqliteOpenError::Damaged { path, what: said(error) },
        _ => SqliteOpenError::Unusable { path, cause: said(error) },
    }
}

/// What SQLite says, without the statement that it says it of.
fn said(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        error => error.to_string(),
    }
}

const DISK_FULL: &str = "the disk is full; make room on it and the room goes on";

/// A failure of SQLite while the log is open.
pub(super) fn failed(error: rusqlite::Error) -> LogError {
    LogError(match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => DISK_FULL.into(),
        _ => format!("the message log cannot be used: {error}"),
    })
}

/// A failure of the file of the keys while the log is open.
pub(super) fn keys_failed(error: io::Error) -> LogError {
    LogError(match error.kind() {
        io::ErrorKind::StorageFull => DISK_FULL.into(),
        _ => format!("the keys of the message log cannot be used: {error}"),
    })
}

/// The failure of an append that finds no key.
pub(super) fn no_keys() -> LogError {
    LogError("the message log has no keys left".into())
}
