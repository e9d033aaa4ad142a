//! The list of the rooms that are not in the configuration file, and the files of a closed one.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::{NEW_ROOMS_FILE, ROOMS, ROOMS_FILE, room_files};
use crate::config::{ExtraRoom, Settings};
use crate::storage::{create_new, erase};

/// Why the list of rooms cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RoomListError {
    /// The system refuses.
    #[error("The list of rooms in {} cannot be used: {cause}.", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It is not as this program writes it.
    #[error(
        "{} is not a list of rooms: {cause}. Put back what it was; without the file there are only the rooms of the \
         configuration, and the messages of the others stay where they are.",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// There are other rooms, and the messages of the main one are on other machines.
    #[error(
        "There are other rooms in {}, and cluster.nats is set: only the main room can be on several machines. Remove the others \
         with `onionroom room remove NAME`, or open them with another data directory.",
        path.display()
    )]
    Cluster {
        /// The file.
        path: PathBuf,
    },
}

/// The list, as it is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
struct RoomList {
    rooms: Vec<ListedRoom>,
}

/// A room of it. Members that are not known are passed over.
#[derive(Debug, Serialize, Deserialize)]
struct ListedRoom {
    name: String,
    title: String,
    listed: bool,
}

/// The rooms in the list of this directory.
///
/// # Errors
/// It cannot be read, or is not as this program writes it.
pub(super) fn read(directory: &Path, settings: &Settings) -> Result<Vec<ExtraRoom>, RoomListError> {
    let path = directory.join(ROOMS_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(RoomListError::Unusable { path, cause }),
    };
    let damaged = |cause: String| RoomListError::Damaged { path: path.clone(), cause };
    let list: RoomList = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    let rooms = list.rooms.into_iter();
    let rooms = rooms.map(|room| settings.extra_room(&room.name, Some(&room.title), room.listed));
    rooms.collect::<Result<Vec<_>, _>>().map_err(damaged)
}

/// Writes the list, whole or not at all, and waits for the disk.
///
/// # Errors
/// The system refuses.
pub(super) fn write(directory: &Path, rooms: &[ExtraRoom]) -> io::Result<()> {
    let listed = rooms.iter().map(|ExtraRoom { room, listed, .. }| ListedRoom {
        name: room.name.clone(),
        title: room.title.clone(),
        listed: *listed,
    });
    let text = serde_json::to_string_pretty(&RoomList { rooms: listed.collect() })?;
    let (new, path) = (directory.join(NEW_ROOMS_FILE), directory.join(ROOMS_FILE));
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create_new(&new)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&new, &path)?;
    erase::sync_directory(directory)
}

/// Overwrites and removes all files of a closed room.
///
/// # Errors
/// Something could not be overwritten or removed; what is left can be erased by another attempt.
pub(super) fn erase_room(directory: &Path, name: &str) -> io::Result<()> {
    let rooms = directory.join(ROOMS);
    let place = rooms.join(name);
    if let Some(link) = [&rooms, &place].into_iter().find(|path| path.is_symlink()) {
        return Err(erase::is_a_link(link));
    }
    if !place.is_dir() {
        return Ok(());
    }
    // The keys are the first of them: without those nothing can be read.
    for file in room_files().map(|file| place.join(file)) {
        erase::overwrite(&file, &|| {})?;
    }
    for file in room_files().map(|file| place.join(file)) {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    match fs::remove_dir(&place) {
        // What is not the room's stays.
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
        Err(error) => Err(error),
        Ok(()) => erase::sync_directory(&rooms),
    }
}
