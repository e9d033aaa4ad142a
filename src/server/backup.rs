//! Writes a backup of a room, open or closed: its messages and state, and the key of its address, in one encrypted file.
//!
//! The log is copied with `log::sqlite::copy`, so guests go on writing meanwhile; the rows lie in the data directory until they are in
//! the file, and their keys go nowhere but into it. The file is written beside its place, and renamed when it is complete.

mod error;
mod file;
mod open;

use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::archive::{ArchiveWriter, Parts, Passphrase, Progress, Step, Told};
use super::files::{ADDRESS, BACKING_UP, LOG_FILE};
use super::messages;
use super::restore::exchange::{clear, private, remove};
use crate::config::Settings;
use crate::invitations;
use crate::log::SqliteLog;
use crate::log::sqlite::{LogCopy, Synchronous};
use crate::storage::{DataDirectory, StorageError};
use crate::tor::{IdentityKey, OnionAddress};
use file::NewFile;

pub use error::BackupError;
pub(super) use open::OpenRoom;

/// What is left out of Tor's state: what is made anew at each start.
const MADE_ANEW: &str = "hss";

/// How many bytes are copied at once.
const CHUNK: usize = 64 * 1024;

/// What was backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// Whether messages are in it.
    pub messages: bool,
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
    Ok(write(&directory, log.as_ref(), file, &passphrase, told)?)
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
    log: Option<&SqliteLog>,
    to: &Path,
    passphrase: &Passphrase,
    given_up: &CancellationToken,
    told: Told<'_>,
) -> Result<BackedUp, BackupError> {
    check_outside(directory, to)?;
    let written = write(directory, log, NewFile::beside(to, given_up.clone())?, passphrase, told);
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

fn write(
    directory: &DataDirectory,
    log: Option<&SqliteLog>,
    file: NewFile,
    passphrase: &Passphrase,
    told: Told<'_>,
) -> Result<BackedUp, BackupError> {
    let data = directory.path();
    let address = IdentityKey::read(data)?.map(|key| key.address());
    let parts = Parts { messages: log.is_some(), address: address.is_some() };
    if !parts.messages && !parts.address {
        return Err(BackupError::Nothing { path: data.into() });
    }
    let working = data.join(BACKING_UP);
    remove(&working)?;
    private(&working)?;
    let written = write_parts(data, log, &working, file, passphrase, parts, told);
    let removed = remove(&working);
    let bytes = written?;
    removed?;
    Ok(BackedUp { messages: parts.messages, address, bytes })
}

fn write_parts(
    data: &Path,
    log: Option<&SqliteLog>,
    working: &Path,
    file: NewFile,
    passphrase: &Passphrase,
    parts: Parts,
    told: Told<'_>,
) -> Result<u64, BackupError> {
    let rows = working.join(LOG_FILE);
    let given_up = file.given_up();
    let copying = &mut |done, total| {
        told(Progress { step: Step::Copying, done, total });
        if given_up.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let copy = log.map(|log| log.copy(&rows, copying));
    let copy = copy.transpose()?;
    let mut archive = ArchiveWriter::begin(file, passphrase, parts)?;
    if parts.address {
        write_state(&mut archive, data, ADDRESS)?;
        // The directory is what makes the room private; it always has a file in it.
        if data.join(invitations::DIRECTORY).is_dir() {
            write_state(&mut archive, data, invitations::DIRECTORY)?;
        }
    }
    if let Some(copy) = copy {
        write_log(&mut archive, copy, &rows, told)?;
    }
    archive.finish()?.complete()
}

/// The keys are first: only when they were read is it known which rows have one.
fn write_log(
    archive: &mut ArchiveWriter<NewFile>,
    copy: LogCopy<'_>,
    rows: &Path,
    told: Told<'_>,
) -> Result<(), BackupError> {
    let keys = copy.keys_bytes();
    let mark = archive.file("messages.keys", keys, |out| copy.finish(out).map_err(BackupError::from))?;
    let mut file = File::open(rows)?;
    let size = file.metadata()?.len();
    archive.file(LOG_FILE, size, |out| {
        let (mut chunk, mut done) = (vec![0; CHUNK], 0);
        loop {
            let read = file.read(&mut chunk)?;
            if read == 0 {
                return Ok::<(), BackupError>(());
            }
            out.write_all(&chunk[..read])?;
            done += read as u64;
            told(Progress { step: Step::Writing, done, total: size });
        }
    })?;
    archive.bytes("messages.state", &mark)?;
    Ok(())
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
