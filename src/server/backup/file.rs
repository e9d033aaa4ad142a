//! The file of a backup: written under another name beside its place, and renamed when it is complete.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use tokio_util::sync::CancellationToken;

use super::error::BackupError;
use crate::storage::erase;

/// How the name of a file begins that is not complete.
const BEGINNING: &str = ".onionroom-backup-";

/// How many bytes are written at once.
const CHUNK: usize = 256 * 1024;

/// A new file, removed when dropped before it is complete.
pub(super) struct NewFile {
    file: BufWriter<NamedTempFile>,
    to: PathBuf,
    given_up: CancellationToken,
}

impl NewFile {
    /// A file with the mode 0600 that is to become `to`. Those that killed processes have left beside it are removed. Nothing more
    /// is written once the token is cancelled, and it is not completed.
    ///
    /// # Errors
    /// There is something at `to`, or the system refuses.
    pub(super) fn beside(to: &Path, given_up: CancellationToken) -> Result<Self, BackupError> {
        if to.symlink_metadata().is_ok() {
            return Err(BackupError::Exists { path: to.into() });
        }
        let unusable = |cause| BackupError::Unusable { path: to.into(), cause };
        let directory = match to.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        sweep(directory);
        let file = tempfile::Builder::new().prefix(BEGINNING).tempfile_in(directory).map_err(unusable)?;
        // Held while it is written; another file system may have no locks, and then it is not swept either.
        let _ = file.as_file().try_lock();
        Ok(Self { file: BufWriter::with_capacity(CHUNK, file), to: to.into(), given_up })
    }

    /// Cancelled when it is given up.
    pub(super) fn given_up(&self) -> CancellationToken {
        self.given_up.clone()
    }

    /// Waits for the disk, and gives the file its name. Returns how many bytes it has.
    ///
    /// # Errors
    /// The system refuses, or there is something of that name by now.
    pub(super) fn complete(self) -> Result<u64, BackupError> {
        let Self { file, to, given_up } = self;
        let unusable = |cause| BackupError::Unusable { path: to.clone(), cause };
        let file = file.into_inner().map_err(|error| unusable(error.into_error()))?;
        file.as_file().sync_all().map_err(unusable)?;
        let bytes = file.as_file().metadata().map_err(unusable)?.len();
        if given_up.is_cancelled() {
            return Err(BackupError::GivenUp);
        }
        file.persist_noclobber(&to).map_err(|failed| match failed.error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists { path: to.clone() },
            _ => unusable(failed.error),
        })?;
        // The name is found after a loss of power only once the directory is on the disk.
        if let Some(directory) = to.parent() {
            let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
            let _ = erase::sync_directory(directory);
        }
        Ok(bytes)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.given_up.is_cancelled() {
            return Err(io::Error::other("it was given up"));
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Removes the files of processes that were killed. Those of living ones are locked.
fn sweep(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let begins = |name: &OsStr| name.to_str().is_some_and(|name| name.starts_with(BEGINNING));
        if !begins(&entry.file_name()) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let held = File::open(entry.path()).map(|file| file.try_lock().map(|()| file));
        if matches!(held, Ok(Ok(_))) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
