//! Errors of a data directory.

use std::io;
use std::path::{Path, PathBuf};

/// Why a data directory cannot be used; each says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The data directory could not be created, read or written.
    #[error(
        "The data directory {} cannot be used: {cause}. Make it writable for the user who runs onionroom, or \
         choose another with --data-dir.",
        path.display()
    )]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The path is not a directory.
    #[error("The data directory {} is not a directory. Choose another with --data-dir.", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// Something that is no file is where a file of the data directory should be.
    #[error("{} is not a file, so the data directory cannot be used. Remove it, or choose another directory with --data-dir.", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
    },
    /// Other users can read or write the data directory.
    #[error(
        "The data directory {} is open to other users of this machine (mode {mode:04o}), and it holds the key \
         of the onion address. Close it with: chmod 700 {}",
        path.display(),
        quoted(path)
    )]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The data directory belongs to another user.
    #[error(
        "The data directory {} belongs to another user (number {owner}; onionroom runs as number {user}), who \
         could read the key of the onion address. Run onionroom as that user, or choose another directory \
         with --data-dir.",
        path.display()
    )]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// The numeric id of its owner.
        owner: u32,
        /// The numeric id of the user that this process runs as.
        user: u32,
    },
    /// Another process, or another room of this one, uses the data directory.
    #[error(
        "Another onionroom is running on the data directory {}. Stop it, or choose another directory with \
         --data-dir.",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// No file system in memory for an ephemeral room.
    #[error(
        "An ephemeral room leaves nothing on a disk, and no file system in memory was found: neither XDG_RUNTIME_DIR \
         nor /dev/shm is a tmpfs that can be written to. Mount one there, or set storage.ephemeral_on_disk to true: then a \
         temporary directory is used, which is removed at the end, but a disk keeps traces."
    )]
    NoMemoryFileSystem,
    /// No temporary directory for an ephemeral room.
    #[error(
        "No temporary directory could be made: {cause}. Set TMPDIR to a directory that can be written to."
    )]
    NoTemporaryDirectory {
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// A path as it can be pasted into a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_mends_can_be_pasted() {
        assert_eq!(quoted(Path::new("/home/ann/.local")), "/home/ann/.local");
        assert_eq!(quoted(Path::new("/home/Ann's room")), r"'/home/Ann'\''s room'");
        let said = StorageError::Open { path: "/srv/my room".into(), mode: 0o755 }.to_string();
        assert!(said.contains("0755") && said.ends_with("chmod 700 '/srv/my room'"), "{said}");
    }
}
