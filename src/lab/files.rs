//! The files of a network, with errors that name the path.

use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;

use super::error::LabError;

/// Creates the network's directory, with mode 0700 and an absolute path; dropping it removes it.
pub(super) fn network_directory() -> Result<TempDir, LabError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("onionroom-lab-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir().map_err(|cause| LabError::File { path: std::env::temp_dir(), cause })
}

/// Creates a directory with mode 0700, if it is missing.
pub(super) fn create_directory(path: &Path) -> Result<(), LabError> {
    create_private(path).map_err(|cause| LabError::File { path: path.into(), cause })
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
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

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn directories_are_private_and_removed_at_the_end() {
        let network = network_directory().unwrap();
        let node = network.path().join("relay1");
        create_directory(&node).unwrap();
        assert!(node.is_absolute());
        for path in [network.path(), &node] {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
        drop(network);
        assert!(!node.exists());
    }
}
