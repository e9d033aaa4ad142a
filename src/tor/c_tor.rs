//! The directory of an onion service as C Tor keeps it: the files `hs_ed25519_secret_key`, `hs_ed25519_public_key` and
//! `hostname`.
//!
//! A file of a key is 32 bytes, which begin with its type and are filled up with zeros, and the key: 64 bytes of the expanded
//! secret key, or 32 of the public one.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::identity::IdentityKey;
use crate::storage::{create_new, make_private};

/// What the file of the secret key begins with.
const SECRET: &[u8; 32] = b"== ed25519v1-secret: type0 ==\0\0\0";

/// What the file of the public key begins with.
const PUBLIC: &[u8; 32] = b"== ed25519v1-public: type0 ==\0\0\0";

const SECRET_FILE: &str = "hs_ed25519_secret_key";
const PUBLIC_FILE: &str = "hs_ed25519_public_key";
const HOSTNAME_FILE: &str = "hostname";

/// How many bytes of a file are read at most: more than each of them has.
const READ_MOST: u64 = 4096;

/// Why C Tor's files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CTorError {
    /// There is no secret key.
    #[error("In {} is no hs_ed25519_secret_key. Name the HiddenServiceDir of C Tor, or that file itself.", path.display())]
    NoSecret {
        /// The directory.
        path: PathBuf,
    },
    /// Other users can read it.
    #[error(
        "The key {} can be read by other users of this machine (mode {mode:04o}), who may have a copy. Close it with: \
         chmod 600 {}",
        path.display(),
        path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Other users can look into the directory that it is to be written to.
    #[error(
        "The directory {} is open to other users of this machine (mode {mode:04o}). Name one that is not there yet.",
        path.display()
    )]
    DirectoryOpen {
        /// The directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is no such file, or damaged.
    #[error("{} is not a file of C Tor's, or damaged: {what}.", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In which way.
        what: &'static str,
    },
    /// A file beside the secret key is of another key.
    #[error(
        "{} does not belong to the secret key beside it. Name the file hs_ed25519_secret_key itself if that is the right one.",
        path.display()
    )]
    NotTogether {
        /// The file.
        path: PathBuf,
    },
    /// It would be overwritten.
    #[error("{} exists, and no key is overwritten. Name a directory that is not there yet, or is empty.", path.display())]
    Exists {
        /// What exists.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("{} cannot be used: {cause}.", path.display())]
    Unusable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// Reads the key in a directory of C Tor's, and checks that the other files belong to it, where they are there; or in a file of
/// the secret key alone.
///
/// # Errors
/// There is none, others can read it, or a file is damaged or of another key.
pub fn read(from: &Path) -> Result<IdentityKey, CTorError> {
    let directory = from.is_dir().then_some(from);
    let secret = directory.map_or_else(|| from.to_owned(), |directory| directory.join(SECRET_FILE));
    if directory.is_some() && !secret.exists() {
        return Err(CTorError::NoSecret { path: from.into() });
    }
    let damaged = |path: &Path, what| CTorError::Damaged { path: path.into(), what };
    let bytes = contents(&secret, true)?;
    let key = match bytes.split_first_chunk::<32>() {
        Some((SECRET, key)) => key,
        _ => return Err(damaged(&secret, "it does not begin as the file of a secret key does")),
    };
    let key: &[u8; 64] = key.try_into().map_err(|_| damaged(&secret, "it does not have 96 bytes"))?;
    let key = IdentityKey::from_expanded(key).ok_or_else(|| damaged(&secret, "what is in it is no key"))?;

    for name in [PUBLIC_FILE, HOSTNAME_FILE] {
        let Some(file) = directory.map(|directory| directory.join(name)).filter(|file| file.exists()) else {
            continue;
        };
        let bytes = contents(&file, false)?;
        let belongs = match name {
            PUBLIC_FILE => *bytes == [&PUBLIC[..], &key.public()].concat(),
            _ => bytes.trim_ascii() == key.address().as_str().as_bytes(),
        };
        if !belongs {
            return Err(CTorError::NotTogether { path: file });
        }
    }
    Ok(key)
}

/// Writes the three files into a directory, which is made with the mode 0700. If the last part of `to` is
/// `hs_ed25519_secret_key`, that file alone is written.
///
/// # Errors
/// One of them is there already, others can read the directory, or the system refuses. What was written is removed again.
pub fn write(key: &IdentityKey, to: &Path) -> Result<(), CTorError> {
    let alone = to.file_name().is_some_and(|name| name == SECRET_FILE) && !to.is_dir();
    let directory = match to.parent() {
        Some(parent) if alone && parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) if alone => parent,
        _ => to,
    };
    let secret = Zeroizing::new([&SECRET[..], &key.expanded()[..]].concat());
    let public = [&PUBLIC[..], &key.public()].concat();
    let hostname = format!("{}\n", key.address());
    let mut files = vec![(SECRET_FILE, &secret[..])];
    if !alone {
        files.extend([(PUBLIC_FILE, &public[..]), (HOSTNAME_FILE, hostname.as_bytes())]);
    }
    for (name, _) in &files {
        let path = directory.join(name);
        if path.symlink_metadata().is_ok() {
            return Err(CTorError::Exists { path });
        }
    }
    if to.symlink_metadata().is_ok_and(|data| !data.is_dir()) && !to.is_dir() {
        return Err(CTorError::Exists { path: to.into() });
    }
    let made = !directory.exists();
    make_private(directory).map_err(unusable(directory))?;
    if !alone {
        check_closed(directory)?;
    }
    let mut written = Vec::new();
    let outcome = files.iter().try_for_each(|(name, bytes)| {
        let path = directory.join(name);
        let mut file = create_new(&path).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => CTorError::Exists { path: path.clone() },
            _ => unusable(&path)(cause),
        })?;
        written.push(path.clone());
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(unusable(&path))
    });
    if outcome.is_err() {
        written.iter().for_each(|path| drop(fs::remove_file(path)));
        if made {
            let _ = fs::remove_dir(directory);
        }
    }
    outcome
}

/// What is in a file, which others must not be able to read if it is `secret`.
fn contents(path: &Path, secret: bool) -> Result<Zeroizing<Vec<u8>>, CTorError> {
    // A named pipe would wait for a writer for ever.
    let data = fs::metadata(path).map_err(unusable(path))?;
    if !data.is_file() {
        return Err(CTorError::Damaged { path: path.into(), what: "it is not a file" });
    }
    let file = File::open(path).map_err(unusable(path))?;
    if secret {
        check_closed(path)?;
    }
    // Room for all: a buffer that grows leaves what was in it behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(READ_MOST as usize));
    file.take(READ_MOST).read_to_end(&mut bytes).map_err(unusable(path))?;
    Ok(bytes)
}

#[cfg(unix)]
fn check_closed(path: &Path) -> Result<(), CTorError> {
    let data = fs::metadata(path).map_err(unusable(path))?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&data.permissions()) & 0o7777;
    match mode & 0o077 {
        0 => Ok(()),
        _ if data.is_dir() => Err(CTorError::DirectoryOpen { path: path.into(), mode }),
        _ => Err(CTorError::Open { path: path.into(), mode }),
    }
}

#[cfg(not(unix))]
fn check_closed(_path: &Path) -> Result<(), CTorError> {
    Ok(())
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> CTorError + use<> {
    let path = PathBuf::from(path);
    move |cause| CTorError::Unusable { path: path.clone(), cause }
}

#[cfg(all(test, unix))]
#[path = "c_tor_tests.rs"]
mod tests;
