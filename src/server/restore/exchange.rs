//! Puts files in the place of those of a data directory, and keeps what was there. A process that is killed meanwhile leaves a
//! directory behind that tells the next start of it.

use std::fs;
use std::io;
use std::iter;
use std::path::{Path, PathBuf};

use super::error::{RestoreError, replaced_in};
use crate::server::files::{BACKING_UP, COPY, EXCHANGE, KEY_COPY, KEY_EXCHANGE, KEYS_FILE, other_rooms};
use crate::server::wipe;
use crate::storage::{erase, make_private};

/// Something that is put in place: its directories inside the data directory.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Exchange {
    /// Where the new files are made.
    copy: &'static str,
    /// What that directory is called while they are put in place. Until then nothing was changed.
    complete: &'static str,
}

/// Puts a backup in place.
pub(in super::super) const BACKUP: Exchange = Exchange { copy: COPY, complete: EXCHANGE };

/// Puts a key in place.
pub(in super::super) const KEY: Exchange = Exchange { copy: KEY_COPY, complete: KEY_EXCHANGE };

impl Exchange {
    /// An empty directory for the new files.
    ///
    /// # Errors
    /// The system refuses.
    pub(in super::super) fn begin(self, data: &Path) -> Result<PathBuf, RestoreError> {
        let copy = data.join(self.copy);
        remove(&copy)?;
        private(&copy)?;
        Ok(copy)
    }

    /// Gives it up.
    pub(in super::super) fn give_up(self, data: &Path) {
        let _ = remove(&data.join(self.copy));
    }

    /// Moves what has these names away, in their order, and the new files in their places, the other way round. Returns where
    /// the first are now, if there were any.
    ///
    /// # Errors
    /// The system refuses. Some may be moved; to do all of it again puts it right.
    pub(in super::super) fn put_in_place(
        self,
        data: &Path,
        names: &[&str],
    ) -> Result<Option<PathBuf>, RestoreError> {
        let complete = data.join(self.complete);
        remove(&complete)?;
        rename(&data.join(self.copy), &complete)?;
        let mut replaced = None;
        if names.iter().any(|name| data.join(name).exists()) {
            let free = (1..).map(|number: u32| replaced_in(data).join(number.to_string()));
            let place = free.into_iter().find(|place| !place.exists()).unwrap_or_else(|| replaced_in(data));
            for name in names {
                private(place.join(name).parent().unwrap_or(&place))?;
                rename(&data.join(name), &place.join(name))?;
            }
            replaced = Some(place);
        }
        for name in names.iter().rev() {
            private(data.join(name).parent().unwrap_or(data))?;
            rename(&complete.join(name), &data.join(name))?;
        }
        remove(&complete)?;
        Ok(replaced)
    }
}

/// Goes on with a wipe that was interrupted, and removes what was left by one of these that was called off: with a copy,
/// messages could be read that the room keeps no longer.
///
/// # Errors
/// It was interrupted when files were moved already, so what is there is incomplete; or the system refuses.
pub(in super::super) fn clear(data: &Path) -> Result<(), RestoreError> {
    wipe::finish(data)?;
    if data.join(BACKUP.complete).exists() {
        return Err(RestoreError::Interrupted { path: data.into() });
    }
    if data.join(KEY.complete).exists() {
        return Err(RestoreError::KeyInterrupted { path: data.into() });
    }
    [BACKUP.copy, KEY.copy, BACKING_UP].iter().try_for_each(|name| remove(&data.join(name)))
}

/// Whether a backup was being put in place when the process ended.
pub(in super::super) fn restore_was_interrupted(data: &Path) -> bool {
    data.join(BACKUP.complete).exists()
}

/// Forgets that a key was being put in place.
///
/// # Errors
/// The system refuses.
pub(in super::super) fn forget_key(data: &Path) -> Result<(), RestoreError> {
    remove(&data.join(KEY.complete))
}

/// Removes a directory, if it is there. The keys in it are overwritten before, as far as that is possible: in the blocks
/// of a removed file they could be found.
pub(in super::super) fn remove(directory: &Path) -> Result<(), RestoreError> {
    for place in iter::once(directory.to_owned()).chain(other_rooms(directory)) {
        let _ = erase::overwrite(&place.join(KEYS_FILE), &|| {});
    }
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(directory)(error)),
        _ => Ok(()),
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), RestoreError> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(from)(error)),
        _ => Ok(()),
    }
}

/// Creates a directory, if it is not there.
pub(in super::super) fn private(path: &Path) -> Result<(), RestoreError> {
    make_private(path).map_err(unusable(path))
}

pub(in super::super) fn unusable(path: &Path) -> impl Fn(io::Error) -> RestoreError + use<> {
    let path = PathBuf::from(path);
    move |cause| RestoreError::Unusable { path: path.clone(), cause }
}
