//! Where keys, state and the cached directory live: under the data directory, or in memory for an ephemeral
//! room.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::TorError;

/// The directories of one room's Tor side, for as long as it holds them.
#[derive(Debug)]
pub(super) struct Storage {
    /// Keys and state.
    pub(super) state: PathBuf,
    /// What can be downloaded again.
    pub(super) cache: PathBuf,
    /// Who holds the directories: dropping this gives them back.
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// By a lock, which ends with the file's handle.
    Locked(#[allow(dead_code, reason = "held for its drop")] File),
    /// By having made them, and removing them in the end.
    Made(#[allow(dead_code, reason = "held for its drop")] TempDir),
}

impl Storage {
    /// The storage under `data_dir`, which is made if it is not there, with the mode 0700.
    ///
    /// What lies inside is not looked at any further: nobody else gets past a directory with that mode.
    ///
    /// # Errors
    /// When others can read or write the directory, it belongs to somebody else, it is in use, or the system
    /// refuses.
    pub(super) fn persistent(data_dir: &Path) -> Result<Self, TorError> {
        let unusable = |cause| TorError::DataDirUnusable { path: data_dir.into(), cause };
        make_private(data_dir).map_err(|cause| match fs::metadata(data_dir) {
            Ok(data) if !data.is_dir() => TorError::DataDirNotADirectory { path: data_dir.into() },
            _ => unusable(cause),
        })?;
        // Arti gets no relative path and no link: it would resolve them anew each time.
        let data_dir = data_dir.canonicalize().map_err(unusable)?;
        check_private(&data_dir)?;

        // Arti's own locks are not enough: it goes on without the lock on its state, reading only.
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(data_dir.join("lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(TorError::DataDirInUse { path: data_dir }),
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }

        let tor = data_dir.join("tor");
        Self::within(&tor, Held::Locked(lock)).map_err(unusable)
    }

    /// Storage that is gone when this is dropped, in memory where the system has a file system there. The
    /// key of the address is not even written to that.
    ///
    /// # Errors
    /// When no temporary directory can be made.
    pub(super) fn ephemeral() -> Result<Self, TorError> {
        let make = |parent: &Path| {
            let mut builder = tempfile::Builder::new();
            builder.prefix("onionroom-");
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
            builder.tempdir_in(parent)
        };
        let directory = directories_in_memory()
            .iter()
            .find_map(|parent| make(parent).ok())
            .map_or_else(|| make(&std::env::temp_dir()), Ok)
            .map_err(|cause| TorError::NoTemporaryDirectory { cause })?;
        let path =
            directory.path().canonicalize().map_err(|cause| TorError::NoTemporaryDirectory { cause })?;
        Self::within(&path, Held::Made(directory)).map_err(|cause| TorError::NoTemporaryDirectory { cause })
    }

    /// Whether nothing of this outlives the program.
    pub(super) fn is_ephemeral(&self) -> bool {
        matches!(self.held, Held::Made(_))
    }

    fn within(directory: &Path, held: Held) -> io::Result<Self> {
        let (state, cache) = (directory.join("state"), directory.join("cache"));
        make_private(&state)?;
        make_private(&cache)?;
        Ok(Self { state, cache, held })
    }
}

/// Where a temporary directory does not touch a disk, as far as one can know: Linux's two places.
fn directories_in_memory() -> Vec<PathBuf> {
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    runtime.into_iter().chain([PathBuf::from("/dev/shm")]).collect()
}

/// Makes a directory, and those above it that are missing, open to nobody else.
fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), TorError> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    let unusable = |cause| TorError::DataDirUnusable { path: path.into(), cause };
    let data = fs::metadata(path).map_err(unusable)?;
    // A file of our own tells who we are, and that we may write; it never shows in the directory.
    let user = tempfile::tempfile_in(path).and_then(|file| file.metadata()).map_err(unusable)?.uid();
    if data.uid() != user {
        return Err(TorError::DataDirForeign { path: path.into(), owner: data.uid(), user });
    }
    let mode = data.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(TorError::DataDirOpen { path: path.into(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_path: &Path) -> Result<(), TorError> {
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
        let storage = Storage::persistent(&data_dir).unwrap();
        for path in [&data_dir, &storage.state, &storage.cache] {
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
            let said = Storage::persistent(&data_dir).unwrap_err().to_string();
            assert!(said.contains("chmod 700 /") && said.contains(&format!("{open:04o}")), "{said}");
        }
    }

    #[test]
    fn a_directory_in_use_is_refused_until_it_is_given_back() {
        let parent = tempfile::tempdir().unwrap();
        let data_dir = parent.path().join("room");
        let first = Storage::persistent(&data_dir).unwrap();
        let said = Storage::persistent(&data_dir).unwrap_err().to_string();
        assert!(said.contains("Another onionroom"), "{said}");
        drop(first);
        Storage::persistent(&data_dir).unwrap();
    }

    #[test]
    fn somebody_elses_directory_is_refused() {
        let data_dir = tempfile::tempdir().unwrap();
        let own = fs::metadata(data_dir.path()).unwrap().uid();
        // Only root can give a directory away; others cannot come into this situation by themselves.
        if chown(data_dir.path(), Some(own + 1), None).is_ok() {
            let said = Storage::persistent(data_dir.path()).unwrap_err().to_string();
            assert!(said.contains("another user"), "{said}");
        }
    }

    #[test]
    fn a_file_in_its_place_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let said = Storage::persistent(file.path()).unwrap_err().to_string();
        assert!(said.contains("not a directory"), "{said}");
    }

    #[test]
    fn ephemeral_storage_is_private_and_leaves_nothing() {
        let storage = Storage::ephemeral().unwrap();
        let directory = storage.state.parent().unwrap().to_owned();
        assert_eq!(mode(&directory), 0o700);
        drop(storage);
        assert!(!directory.exists());
    }
}
