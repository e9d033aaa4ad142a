//! Directories of ephemeral rooms: in memory, locked while the process lives, and removed by the next start if it was
//! killed.
//!
//! The lock is on the directory itself (flock(2)), so that there is no time at which the directory is there and cannot be
//! told to be of a living process: what is not locked may be removed, and a process that could not lock what it made,
//! or finds it removed, makes another.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::StorageError;

/// How the names begin.
const PREFIX: &str = "onionroom-ephemeral-";

/// How often a directory is made again that another process removed before it was locked.
const ATTEMPTS: usize = 16;

/// A directory that is removed when this is dropped.
#[derive(Debug)]
pub(super) struct EphemeralDirectory {
    directory: TempDir,
    /// Held until the directory is removed.
    #[allow(dead_code, reason = "held for its drop")]
    lock: File,
}

impl EphemeralDirectory {
    /// Makes one in a file system in memory, or, if `on_disk` allows it and there is none, in the system's directory for
    /// temporary files.
    ///
    /// # Errors
    /// There is no such file system, or no directory can be made.
    pub(super) fn make(on_disk: bool) -> Result<Self, StorageError> {
        Self::make_in(&directories_in_memory(), on_disk)
    }

    fn make_in(in_memory: &[PathBuf], on_disk: bool) -> Result<Self, StorageError> {
        if let Some(made) = in_memory.iter().find_map(|parent| make(parent).ok()) {
            return Ok(made);
        }
        if !on_disk {
            return Err(StorageError::NoMemoryFileSystem);
        }
        make(&std::env::temp_dir()).map_err(|cause| StorageError::NoTemporaryDirectory { cause })
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Removes what killed processes of this user left behind.
pub(super) fn sweep() {
    parents().for_each(|parent| sweep_in(&parent));
}

/// Those of this user.
pub(super) fn list() -> Vec<PathBuf> {
    parents().flat_map(|parent| list_in(&parent)).collect()
}

/// Where they may be.
fn parents() -> impl Iterator<Item = PathBuf> {
    directories_in_memory().into_iter().chain([std::env::temp_dir()])
}

/// Those in `parent` that are directories of this user's, and no links.
#[cfg(unix)]
fn list_in(parent: &Path) -> Vec<PathBuf> {
    use std::os::unix::fs::MetadataExt;

    let user = rustix::process::geteuid().as_raw();
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let named = entries.filter(|entry| is_named_so(&entry.file_name()));
    let own = named.filter(|entry| entry.metadata().is_ok_and(|data| data.is_dir() && data.uid() == user));
    own.map(|entry| entry.path()).collect()
}

#[cfg(not(unix))]
fn list_in(_parent: &Path) -> Vec<PathBuf> {
    Vec::new()
}

#[cfg(unix)]
fn is_named_so(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(PREFIX))
}

fn make(parent: &Path) -> io::Result<EphemeralDirectory> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    for _ in 0..ATTEMPTS {
        let directory = builder.tempdir_in(parent)?;
        match lock(directory.path()) {
            Ok(Some(lock)) => return Ok(EphemeralDirectory { directory, lock }),
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("other processes remove each directory that is made"))
}

#[cfg(target_os = "linux")]
fn directories_in_memory() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    runtime.into_iter().chain([PathBuf::from("/dev/shm")]).filter(|path| is_in_memory(path)).collect()
}

/// Other systems have no such directory.
#[cfg(not(target_os = "linux"))]
fn directories_in_memory() -> Vec<PathBuf> {
    Vec::new()
}

/// Whether a path is on a file system that is in memory, by its kind (statfs(2)); its name says nothing.
#[cfg(target_os = "linux")]
fn is_in_memory(path: &Path) -> bool {
    const TMPFS: i128 = 0x0102_1994;
    const RAMFS: i128 = 0x8584_58f6;
    rustix::fs::statfs(path)
        .is_ok_and(|system| matches!(i128::from(system.f_type) & 0xffff_ffff, TMPFS | RAMFS))
}

/// Opens and locks a directory of this user's; `None` if another process holds it or it was removed meanwhile.
#[cfg(unix)]
fn lock(path: &Path) -> io::Result<Option<File>> {
    use rustix::fs::{Mode, OFlags};
    use std::os::unix::fs::MetadataExt;

    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    match directory.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let (held, there) = (directory.metadata()?, fs::symlink_metadata(path)?);
    let same = (held.dev(), held.ino()) == (there.dev(), there.ino());
    let own = held.uid() == rustix::process::geteuid().as_raw();
    Ok((same && own).then_some(directory))
}

#[cfg(not(unix))]
fn lock(path: &Path) -> io::Result<Option<File>> {
    // Directories cannot be opened as files there; nothing sweeps them either.
    let file = File::create(path.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Removes the directories in `parent` that no process holds. Only where no other user can put something else in their
/// place: in a directory of this user's or root's in which each may remove only their own.
#[cfg(unix)]
fn sweep_in(parent: &Path) {
    use std::os::unix::fs::MetadataExt;

    let user = rustix::process::geteuid().as_raw();
    let safe = fs::metadata(parent).is_ok_and(|data| {
        let others_write = data.mode() & 0o022 != 0;
        (data.uid() == user || data.uid() == 0) && (!others_write || data.mode() & 0o1000 != 0)
    });
    let Ok(entries) = fs::read_dir(parent) else { return };
    if !safe {
        return;
    }
    for entry in entries.flatten() {
        if !is_named_so(&entry.file_name()) {
            continue;
        }
        if let Ok(Some(_held)) = lock(&entry.path()) {
            match fs::remove_dir_all(entry.path()) {
                Ok(()) => tracing::debug!("what a killed process left behind was removed"),
                Err(error) => tracing::warn!(%error, "what a killed process left behind cannot be removed"),
            }
        }
    }
}

#[cfg(not(unix))]
fn sweep_in(_parent: &Path) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use std::os::unix::fs::symlink;

    use super::*;

    /// It used to fall back on an ordinary disk without a word.
    #[test]
    fn without_memory_a_room_is_refused_unless_the_disk_is_allowed() {
        let refused = EphemeralDirectory::make_in(&[], false).unwrap_err().to_string();
        assert!(refused.contains("ephemeral_on_disk") && refused.contains("XDG_RUNTIME_DIR"), "{refused}");
        let allowed = EphemeralDirectory::make_in(&[], true).unwrap();
        assert!(allowed.path().starts_with(std::env::temp_dir()));
    }

    #[test]
    fn memory_is_told_by_the_kind_of_the_file_system() {
        assert!(is_in_memory(Path::new("/dev/shm")));
        assert!(!is_in_memory(Path::new("/proc")) && !is_in_memory(Path::new("/nowhere")));
        assert!(!is_in_memory(Path::new(env!("CARGO_MANIFEST_DIR"))), "the source is in memory here");
    }

    #[test]
    fn what_no_process_holds_is_swept_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let living = make(parent.path()).unwrap();
        fs::write(living.path().join("kept"), "").unwrap();
        let dead = parent.path().join(format!("{PREFIX}dead"));
        fs::create_dir_all(dead.join("tor/state")).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("kept"), "").unwrap();
        let link = parent.path().join(format!("{PREFIX}link"));
        symlink(elsewhere.path(), &link).unwrap();
        symlink(elsewhere.path(), dead.join("inside")).unwrap();
        let mut listed = list_in(parent.path());
        listed.sort();
        let mut own = [dead.clone(), living.path().to_owned()];
        own.sort();
        assert_eq!(listed, own, "no links");
        let file = parent.path().join(format!("{PREFIX}file"));
        fs::write(&file, "").unwrap();
        let other = parent.path().join("onionroom-other");
        fs::create_dir(&other).unwrap();

        sweep_in(parent.path());
        assert!(!dead.exists());
        for kept in [&living.path().join("kept"), &elsewhere.path().join("kept"), &link, &file, &other] {
            assert!(kept.exists(), "{}", kept.display());
        }
        let path = living.path().to_owned();
        drop(living);
        assert!(!path.exists());
    }

    #[test]
    fn nothing_is_swept_where_others_could_put_something_in_its_place() {
        use std::os::unix::fs::PermissionsExt;

        let parent = tempfile::tempdir().unwrap();
        let dead = parent.path().join(format!("{PREFIX}dead"));
        fs::create_dir(&dead).unwrap();
        fs::set_permissions(parent.path(), PermissionsExt::from_mode(0o777)).unwrap();
        sweep_in(parent.path());
        assert!(dead.exists());
        fs::set_permissions(parent.path(), PermissionsExt::from_mode(0o1777)).unwrap();
        sweep_in(parent.path());
        assert!(!dead.exists());
    }
}
