//! The data directory: the room's key, messages and state; private, and locked by one process. `ephemeral` is the one of a
//! room that leaves nothing; `erase` overwrites files.

mod ephemeral;
pub mod erase;
mod error;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use ephemeral::EphemeralDirectory;

pub use error::StorageError;

/// When a lock is tried again that was taken.
const ASKED_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// A room's data directory, held by this process.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    hold: Hold,
}

#[derive(Debug)]
enum Hold {
    /// A lock, released with the file's handle.
    Lock(#[allow(dead_code, reason = "held for its drop")] File),
    /// A directory of an ephemeral room, removed when dropped.
    Ephemeral(#[allow(dead_code, reason = "held for its drop")] EphemeralDirectory),
}

impl DataDirectory {
    /// Opens the directory at `path`, or creates it with the mode 0700, and locks it.
    ///
    /// The permissions of the files inside are not checked: no other user gets past a directory with that mode.
    ///
    /// # Errors
    /// Other users can read or write the directory, it belongs to another user, it is in use, or the system refuses.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let path = make_and_check(path)?;
        // Arti's own lock is not enough: without it Arti goes on, reading only.
        let unusable = |cause| StorageError::Unusable { path: path.clone(), cause };
        let lock = open_lock(&path.join("lock"))?;
        let mut locked = lock.try_lock();
        if matches!(locked, Err(TryLockError::WouldBlock)) {
            // A command that only asks, see `is_in_use`, has it for a moment.
            thread::sleep(ASKED_AGAIN_AFTER);
            locked = lock.try_lock();
        }
        match locked {
            Ok(()) => Ok(Self { path, hold: Hold::Lock(lock) }),
            Err(TryLockError::WouldBlock) => Err(StorageError::InUse { path }),
            Err(TryLockError::Error(cause)) => Err(unusable(cause)),
        }
    }

    /// A directory of a room that leaves nothing: in memory, removed when this is dropped, or by [`DataDirectory::sweep`]
    /// when the process was killed. `on_disk` allows it on an ordinary disk where nothing is in memory.
    ///
    /// # Errors
    /// When there is no file system in memory, or no directory can be made there.
    pub fn ephemeral(on_disk: bool) -> Result<Self, StorageError> {
        let directory = EphemeralDirectory::make(on_disk)?;
        let canonical = directory.path().canonicalize();
        let path = canonical.map_err(|cause| StorageError::NoTemporaryDirectory { cause })?;
        Ok(Self { path, hold: Hold::Ephemeral(directory) })
    }

    /// Removes the ephemeral directories of this user's processes that were killed. Those of living ones are locked.
    pub fn sweep() {
        ephemeral::sweep();
    }

    /// The ephemeral directories of this user, of living processes and of killed ones.
    pub fn ephemeral_ones() -> Vec<PathBuf> {
        ephemeral::list()
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is removed with the process.
    pub fn is_ephemeral(&self) -> bool {
        matches!(self.hold, Hold::Ephemeral(_))
    }

    /// A directory inside, created if it is absent, with the mode 0700.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn make(&self, name: &str) -> Result<PathBuf, StorageError> {
        let path = self.path.join(name);
        match make_private(&path) {
            Ok(()) => Ok(path),
            Err(cause) => Err(StorageError::Unusable { path, cause }),
        }
    }
}

/// Creates a data directory where it is missing, with the mode 0700, and looks that it is private. Does not lock it: a room
/// may have it open. Returns its path, absolute and without links.
///
/// # Errors
/// As [`DataDirectory::open`], except that it may be in use.
pub(crate) fn make_and_check(path: &Path) -> Result<PathBuf, StorageError> {
    let unusable = |cause| StorageError::Unusable { path: path.into(), cause };
    make_private(path).map_err(|cause| match fs::metadata(path) {
        Ok(data) if !data.is_dir() => StorageError::NotADirectory { path: path.into() },
        _ => unusable(cause),
    })?;
    // A relative path or a link would be resolved anew each time.
    let path = path.canonicalize().map_err(unusable)?;
    check_private(&path)?;
    Ok(path)
}

/// Whether a process holds this data directory.
pub(crate) fn is_in_use(path: &Path) -> bool {
    // Not created where it is missing. Something that is no file is not opened either: a pipe would wait.
    let lock = path.join("lock");
    let is_file = fs::metadata(&lock).is_ok_and(|data| data.is_file());
    is_file
        && File::open(&lock).is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Creates a file that only its owner can read, with the mode 0600.
///
/// # Errors
/// There is something of that name, or the system refuses.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Opens the file of the lock, or creates it. Something else in its place is refused: a named pipe would wait for a reader
/// for ever.
pub(crate) fn open_lock(path: &Path) -> Result<File, StorageError> {
    let no_file = || StorageError::NoFile { path: path.into() };
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        rustix::fs::OFlags::NONBLOCK.bits().cast_signed(),
    );
    let lock = options.open(path).map_err(|cause| match fs::metadata(path) {
        Ok(data) if !data.is_file() => no_file(),
        _ => StorageError::Unusable { path: path.into(), cause },
    })?;
    match lock.metadata() {
        Ok(data) if data.is_file() => Ok(lock),
        Ok(_) => Err(no_file()),
        Err(cause) => Err(StorageError::Unusable { path: path.into(), cause }),
    }
}

/// Creates a directory, and missing ones above it, with the mode 0700; nothing if it is there.
///
/// # Errors
/// When the system refuses.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), StorageError> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    let unusable = |cause| StorageError::Unusable { path: path.into(), cause };
    let data = fs::metadata(path).map_err(unusable)?;
    // The owner of a new file is the user of this process; it also shows that the directory is writable. The file never
    // shows in the directory.
    let user = tempfile::tempfile_in(path).and_then(|file| file.metadata()).map_err(unusable)?.uid();
    if data.uid() != user {
        return Err(StorageError::Foreign { path: path.into(), owner: data.uid(), user });
    }
    let mode = data.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(StorageError::Open { path: path.into(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_path: &Path) -> Result<(), StorageError> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_private() {
        let parent = tempfile::tempdir().unwrap();
        let data_dir = parent.path().join("a/room");
        let directory = DataDirectory::open(&data_dir).unwrap();
        for path in [&data_dir, &directory.make("tor/state").unwrap()] {
            assert_eq!(mode(path), 0o700, "{}", path.display());
        }
    }

    #[test]
    fn a_directory_open_to_others_is_refused_with_the_command_that_mends_it() {
        let parent = tempfile::tempdir().unwrap();
        for open in [0o755, 0o750, 0o701, 0o1777] {
            let data_dir = parent.path().join("room");
            fs::create_dir_all(&data_dir).unwrap();
            fs::set_permissions(&data_dir, PermissionsExt::from_mode(open)).unwrap();
            let said = DataDirectory::open(&data_dir).unwrap_err().to_string();
            assert!(said.contains("chmod 700 /") && said.contains(&format!("{open:04o}")), "{said}");
        }
    }

    #[test]
    fn a_directory_in_use_is_refused_until_it_is_given_back() {
        let parent = tempfile::tempdir().unwrap();
        let data_dir = parent.path().join("room");
        let first = DataDirectory::open(&data_dir).unwrap();
        let said = DataDirectory::open(&data_dir).unwrap_err().to_string();
        assert!(said.contains("Another onionroom"), "{said}");
        drop(first);
        DataDirectory::open(&data_dir).unwrap();
    }

    #[test]
    fn the_directory_of_another_user_is_refused() {
        let own = tempfile::tempdir().unwrap();
        let user = fs::metadata(own.path()).unwrap().uid();
        // Root can give a directory away. Any other user can write to a directory of root's: the one for temporary files.
        let data_dir = match chown(own.path(), Some(user + 1), None) {
            Ok(()) => own.path(),
            Err(_) => Path::new("/tmp"),
        };
        let owner = fs::metadata(data_dir).unwrap().uid();
        assert_ne!(owner, user, "{} is not of another user", data_dir.display());
        let refused = DataDirectory::open(data_dir).unwrap_err();
        assert!(
            matches!(refused, StorageError::Foreign { owner: told, user: own, .. } if (told, own) == (owner, user)),
            "{refused:?}"
        );
        assert!(refused.to_string().contains("another user"), "{refused}");
    }

    #[test]
    fn a_file_in_its_place_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let said = DataDirectory::open(file.path()).unwrap_err().to_string();
        assert!(said.contains("not a directory"), "{said}");
    }

    /// A named pipe used to hang for ever.
    #[test]
    fn what_is_no_file_in_the_place_of_the_lock_is_named() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        let parent = tempfile::tempdir().unwrap();
        let data_dir = parent.path().canonicalize().unwrap().join("room");
        make_private(&data_dir).unwrap();
        let lock = data_dir.join("lock");
        let refused = || {
            let said = DataDirectory::open(&data_dir).unwrap_err().to_string();
            assert!(said.contains(lock.to_str().unwrap()) && said.contains("not a file"), "{said}");
        };
        mknodat(CWD, &lock, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        refused();
        let _reader = File::options().read(true).write(true).open(&lock).unwrap();
        refused();
        fs::remove_file(&lock).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(&lock).unwrap();
        refused();
        fs::remove_file(&lock).unwrap();
        fs::create_dir(&lock).unwrap();
        refused();
        fs::remove_dir(&lock).unwrap();
        DataDirectory::open(&data_dir).unwrap();
    }

    #[test]
    fn ephemeral_storage_is_private_and_leaves_nothing() {
        let directory = DataDirectory::ephemeral(true).unwrap();
        let path = directory.path().to_owned();
        assert_eq!(mode(&path), 0o700);
        drop(directory);
        assert!(!path.exists());
    }
}
