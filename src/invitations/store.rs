//! The files: `NAME.auth` with the public key, and `NAME.expires` beside it with the time when it expires.
//!
//! Each is written beside its place and renamed, and all who write or read hold the lock `lock`, so that two commands at
//! once and the open room never see half of a change. `NAME.auth` is what C Tor keeps in `authorized_clients`.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::error::InvitationError;
use super::expiry::Expiry;
use super::key::PublicKey;
use super::name::InviteeName;
use super::{DIRECTORY, INVITATIONS_MAX};
use crate::storage::{self, erase};

/// The most that is read of a file.
const FILE_MAX: u64 = 1024;

/// For how long an invitation is listed after it has expired. If only the clock was wrong it is good again.
const LISTED_AFTER_EXPIRY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the names of files under construction begin with.
const UNFINISHED: &str = ".new-";

/// What the name of a directory begins with in which the first invitation is made.
const BESIDE: &str = ".inviting-";

/// The invitations of one room.
#[derive(Debug, Clone)]
pub struct Invitations {
    directory: PathBuf,
}

/// One invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its name.
    pub name: InviteeName,
    /// Its key; `None` if the file has none, and then it counts for nothing.
    pub key: Option<PublicKey>,
    /// Until when it is good.
    pub expiry: Expiry,
}

/// What is in the directory.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The invitations, by name; also those that have expired or cannot be read.
    pub(super) invitations: Vec<Invitation>,
    /// The names of those that were removed without that circuits are to be closed.
    pub(super) stay: BTreeSet<InviteeName>,
    /// How many files have the name of no invitation.
    pub(super) strange: usize,
}

/// What the open room sees.
#[derive(Debug)]
pub(super) enum Look {
    /// There is no directory.
    Absent,
    /// It is being changed at the moment.
    Busy,
    /// This.
    Found(Found),
}

impl Invitations {
    /// Those in this data directory, which need not be there yet. Whether a room has it open does not matter.
    ///
    /// # Errors
    /// The directory cannot be made, belongs to another user, or is open to others.
    pub fn of_room(data_dir: &Path) -> Result<Self, InvitationError> {
        Ok(Self::within(&storage::make_and_check(data_dir)?))
    }

    /// Those in the data directory that this process holds.
    pub(super) fn within(data_dir: &Path) -> Self {
        Self { directory: data_dir.join(DIRECTORY) }
    }

    /// Whether the room is private because of them.
    pub fn are_private(&self) -> bool {
        self.directory.is_dir()
    }

    /// Makes the room private.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn make_private(&self) -> Result<(), InvitationError> {
        let unusable = InvitationError::unusable(&self.directory);
        storage::make_private(&self.directory).map_err(&unusable)?;
        self.directory.parent().map_or(Ok(()), erase::sync_directory).map_err(&unusable)
    }

    /// All there are, by name, with those that have expired of late; `None` for a room that is open to all.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn list(&self) -> Result<Option<Vec<Invitation>>, InvitationError> {
        if !self.are_private() {
            return Ok(None);
        }
        let _lock = self.lock()?;
        Ok(Some(self.read()?.invitations))
    }

    /// Makes a room private that is open to all, with this invitation; one that is private already gets it like any other.
    /// The open room sees both at once: of two changes the second would be published a minute later.
    ///
    /// # Errors
    /// As [`Invitations::add`].
    pub fn add_first(
        &self,
        name: &InviteeName,
        key: &PublicKey,
        expiry: Expiry,
    ) -> Result<(), InvitationError> {
        let unusable = InvitationError::unusable(&self.directory);
        if !self.are_private() {
            let outer = self.directory.parent().unwrap_or(&self.directory);
            let made = tempfile::Builder::new().prefix(BESIDE).tempdir_in(outer).map_err(&unusable)?;
            let first = Self { directory: made.path().join(DIRECTORY) };
            first.make_private()?;
            first.add(name, key, expiry)?;
            // It fails where there are invitations meanwhile.
            if fs::rename(&first.directory, &self.directory).is_ok() {
                return erase::sync_directory(outer).map_err(&unusable);
            }
            self.make_private()?;
        }
        self.add(name, key, expiry)
    }

    /// Adds one. It is on the disk when this returns.
    ///
    /// # Errors
    /// The room is open to all, the name is taken by one that has not expired, there are too many, or the system refuses.
    pub fn add(&self, name: &InviteeName, key: &PublicKey, expiry: Expiry) -> Result<(), InvitationError> {
        if !self.are_private() {
            return Err(InvitationError::Open { name: name.clone() });
        }
        let _lock = self.lock()?;
        let now = SystemTime::now();
        let good: Vec<_> =
            self.read()?.invitations.into_iter().filter(|it| !it.expiry.is_over(now)).collect();
        if good.iter().any(|it| it.name == *name) {
            return Err(InvitationError::Taken { name: name.clone() });
        }
        if good.len() >= INVITATIONS_MAX {
            return Err(InvitationError::Full);
        }
        // The key last: without it the others mean nothing.
        self.remove_file(name, "auth")?;
        self.remove_file(name, "stay")?;
        match expiry {
            Expiry::Never => self.remove_file(name, "expires")?,
            Expiry::At(_) | Expiry::Unreadable => self.write(name, "expires", &expiry.to_string())?,
        }
        self.synchronise()?;
        self.write(name, "auth", &key.to_string())?;
        self.synchronise()
    }

    /// Removes one. With `stay` the open room closes no circuits for it.
    ///
    /// # Errors
    /// There is none of this name, or the system refuses.
    pub fn remove(&self, name: &InviteeName, stay: bool) -> Result<(), InvitationError> {
        let unknown = || InvitationError::Unknown { name: name.clone() };
        if !self.are_private() {
            return Err(unknown());
        }
        let _lock = self.lock()?;
        if fs::symlink_metadata(self.file(name, "auth")).is_err() {
            return Err(unknown());
        }
        if stay {
            self.write(name, "stay", "")?;
        }
        self.remove_file(name, "auth")?;
        self.remove_file(name, "expires")?;
        self.synchronise()
    }

    /// What is there when the room opens.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn first_look(&self) -> Result<Look, InvitationError> {
        if !self.are_private() {
            return Ok(Look::Absent);
        }
        let _lock = self.lock()?;
        self.read().map(Look::Found)
    }

    /// What is there. Waits for no other process, and removes what is of no use any more at `now`.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn look(&self, now: SystemTime) -> Result<Look, InvitationError> {
        if !self.are_private() {
            return Ok(Look::Absent);
        }
        let lock = self.open_lock()?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Look::Busy),
            Err(TryLockError::Error(cause)) => return Err(InvitationError::unusable(&self.directory)(cause)),
        }
        let found = self.read()?;
        self.tidy(&found, now)?;
        Ok(Look::Found(found))
    }

    fn tidy(&self, found: &Found, now: SystemTime) -> Result<(), InvitationError> {
        for it in found.invitations.iter().filter(|it| it.expiry.is_over_since(LISTED_AFTER_EXPIRY, now)) {
            self.remove_file(&it.name, "auth")?;
            self.remove_file(&it.name, "expires")?;
        }
        found.stay.iter().try_for_each(|name| self.remove_file(name, "stay"))
    }

    fn read(&self) -> Result<Found, InvitationError> {
        let unusable = InvitationError::unusable(&self.directory);
        let mut found = Found::default();
        for entry in fs::read_dir(&self.directory).map_err(&unusable)? {
            let path = entry.map_err(&unusable)?.path();
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            let name = path.file_stem().and_then(|stem| stem.to_str()).map(str::parse::<InviteeName>);
            match (ending, name) {
                ("auth", Some(Ok(name))) => found.invitations.push(self.invitation(name)?),
                ("stay", Some(Ok(name))) => drop(found.stay.insert(name)),
                ("auth", _) => found.strange += 1,
                _ if is_unfinished(&path) => {
                    fs::remove_file(&path).map_err(InvitationError::unusable(&path))?
                }
                _ => {}
            }
        }
        found.invitations.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    fn invitation(&self, name: InviteeName) -> Result<Invitation, InvitationError> {
        let key = self.contents(&name, "auth")?.and_then(|text| text.parse().ok());
        let expiry = self.contents(&name, "expires")?.map_or(Expiry::Never, |text| Expiry::read(&text));
        Ok(Invitation { name, key, expiry })
    }

    /// The beginning of a file; of what is no text, or no file, nothing; `None` if it is not there.
    fn contents(&self, name: &InviteeName, ending: &str) -> Result<Option<String>, InvitationError> {
        let path = self.file(name, ending);
        let read = || -> io::Result<Vec<u8>> {
            // A pipe would wait for a writer.
            if !fs::metadata(&path)?.is_file() {
                return Ok(Vec::new());
            }
            let mut bytes = Vec::new();
            File::open(&path)?.take(FILE_MAX).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => Ok(Some(String::from_utf8(bytes).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(InvitationError::unusable(&path)(cause)),
        }
    }

    /// Writes a file beside its place and renames it.
    fn write(&self, name: &InviteeName, ending: &str, text: &str) -> Result<(), InvitationError> {
        let path = self.file(name, ending);
        let write = || -> io::Result<()> {
            let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.directory)?;
            writeln!(file, "{text}")?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(InvitationError::unusable(&path))
    }

    fn remove_file(&self, name: &InviteeName, ending: &str) -> Result<(), InvitationError> {
        let path = self.file(name, ending);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(InvitationError::unusable(&path)(error))
            }
            _ => Ok(()),
        }
    }

    fn file(&self, name: &InviteeName, ending: &str) -> PathBuf {
        self.directory.join(format!("{name}.{ending}"))
    }

    fn synchronise(&self) -> Result<(), InvitationError> {
        erase::sync_directory(&self.directory).map_err(InvitationError::unusable(&self.directory))
    }

    /// Waits for the lock, which no process holds for long.
    fn lock(&self) -> Result<File, InvitationError> {
        let lock = self.open_lock()?;
        lock.lock().map_err(InvitationError::unusable(&self.directory.join("lock")))?;
        Ok(lock)
    }

    fn open_lock(&self) -> Result<File, InvitationError> {
        Ok(storage::open_lock(&self.directory.join("lock"))?)
    }
}

fn is_unfinished(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(UNFINISHED))
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
