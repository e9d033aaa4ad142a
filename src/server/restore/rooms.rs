//! The rooms beside the main one, in a copy of a backup.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use super::error::RestoreError;
use super::exchange::{remove, unusable};
use crate::config::{ExtraRoom, Settings};
use crate::server::archive::ArchiveError;
use crate::server::files::{KEYS_FILE, LOG_FILE, other_rooms};
use crate::server::room_list::{self, RoomListError};

/// Removes what the list in the copy does not name: a room that was removed while the backup was written is not whole in it. Of
/// the list nothing is kept but the rooms.
///
/// # Errors
/// The list cannot be used, a room in it is not whole, or the system refuses.
pub(super) fn keep_listed(from: &Path, copy: &Path) -> Result<(), RestoreError> {
    let listed = list(copy)?;
    let names: BTreeSet<&OsStr> = listed.iter().map(|room| OsStr::new(&room.room.name)).collect();
    for place in other_rooms(copy) {
        if !place.file_name().is_some_and(|name| names.contains(name)) {
            remove(&place)?;
        } else if ![LOG_FILE, KEYS_FILE].iter().all(|name| place.join(name).is_file()) {
            let what = "a part of a room is missing".into();
            return Err(ArchiveError::Damaged { path: from.into(), what }.into());
        }
    }
    room_list::replace(copy, &listed).map_err(unusable(copy))
}

/// How many rooms there are, with those that only have a log.
pub(super) fn count(copy: &Path) -> Result<usize, RestoreError> {
    let mut names: BTreeSet<_> = list(copy)?.into_iter().map(|room| room.room.name).collect();
    let kept = other_rooms(copy).into_iter();
    names.extend(kept.filter_map(|place| Some(place.file_name()?.to_str()?.to_owned())));
    Ok(names.len())
}

fn list(copy: &Path) -> Result<Vec<ExtraRoom>, RestoreError> {
    // For the rules alone, which are the same for all settings.
    room_list::read(copy, &Settings::default()).map_err(|error| match error {
        RoomListError::Damaged { cause, .. } => RestoreError::Rooms { cause },
        error => RestoreError::Rooms { cause: error.to_string() },
    })
}
