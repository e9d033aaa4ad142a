//! Puts a backup in place: the messages, the other rooms and the address of a copy of a data directory, or of a file that `super::backup` has
//! written, and its invitations if there are none. Those that there are stay: the backup's may have been removed since, and
//! without any a private room would open.
//!
//! The copy is made and opened beside what is there, and what is there is moved away only then. So a backup that is
//! damaged changes nothing, and of what is replaced nothing is lost.

mod error;
pub(super) mod exchange;
mod rooms;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use super::archive::{Archive, Parts, Passphrase, Progress, Step, Told};
use super::files::{ADDRESS, LOG_FILE, LOG_FILES, ROOMS, ROOMS_FILE, other_rooms};
use super::wipe;
use crate::invitations;
use crate::log::sqlite::Synchronous;
use crate::log::{Retention, SqliteLog};
use crate::storage::DataDirectory;
use error::replaced_in;
use exchange::{BACKUP, forget_key, private, unusable};

pub use error::RestoreError;

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// Whether the backup has messages.
    pub messages: bool,
    /// How many rooms it has beside the main one; `None` for a backup of the main room alone, which leaves the others as they are.
    pub rooms: Option<usize>,
    /// Whether it has an address.
    pub address: bool,
    /// Where that is which was there before, if anything was.
    pub replaced: Option<PathBuf>,
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
    // Otherwise the next start would wipe what is put in place now.
    wipe::finish(data)?;
    let in_use = || RestoreError::InUse { path: from.into() };
    if from.canonicalize().is_ok_and(|from| from.starts_with(data) && !from.starts_with(replaced_in(data))) {
        return Err(in_use());
    }
    let held = File::open(from.join("lock")).map(|lock| lock.try_lock().map(|()| lock));
    if matches!(held, Ok(Err(TryLockError::WouldBlock))) {
        return Err(in_use());
    }
    put_in_place(data, |copy| {
        let rooms = from.join(ROOMS_FILE).is_file() || !other_rooms(from).is_empty();
        let parts = Parts { messages, address, rooms };
        copy_all(from, copy, parts)?;
        let rooms = check(from, copy, parts, &mut |_| ())?;
        Ok((parts, rooms))
    })
}

/// The same with a file that `super::backup` has written. `passphrase` is asked for once the data directory is locked, and
/// `told` is told how far it is.
///
/// # Errors
/// The passphrase is wrong or none is given, the file is damaged, its log cannot be opened, or the system refuses.
pub fn restore_archive<E: From<RestoreError>>(
    data_dir: &Path,
    archive: Archive,
    passphrase: impl FnOnce() -> Result<Passphrase, E>,
    told: Told<'_>,
) -> Result<Restored, E> {
    let directory = DataDirectory::open(data_dir).map_err(RestoreError::from)?;
    wipe::finish(directory.path()).map_err(RestoreError::from)?;
    let (from, passphrase) = (archive.path().to_owned(), passphrase()?);
    let restored = put_in_place(directory.path(), |copy| {
        let parts = archive.extract(&passphrase, copy, told)?;
        if parts.rooms {
            rooms::keep_listed(&from, copy)?;
        }
        let rooms = check(&from, copy, parts, told)?;
        Ok((parts, rooms))
    });
    Ok(restored?)
}

/// Puts what `make` makes in a directory in the place of what is in the data directory.
fn put_in_place(
    data: &Path,
    make: impl FnOnce(&Path) -> Result<(Parts, usize), RestoreError>,
) -> Result<Restored, RestoreError> {
    let copy = BACKUP.begin(data)?;
    let (Parts { messages, address, rooms }, count) = make(&copy).inspect_err(|_| BACKUP.give_up(data))?;
    let mut names: Vec<&str> = LOG_FILES.into_iter().filter(|_| messages).collect();
    names.extend([ROOMS_FILE, ROOMS].into_iter().filter(|_| rooms));
    names.extend(address.then_some(ADDRESS));
    // Put in place first: the address is not to be opened to all, also if this is interrupted.
    let invited = copy.join(invitations::DIRECTORY).is_dir() && !data.join(invitations::DIRECTORY).exists();
    names.extend(invited.then_some(invitations::DIRECTORY));
    let replaced = BACKUP.put_in_place(data, &names)?;
    if address {
        // Whatever was to become of the key that is replaced.
        forget_key(data)?;
    }
    Ok(Restored { messages, rooms: rooms.then_some(count), address, replaced })
}

/// Opens each log of the copy once. Returns how many rooms there are beside the main one.
fn check(from: &Path, copy: &Path, parts: Parts, told: Told<'_>) -> Result<usize, RestoreError> {
    let others = if parts.rooms { other_rooms(copy) } else { Vec::new() };
    let places: Vec<_> = parts.messages.then(|| copy.to_owned()).into_iter().chain(others).collect();
    let total = places.len() as u64;
    for (done, place) in places.iter().enumerate() {
        told(Progress { step: Step::Checking, done: done as u64, total });
        let all = Retention { messages: usize::MAX, bytes: 0, age: None };
        drop(
            SqliteLog::open(&place.join(LOG_FILE), all, Synchronous::Full)
                .map_err(|cause| RestoreError::Log { from: from.into(), copy: copy.into(), cause })?,
        );
    }
    if parts.rooms { rooms::count(copy) } else { Ok(0) }
}

/// Makes the copy.
fn copy_all(from: &Path, copy: &Path, parts: Parts) -> Result<(), RestoreError> {
    if parts.messages {
        copy_log(from, copy)?;
    }
    if parts.rooms {
        if from.join(ROOMS_FILE).is_file() {
            copy_file(&from.join(ROOMS_FILE), &copy.join(ROOMS_FILE))?;
        }
        private(&copy.join(ROOMS))?;
        for room in other_rooms(from).into_iter().filter(|room| room.join(LOG_FILE).is_file()) {
            let to = copy.join(ROOMS).join(room.file_name().unwrap_or_default());
            private(&to)?;
            copy_log(&room, &to)?;
        }
    }
    if parts.address {
        private(&copy.join("tor"))?;
        copy_tree(&from.join(ADDRESS), &copy.join(ADDRESS))?;
    }
    let invited = from.join(invitations::DIRECTORY);
    if invited.is_dir() {
        copy_tree(&invited, &copy.join(invitations::DIRECTORY))?;
    }
    Ok(())
}

/// Copies the files of a log.
fn copy_log(from: &Path, to: &Path) -> Result<(), RestoreError> {
    for name in LOG_FILES {
        let file = from.join(name);
        if file.exists() {
            copy_file(&file, &to.join(name))?;
        }
    }
    Ok(())
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
