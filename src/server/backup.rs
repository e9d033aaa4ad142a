//! Writes a backup of all rooms of an address, open or closed: their messages and state, their list, and the key of the address, in
//! one encrypted file.
//!
//! A log is copied with `log::sqlite::copy`, so guests go on writing meanwhile; the rows lie in the data directory until they are in
//! the file, and their keys go nowhere but into it. The file is written beside its place, and renamed when it is complete.

mod error;
mod file;
mod logs;
mod open;
mod others;

use std::fs;
use std::io;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::archive::{ArchiveWriter, Parts, Passphrase, Told};
use super::files::{ADDRESS, BACKING_UP, LOG_FILE};
use super::messages;
use super::restore::exchange::{clear, private, remove};
use crate::config::Settings;
use crate::invitations;
use crate::log::SqliteLog;
use crate::log::sqlite::Synchronous;
use crate::storage::{DataDirectory, StorageError};
use crate::tor::{IdentityKey, OnionAddress};
use file::NewFile;
use logs::{copy_rows, write_log, write_others};
use others::OtherRooms;

pub use error::BackupError;
pub(super) use open::OpenRoom;
pub(super) use others::OpenRooms;

/// What is left out of Tor's state: what is made anew at each start.
const MADE_ANEW: &str = "hss";

/// What was backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// Whether messages are in it.
    pub messages: bool,
    /// How many rooms are in it beside the main one.
    pub rooms: usize,
    /// The address whose key is in it.
    pub address: Option<OnionAddress>,
    /// How many bytes the file has.
    pub bytes: u64,
}

/// Writes a backup of a room that is closed to the new file `to`, with the mode 0600. Its log is opened for that, as a start of
/// the room does; what is no longer kept is erased. `passphrase` is asked for once the data directory is locked.
///
/// # Errors
/// The room is open, there is nothing to back up, no passphrase is given, the log cannot be opened, or the file cannot be
/// written.
pub fn backup_closed<E: From<BackupError>>(
    settings: &Settings,
    data_dir: &Path,
    to: &Path,
    passphrase: impl FnOnce() -> Result<Passphrase, E>,
    told: Told<'_>,
) -> Result<BackedUp, E> {
    let file = NewFile::beside(to, CancellationToken::new())?;
    let directory = lock(data_dir)?;
    check_outside(&directory, to)?;
    let passphrase = passphrase()?;
    let log = open_log(settings, &directory)?;
    let others = others::closed(settings, directory.path())?;
    Ok(write(&directory, &Logs { main: log.as_ref(), others }, file, &passphrase, told)?)
}

/// The data directory of a room that is closed.
fn lock(data_dir: &Path) -> Result<DataDirectory, BackupError> {
    if !data_dir.exists() {
        return Err(BackupError::Nothing { path: data_dir.into() });
    }
    let directory = DataDirectory::open(data_dir).map_err(|error| match error {
        StorageError::InUse { path } => BackupError::Open { path },
        error => error.into(),
    })?;
    clear(directory.path())?;
    Ok(directory)
}

/// Its log; `None` if it has none on this machine.
fn open_log(settings: &Settings, directory: &DataDirectory) -> Result<Option<SqliteLog>, BackupError> {
    let log = directory.path().join(LOG_FILE);
    if settings.cluster.is_some() || !log.exists() {
        return Ok(None);
    }
    let retention = messages::retention(&settings.history);
    Ok(Some(SqliteLog::open(&log, retention, Synchronous::Full)?))
}

/// Writes a backup of a room that is open to the new file `to`. Blocks for as long as that takes; the room goes on. Given up once
/// the token is cancelled.
///
/// # Errors
/// There is nothing to back up, the log cannot be read, the file cannot be written, or it was given up.
fn backup_open(
    directory: &DataDirectory,
    logs: &Logs<'_>,
    to: &Path,
    passphrase: &Passphrase,
    given_up: &CancellationToken,
    told: Told<'_>,
) -> Result<BackedUp, BackupError> {
    check_outside(directory, to)?;
    let written = write(directory, logs, NewFile::beside(to, given_up.clone())?, passphrase, told);
    written.map_err(|error| if given_up.is_cancelled() { BackupError::GivenUp } else { error })
}

/// Checks that a file is not to be made in the data directory.
fn check_outside(directory: &DataDirectory, to: &Path) -> Result<(), BackupError> {
    let inside = || {
        let data = directory.path().canonicalize().ok()?;
        // A path that is a name alone has an empty parent, which is the working directory.
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(parent.canonicalize().ok()?.starts_with(data))
    };
    // What cannot be found cannot be written to either, and says why when that is tried.
    match inside() {
        Some(true) => Err(BackupError::Inside { path: to.into() }),
        _ => Ok(()),
    }
}

/// The logs that are backed up.
struct Logs<'a> {
    /// `None` for a room that has none on this machine.
    main: Option<&'a SqliteLog>,
    others: OtherRooms<'a>,
}

fn write(
    directory: &DataDirectory,
    logs: &Logs<'_>,
    file: NewFile,
    passphrase: &Passphrase,
    told: Told<'_>,
) -> Result<BackedUp, BackupError> {
    let data = directory.path();
    let address = IdentityKey::read(data)?.map(|key| key.address());
    let parts =
        Parts { messages: logs.main.is_some(), address: address.is_some(), rooms: logs.others.is_some() };
    let any_other = logs.others.as_ref().is_some_and(|others| !others.is_empty());
    if !parts.messages && !parts.address && !any_other {
        return Err(BackupError::Nothing { path: data.into() });
    }
    let working = data.join(BACKING_UP);
    remove(&working)?;
    private(&working)?;
    let given_up = file.given_up();
    let write = || {
        let rows = working.join(LOG_FILE);
        let copy = logs.main.map(|log| copy_rows(log, &rows, &given_up, told)).transpose()?;
        let mut archive = ArchiveWriter::begin(file, passphrase, parts)?;
        if parts.address {
            write_state(&mut archive, data, ADDRESS)?;
            // The directory is what makes the room private; it always has a file in it.
            if data.join(invitations::DIRECTORY).is_dir() {
                write_state(&mut archive, data, invitations::DIRECTORY)?;
            }
        }
        if let Some(copy) = copy {
            write_log(&mut archive, "", copy, &rows, &|| false, told)?;
        }
        let others = logs.others.as_ref();
        let rooms = others.map(|others| write_others(&mut archive, others, &working, &given_up, told));
        let rooms = rooms.transpose()?.unwrap_or_default();
        Ok::<_, BackupError>((archive.finish()?.complete()?, rooms))
    };
    let written = write();
    let removed = remove(&working);
    let (bytes, rooms) = written?;
    removed?;
    Ok(BackedUp { messages: parts.messages, rooms, address, bytes })
}

/// Adds the files below `name`: the keystore, and the guards. They are small.
fn write_state(archive: &mut ArchiveWriter<NewFile>, data: &Path, name: &str) -> Result<(), BackupError> {
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(data.join(name))? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    for below in names {
        let path = format!("{name}/{below}");
        let place = data.join(&path);
        let Ok(kind) = place.symlink_metadata() else { continue };
        // Keys of a time or of an introduction point, which have a `+` in their names, are made anew as well.
        let kept = below != MADE_ANEW || name != ADDRESS;
        if kind.is_dir() && kept {
            write_state(archive, data, &path)?;
        } else if kind.is_file() && !below.contains('+') && !below.ends_with(".lock") {
            match fs::read(&place) {
                Ok(bytes) => archive.bytes(&path, &zeroize::Zeroizing::new(bytes))?,
                // Arti has replaced or removed it just now.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests;
