//! The key that all machines of a room share, and the file that it is in.
//!
//! The file is one line of 64 hexadecimal digits, readable by its owner alone. Keys for each purpose are derived from it with
//! SHA-256; all that goes in has a fixed length, or is the last.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER_PERMISSIVE;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::sealing::Sealer;

/// The shared key.
#[derive(Clone)]
pub struct ClusterSecret(Zeroizing<[u8; 32]>);

/// Why there is no shared key.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error(
        "The key of the cluster cannot be read from {}: {source}. Make it once with `onionroom cluster key FILE` and copy it to each machine of the room.", file.display()
    )]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others can read the file.
    #[error(
        "The key of the cluster in {} can be read by others on this machine. Say `chmod 600 {}`, and make another key if they may have done so.", file.display(), file.display()
    )]
    Exposed {
        /// The file.
        file: PathBuf,
    },
    /// The file has something else in it.
    #[error(
        "{} is not a key of a cluster: that is one line of 64 hexadecimal digits. Copy the file of another machine of the room, or make one with `onionroom cluster key FILE`.", file.display()
    )]
    NoKey {
        /// The file.
        file: PathBuf,
    },
    /// The file cannot be made.
    #[error("The key of the cluster cannot be written to {}: {source}.", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// Why not; a file that exists is not replaced.
        source: io::Error,
    },
    /// The operating system gave no randomness.
    #[error("The operating system gives no randomness: {0}. No key can be made without it.")]
    Randomness(#[from] getrandom::Error),
}

impl ClusterSecret {
    /// A new key.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut key[..])?;
        Ok(Self(key))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// It is missing, has something else in it, or can be read by others.
    pub fn read(file: &Path) -> Result<Self, SecretError> {
        let unreadable = |source| SecretError::Unreadable { file: file.into(), source };
        let opened = File::open(file).map_err(unreadable)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            if opened.metadata().map_err(unreadable)?.mode() & 0o077 != 0 {
                return Err(SecretError::Exposed { file: file.into() });
            }
        }
        drop(opened);
        let text = Zeroizing::new(fs::read(file).map_err(unreadable)?);
        let mut key = Zeroizing::new([0; 32]);
        let digits = text.trim_ascii();
        if digits.len() == 64 && HEXLOWER_PERMISSIVE.decode_mut(digits, &mut key[..]).is_ok() {
            return Ok(Self(key));
        }
        Err(SecretError::NoKey { file: file.into() })
    }

    /// Writes a new file, readable by its owner alone, and waits until it is on the disk.
    ///
    /// # Errors
    /// It exists, or cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), SecretError> {
        let write = || {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut opened = options.open(file)?;
            let text = Zeroizing::new(HEXLOWER_PERMISSIVE.encode(&self.0[..]) + "\n");
            opened.write_all(text.as_bytes())?;
            opened.sync_all()
        };
        write().map_err(|source| SecretError::Unwritable { file: file.into(), source })
    }

    /// A key for one purpose in one room.
    pub fn derive(&self, purpose: &str, room: &str) -> Zeroizing<[u8; 32]> {
        let length = u8::try_from(purpose.len()).unwrap_or(u8::MAX);
        let hash = Sha256::new()
            .chain_update("onionroom cluster 1")
            .chain_update(&self.0[..])
            .chain_update([length])
            .chain_update(purpose)
            .chain_update(room);
        Zeroizing::new(hash.finalize().into())
    }

    /// What encrypts for one purpose in one room.
    pub fn sealer(&self, purpose: &str, room: &str) -> Sealer {
        Sealer::new(&self.derive(purpose, room))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    #[test]
    fn the_file_is_private_and_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        let missing = ClusterSecret::read(&file).err().unwrap().to_string();
        assert!(missing.contains("onionroom cluster key"), "{missing}");
        let secret = ClusterSecret::random().unwrap();
        secret.write(&file).unwrap();
        assert_eq!(ClusterSecret::read(&file).unwrap().0, secret.0);
        assert!(secret.write(&file).is_err(), "a key is not replaced");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
            let exposed = ClusterSecret::read(&file).err().unwrap().to_string();
            assert!(exposed.contains("chmod 600"), "{exposed}");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        for wrong in ["", "00", &"g".repeat(64), &"0".repeat(65)] {
            fs::write(&file, wrong).unwrap();
            assert!(matches!(ClusterSecret::read(&file), Err(SecretError::NoKey { .. })), "{wrong}");
        }
    }

    #[test]
    fn each_purpose_and_room_has_a_key_of_its_own() {
        let secret = ClusterSecret(Zeroizing::new([7; 32]));
        let keys = [
            secret.derive("a", "bc"),
            secret.derive("ab", "c"),
            secret.derive("a", "b"),
            secret.derive("b", "a"),
        ];
        for (place, key) in keys.iter().enumerate() {
            assert!(keys[..place].iter().all(|other| other != key));
        }
        assert_eq!(secret.derive("a", "bc"), keys[0]);
    }
}
