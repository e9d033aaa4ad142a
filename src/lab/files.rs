//! The network's directory: private to its owner, and gone at the end unless somebody chose it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::LabError;

/// The directory that holds everything a network writes.
#[derive(Debug)]
pub(super) enum Directory {
    /// Made by us, removed when dropped.
    Temporary(TempDir),
    /// Chosen by somebody, who may want to read the logs: kept.
    Chosen(PathBuf),
}

impl Directory {
    /// A new directory with mode 0700: `chosen`, which must be absent or empty, or a temporary one.
    pub(super) fn new(chosen: Option<PathBuf>) -> Result<Self, LabError> {
        let Some(path) = chosen else {
            let mut builder = tempfile::Builder::new();
            builder.prefix("onionroom-lab-");
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
            return builder
                .tempdir()
                .map(Directory::Temporary)
                .map_err(|cause| LabError::File { path: std::env::temp_dir(), cause });
        };
        make(&path)?;
        // Nodes run elsewhere than we do, so their files need absolute names.
        let path = path.canonicalize().map_err(|cause| LabError::File { path: path.clone(), cause })?;
        let mut entries =
            fs::read_dir(&path).map_err(|cause| LabError::File { path: path.clone(), cause })?;
        if entries.next().is_some() {
            return Err(LabError::DirectoryNotEmpty(path));
        }
        Ok(Directory::Chosen(path))
    }

    /// Where it is; absolute.
    pub(super) fn path(&self) -> &Path {
        match self {
            Directory::Temporary(made) => made.path(),
            Directory::Chosen(path) => path,
        }
    }
}

/// Makes a directory, and what leads to it, and closes it to everybody else.
pub(super) fn make(path: &Path) -> Result<(), LabError> {
    make_private(path).map_err(|cause| LabError::File { path: path.into(), cause })
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Writes a file, replacing what is there.
pub(super) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), LabError> {
    fs::write(path, content).map_err(|cause| LabError::File { path: path.into(), cause })
}

/// Reads a text file.
pub(super) fn read(path: &Path) -> Result<String, LabError> {
    fs::read_to_string(path).map_err(|cause| LabError::File { path: path.into(), cause })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777
    }

    #[cfg(unix)]
    #[test]
    fn directories_are_closed_to_others() {
        let outer = tempfile::tempdir().unwrap();
        for chosen in [None, Some(outer.path().join("a/b"))] {
            let made = Directory::new(chosen).unwrap();
            assert_eq!(mode(made.path()), 0o700);
        }
    }

    #[test]
    fn a_temporary_directory_goes_and_a_chosen_one_stays() {
        let outer = tempfile::tempdir().unwrap();
        let chosen = outer.path().join("a/b");
        drop(Directory::new(Some(chosen.clone())).unwrap());
        assert!(chosen.exists());

        let temporary = Directory::new(None).unwrap();
        let path = temporary.path().to_path_buf();
        drop(temporary);
        assert!(!path.exists());
    }

    #[test]
    fn a_directory_with_something_in_it_is_refused() {
        let outer = tempfile::tempdir().unwrap();
        fs::write(outer.path().join("letter"), "dear").unwrap();
        let said = Directory::new(Some(outer.path().into())).unwrap_err().to_string();
        assert!(said.contains("not empty"), "{said}");
        assert!(outer.path().join("letter").exists());
    }
}
