//! Puts a backup in place: the messages and the address of a copy of a data directory, and its invitations if there are
//! none. Those that there are stay: the backup's may have been removed since, and without any a private room would open.
//!
//! The copy is made and opened beside what is there, and what is there is moved away only then. So a backup that is
//! damaged changes nothing, and of what is replaced nothing is lost.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::invitations;
use crate::log::sqlite::{SqliteOpenError, Synchronous};
use crate::log::{Retention, SqliteLog};
use crate::storage::{DataDirectory, StorageError, make_private};

/// The message log's file in the data directory.
pub(super) const LOG_FILE: &str = "messages.sqlite";

/// What belongs to the log, in the order in which it is moved away: the file last, since without it the others are of no
/// log.
const LOG_FILES: [&str; 4] = ["messages.sqlite-wal", "messages.state", "messages.keys", LOG_FILE];

/// Where the key of the address is. The directory of relays beside it is downloaded again.
const ADDRESS: &str = "tor/state";

/// Where the copy is made.
const COPY: &str = "restoring";

/// What the copy is called while it is put in place. Until then nothing was changed.
const EXCHANGE: &str = "exchanging";

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// Whether the backup has messages.
    pub messages: bool,
    /// Whether it has an address.
    pub address: bool,
    /// Where that is which was there before, if anything was.
    pub replaced: Option<PathBuf>,
}

/// Why a backup could not be put in place. Everything is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
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
    /// The system refuses.
    #[error("The backup cannot be put in place: {path} cannot be used: {cause}.", path = path.display())]
    Unusable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// Puts what is in the directory `from` in the place of what is in the data directory, which must not be in use. What was
/// there is moved to a directory inside.
///
/// # Errors
/// `from` is no copy of a data directory, its log cannot be opened, or the system refuses.
pub fn restore(data_dir: &Path, from: &Path) -> Result<Restored, RestoreError> {
    let (messages, address) = (from.join(LOG_FILE).is_file(), from.join(ADDRESS).is_dir());
    if !messages && !address {
        return Err(RestoreError::NoBackup { path: from.into() });
    }
    let directory = DataDirectory::open(data_dir)?;
    let data = directory.path();
    let in_use = || RestoreError::InUse { path: from.into() };
    if from.canonicalize().is_ok_and(|from| from.starts_with(data) && !from.starts_with(replaced_in(data))) {
        return Err(in_use());
    }
    let held = File::open(from.join("lock")).map(|lock| lock.try_lock().map(|()| lock));
    if matches!(held, Ok(Err(TryLockError::WouldBlock))) {
        return Err(in_use());
    }

    let (copy, complete) = (data.join(COPY), data.join(EXCHANGE));
    remove(&copy)?;
    private(&copy)?;
    let invited = from.join(invitations::DIRECTORY).is_dir() && !data.join(invitations::DIRECTORY).exists();
    let copied = copy_all(from, &copy, messages, address, invited);
    if let Err(error) = copied {
        let _ = fs::remove_dir_all(&copy);
        return Err(error);
    }
    remove(&complete)?;
    rename(&copy, &complete)?;
    let replaced = exchange(data, &complete, messages, address, invited)?;
    remove(&complete)?;
    Ok(Restored { messages, address, replaced })
}

/// Removes the copy that was left by a restore that was called off: with it messages could be read that the room keeps no
/// longer.
///
/// # Errors
/// It was interrupted when files were moved already, so what is there is incomplete; or the system refuses.
pub(super) fn clear(data: &Path) -> Result<(), RestoreError> {
    if data.join(EXCHANGE).exists() {
        return Err(RestoreError::Interrupted { path: data.into() });
    }
    remove(&data.join(COPY))
}

/// Removes a directory, if it is there.
fn remove(directory: &Path) -> Result<(), RestoreError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(directory)(error)),
        _ => Ok(()),
    }
}

/// Makes the copy, and opens its log once.
fn copy_all(
    from: &Path,
    copy: &Path,
    messages: bool,
    address: bool,
    invited: bool,
) -> Result<(), RestoreError> {
    if messages {
        for name in LOG_FILES {
            let file = from.join(name);
            if file.exists() {
                copy_file(&file, &copy.join(name))?;
            }
        }
        let all = Retention { messages: usize::MAX, bytes: 0, age: None };
        drop(
            SqliteLog::open(&copy.join(LOG_FILE), all, Synchronous::Full)
                .map_err(|cause| RestoreError::Log { from: from.into(), copy: copy.into(), cause })?,
        );
    }
    if address {
        private(&copy.join("tor"))?;
        copy_tree(&from.join(ADDRESS), &copy.join(ADDRESS))?;
    }
    if invited {
        copy_tree(&from.join(invitations::DIRECTORY), &copy.join(invitations::DIRECTORY))?;
    }
    Ok(())
}

/// Moves what is there away, and the copy in its place. Returns where the first is now, if anything was there.
fn exchange(
    data: &Path,
    copy: &Path,
    messages: bool,
    address: bool,
    invited: bool,
) -> Result<Option<PathBuf>, RestoreError> {
    let mut names: Vec<&str> = LOG_FILES.into_iter().filter(|_| messages).collect();
    names.extend(address.then_some(ADDRESS));
    // Put in place first: the address is not to be opened to all, also if this is interrupted.
    names.extend(invited.then_some(invitations::DIRECTORY));
    let mut replaced = None;
    if names.iter().any(|name| data.join(name).exists()) {
        let free = (1..).map(|number: u32| replaced_in(data).join(number.to_string()));
        let place = free.into_iter().find(|place| !place.exists()).unwrap_or_else(|| replaced_in(data));
        private(&place)?;
        private(&place.join("tor"))?;
        for name in &names {
            rename(&data.join(name), &place.join(name))?;
        }
        replaced = Some(place);
    }
    private(&data.join("tor"))?;
    for name in names.iter().rev() {
        rename(&copy.join(name), &data.join(name))?;
    }
    Ok(replaced)
}

/// Where what is replaced goes.
fn replaced_in(data: &Path) -> PathBuf {
    data.join("replaced")
}

fn rename(from: &Path, to: &Path) -> Result<(), RestoreError> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(from)(error)),
        _ => Ok(()),
    }
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), RestoreError> {
    private(to)?;
    for entry in fs::read_dir(from).map_err(unusable(from))? {
        let entry = entry.map_err(unusable(from))?;
        let (kind, file) = (entry.file_type().map_err(unusable(from))?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_tree(&entry.path(), &file)?;
        } else if kind.is_file() {
            copy_file(&entry.path(), &file)?;
        }
    }
    Ok(())
}

/// Copies a file, with the mode 0600: a backup may be read-only, or readable by all.
fn copy_file(from: &Path, to: &Path) -> Result<(), RestoreError> {
    fs::copy(from, to).map_err(unusable(from))?;
    let permissions = fs::metadata(to).map_err(unusable(to))?.permissions();
    fs::set_permissions(to, writable(permissions)).map_err(unusable(to))
}

#[cfg(unix)]
fn writable(mut permissions: fs::Permissions) -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
    permissions
}

#[cfg(not(unix))]
fn writable(mut permissions: fs::Permissions) -> fs::Permissions {
    permissions.set_readonly(false);
    permissions
}

/// Names the files of the backup where those of the copy are meant. What the system refuses is done to the copy.
fn of_the_backup(cause: &SqliteOpenError, copy: &Path, from: &Path) -> String {
    let said = cause.to_string();
    match cause {
        SqliteOpenError::Unusable { .. } => said,
        _ => said.replace(&copy.display().to_string(), &from.display().to_string()),
    }
}

/// Creates a directory, if it is not there.
fn private(path: &Path) -> Result<(), RestoreError> {
    make_private(path).map_err(unusable(path))
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> RestoreError + use<> {
    let path = PathBuf::from(path);
    move |cause| RestoreError::Unusable { path: path.clone(), cause }
}
