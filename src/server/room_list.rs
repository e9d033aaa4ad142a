//! The list of the rooms that are not in the configuration file, and the files of a closed one.
//!
//! A room that is removed is named in the list until all that it has kept is erased, so that a kill meanwhile leaves nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::{NEW_ROOMS_FILE, ROOMS, ROOMS_FILE, room_files};
use crate::config::{ExtraRoom, Limits, Settings, is_room_name};
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
    /// Those that were removed, and may have something left that is to be erased.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    removed: Vec<String>,
}

/// A room of it. Members that are not known are passed over.
#[derive(Debug, Serialize, Deserialize)]
struct ListedRoom {
    name: String,
    title: String,
    listed: bool,
    /// Absent for one that has those of the main room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
}

/// The rooms in the list of this directory.
///
/// # Errors
/// It cannot be read, or is not as this program writes it.
pub(super) fn read(directory: &Path, settings: &Settings) -> Result<Vec<ExtraRoom>, RoomListError> {
    let (mut names, mut rooms) = (BTreeSet::new(), Vec::new());
    for ListedRoom { name, title, listed, limits } in load(directory)?.rooms {
        let room = settings.extra_room(&name, Some(&title), listed);
        let room = room.and_then(|room| match &limits {
            Some(limits) => room.with_limits(limits),
            None => Ok(room),
        });
        let once =
            |room| if names.insert(name.clone()) { Ok(room) } else { Err(format!("{name} is in it twice")) };
        let path = directory.join(ROOMS_FILE);
        rooms.push(room.and_then(once).map_err(|cause| RoomListError::Damaged { path, cause })?);
    }
    Ok(rooms)
}

/// The list as it is; an empty one where there is none.
fn load(directory: &Path) -> Result<RoomList, RoomListError> {
    let path = directory.join(ROOMS_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(RoomList::default()),
        Err(cause) => return Err(RoomListError::Unusable { path, cause }),
    };
    serde_json::from_str(&text).map_err(|error| RoomListError::Damaged { path, cause: error.to_string() })
}

/// The list of these rooms, each with its limits where those of the main room may be others: what a backup has.
pub(super) fn encode(rooms: &[ExtraRoom]) -> io::Result<Vec<u8>> {
    encode_list(&RoomList { rooms: rooms.iter().map(ListedRoom::of).collect(), removed: Vec::new() })
}

fn encode_list(list: &RoomList) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(list)?;
    text.push(b'\n');
    Ok(text)
}

impl ListedRoom {
    fn of(room: &ExtraRoom) -> Self {
        let limits = room.own_limits.then(|| room.limits());
        Self { name: room.room.name.clone(), title: room.room.title.clone(), listed: room.listed, limits }
    }
}

/// Writes the list, whole or not at all, and waits for the disk. `removed` is a room that is not in it any more and that is to
/// be erased. What a room of the same name as a new one has left, which was removed before, is erased first.
///
/// # Errors
/// The system refuses, or something could not be erased.
pub(super) fn write(directory: &Path, rooms: &[ExtraRoom], removed: Option<&str>) -> io::Result<()> {
    let mut list = load(directory).map_err(io::Error::other)?;
    list.removed.extend(removed.map(str::to_owned));
    list.rooms = rooms.iter().map(ListedRoom::of).collect();
    let again = |name: &String| list.rooms.iter().any(|room| room.name == *name);
    let (again, removed) = list.removed.into_iter().partition::<Vec<_>, _>(again);
    again.iter().try_for_each(|name| erase_room(directory, name))?;
    list.removed = removed;
    store(directory, &list)
}

/// Erases what removed rooms have left, also after a kill.
///
/// # Errors
/// The list cannot be used, or something could not be erased; another attempt goes on.
pub(super) fn finish_removals(directory: &Path) -> Result<(), RoomListError> {
    let mut list = load(directory)?;
    if list.removed.is_empty() {
        return Ok(());
    }
    let unusable = |cause| RoomListError::Unusable { path: directory.join(ROOMS), cause };
    let is_there = |name: &&String| list.rooms.iter().any(|room| room.name == **name);
    let mut removed = list.removed.iter().filter(|name| !is_there(name));
    removed.try_for_each(|name| erase_room(directory, name)).map_err(unusable)?;
    list.removed.clear();
    store(directory, &list).map_err(unusable)
}

/// Writes a list of these rooms alone.
///
/// # Errors
/// The system refuses.
pub(super) fn replace(directory: &Path, rooms: &[ExtraRoom]) -> io::Result<()> {
    store(directory, &RoomList { rooms: rooms.iter().map(ListedRoom::of).collect(), removed: Vec::new() })
}

fn store(directory: &Path, list: &RoomList) -> io::Result<()> {
    let text = encode_list(list)?;
    let (new, path) = (directory.join(NEW_ROOMS_FILE), directory.join(ROOMS_FILE));
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create_new(&new)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&new, &path)?;
    erase::sync_directory(directory)
}

/// Overwrites and removes all files of a closed room.
///
/// # Errors
/// Something could not be overwritten or removed; what is left can be erased by another attempt.
fn erase_room(directory: &Path, name: &str) -> io::Result<()> {
    if !is_room_name(name) {
        return Err(io::Error::other(format!("{name:?} cannot be the name of a room")));
    }
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
