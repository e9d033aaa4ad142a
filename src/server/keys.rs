//! The key of the address: shown, written out for C Tor, and taken from it.

use std::io;
use std::path::{Path, PathBuf};

use super::restore::RestoreError;
use super::restore::exchange::{self, KEY};
use super::wipe;
use crate::storage::{DataDirectory, StorageError, make_private};
use crate::tor::c_tor::{self, CTorError};
use crate::tor::{IdentityKey, KeystoreError, OnionAddress};

/// What is moved away when another key is put in place: with the key go those that are made from it, and the introduction
/// points that were chosen for it.
const WITH_THE_KEY: [&str; 2] = ["tor/state/keystore", "tor/state/hss"];

/// Where Tor's guards are: they are of this machine, and stay. A copy goes with a key that is moved away, so that
/// `onionroom restore` puts both back.
const GUARDS: &str = "tor/state/state/guards.json";

/// The key of an address, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// The address.
    pub address: OnionAddress,
    /// Its file.
    pub path: PathBuf,
    /// The permissions of the file, where the system has them.
    pub mode: Option<u32>,
}

/// A key that was put in place.
#[derive(Debug)]
pub struct Imported {
    /// The address that the room has now.
    pub address: OnionAddress,
    /// The address that it had, if it was another.
    pub before: Option<OnionAddress>,
    /// Where that is which was replaced, if anything was.
    pub replaced: Option<PathBuf>,
}

/// Why a key cannot be shown, written out or put in place.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// There is no key.
    #[error(
        "There is no key in {}: it is made when the room is opened for the first time. --data-dir names another directory.",
        path.display()
    )]
    None {
        /// The data directory.
        path: PathBuf,
    },
    /// Arti's keystore cannot be used.
    #[error("The keystore in {} cannot be used: {cause}.", path.display())]
    Keystore {
        /// The data directory.
        path: PathBuf,
        /// What Arti said.
        cause: KeystoreError,
    },
    /// C Tor's files cannot be used.
    #[error(transparent)]
    CTor(#[from] CTorError),
    /// There is a key already.
    #[error(
        "The room in {} has a key already, that of {address}, and guests know it by that. With --replace it gets the other \
         address, and the key is moved to `replaced` inside that directory.",
        path.display()
    )]
    Exists {
        /// The data directory.
        path: PathBuf,
        /// Its address.
        address: OnionAddress,
    },
    /// The room has this key.
    #[error("The room has this key already: its address is {address}. Nothing was changed.")]
    Same {
        /// Its address.
        address: OnionAddress,
    },
    /// It cannot be put in place, or another one was not put in place completely.
    #[error(transparent)]
    Exchange(#[from] RestoreError),
    /// The system refuses.
    #[error("{} cannot be used: {cause}.", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// The key of the room in this data directory, which may be open.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn show(data_dir: &Path) -> Result<KeyFacts, KeyError> {
    let key = read(data_dir)?;
    let path = IdentityKey::place(data_dir);
    let data = path.metadata().map_err(|cause| KeyError::Unusable { path: path.clone(), cause })?;
    Ok(KeyFacts { address: key.address(), path, mode: mode(&data) })
}

/// Writes the key of the room in this data directory, which may be open, as C Tor's files, see [`c_tor::write`].
///
/// # Errors
/// There is none, or the files cannot be written.
pub fn export(data_dir: &Path, to: &Path) -> Result<OnionAddress, KeyError> {
    let key = read(data_dir)?;
    c_tor::write(&key, to)?;
    Ok(key.address())
}

/// Puts the key in C Tor's files in the place of the one in the data directory, which must not be in use; with `replace` if there is
/// one. What was there is moved to a directory inside; messages stay.
///
/// # Errors
/// The files cannot be used, there is a key already, or the system refuses.
pub fn import(data_dir: &Path, from: &Path, replace: bool) -> Result<Imported, KeyError> {
    let key = c_tor::read(from)?;
    let address = key.address();
    let directory = DataDirectory::open(data_dir)?;
    let data = directory.path();
    // Otherwise the next start would wipe what is put in place now.
    wipe::finish(data).map_err(RestoreError::from)?;
    if exchange::restore_was_interrupted(data) {
        return Err(RestoreError::Interrupted { path: data.into() }.into());
    }
    let before = IdentityKey::read(data).map_err(keystore(data))?.map(|key| key.address());
    match &before {
        Some(before) if *before == address => return Err(KeyError::Same { address }),
        Some(before) if !replace => {
            return Err(KeyError::Exists { path: data.into(), address: before.clone() });
        }
        _ => {}
    }
    let copy = KEY.begin(data)?;
    let written = key.write(&copy).map_err(keystore(data));
    written.inspect_err(|_| KEY.give_up(data))?;
    let replaced = KEY.put_in_place(data, &WITH_THE_KEY)?;
    if let Some(replaced) = &replaced {
        // Those in place stay, so nothing is lost where this fails.
        if let Err(error) = copy_guards(data, replaced) {
            tracing::debug!(%error, "Tor's guards were not copied beside the key that was replaced");
        }
    }
    Ok(Imported { address, before, replaced })
}

fn copy_guards(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (from.join(GUARDS), to.join(GUARDS));
    if let Some(place) = to.parent().filter(|_| from.exists()) {
        make_private(place)?;
        std::fs::copy(from, to)?;
    }
    Ok(())
}

fn read(data_dir: &Path) -> Result<IdentityKey, KeyError> {
    let key = IdentityKey::read(data_dir).map_err(keystore(data_dir))?;
    key.ok_or_else(|| KeyError::None { path: data_dir.into() })
}

fn keystore(path: &Path) -> impl Fn(KeystoreError) -> KeyError + use<> {
    let path = PathBuf::from(path);
    move |cause| KeyError::Keystore { path: path.clone(), cause }
}

#[cfg(unix)]
fn mode(data: &std::fs::Metadata) -> Option<u32> {
    Some(std::os::unix::fs::PermissionsExt::mode(&data.permissions()) & 0o7777)
}

#[cfg(not(unix))]
fn mode(_data: &std::fs::Metadata) -> Option<u32> {
    None
}

#[cfg(all(test, unix))]
#[path = "keys_tests.rs"]
mod tests;
