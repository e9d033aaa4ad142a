//! The list of rooms of an address that is closed, changed by the command line.

use std::io;
use std::path::{Path, PathBuf};

use super::files::{ROOMS, other_rooms};
use super::room_list::{self, RoomListError};
use super::wipe::{self, WipeError};
use crate::config::{ExtraRoom, ROOMS_MAX, Settings, is_room_name};
use crate::control::room_list::{RoomLine, RoomList};
use crate::rooms::RoomsError;
use crate::storage::{DataDirectory, StorageError};

/// Why the list of closed rooms cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ClosedRoomsError {
    /// The data directory cannot be used, or is in use.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A wipe that was interrupted cannot be finished.
    #[error(transparent)]
    Wipe(#[from] WipeError),
    /// The list cannot be read.
    #[error(transparent)]
    List(#[from] RoomListError),
    /// The change is not possible.
    #[error(transparent)]
    Rooms(#[from] RoomsError),
    /// There are servers that keep the messages of the main room.
    #[error("cluster.nats is set, and only the main room can be on several machines. Nothing was changed.")]
    Cluster,
    /// The system refuses.
    #[error("The rooms in {} cannot be changed: {cause}.", path.display())]
    Unusable {
        /// The data directory.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// Whether there are other rooms than the main one, or messages of some, in this data directory or in the configuration.
pub fn has_other_rooms(settings: &Settings, data_dir: &Path) -> bool {
    let added = || room_list::read(data_dir, settings).is_ok_and(|added| !added.is_empty());
    !settings.rooms.is_empty() || !other_rooms(data_dir).is_empty() || added()
}

/// Rooms that are closed, and held so that they cannot be opened meanwhile.
pub struct ClosedRooms<'a> {
    settings: &'a Settings,
    directory: DataDirectory,
    added: Vec<ExtraRoom>,
}

impl<'a> ClosedRooms<'a> {
    /// Takes the rooms of this data directory, which is created where there is none.
    ///
    /// # Errors
    /// The directory or the list in it cannot be used.
    pub fn hold(settings: &'a Settings, data_dir: &Path) -> Result<Self, ClosedRoomsError> {
        let directory = DataDirectory::open(data_dir)?;
        // Otherwise the next start would wipe what is changed now.
        wipe::finish(directory.path())?;
        let added = room_list::read(directory.path(), settings)?;
        Ok(Self { settings, directory, added })
    }

    /// Which there are.
    pub fn list(&self) -> RoomList {
        let line = |room: &crate::config::RoomSettings, listed, configured| RoomLine {
            name: room.name.clone(),
            title: room.title.clone(),
            listed,
            configured,
            guests: None,
        };
        let mut rooms: Vec<_> =
            self.settings.rooms.iter().map(|room| line(&room.room, room.listed, true)).collect();
        let added = self.added.iter().filter(|room| !self.is_configured(&room.room.name));
        rooms.extend(added.map(|room| line(&room.room, room.listed, false)));
        rooms.sort_by(|one, other| one.name.cmp(&other.name));
        rooms.insert(0, line(&self.settings.room, true, true));
        RoomList { rooms }
    }

    /// Makes another one.
    ///
    /// # Errors
    /// There is one of that name, or the name, the title or the disk does not allow it.
    pub fn add(mut self, name: &str, title: Option<&str>, listed: bool) -> Result<(), ClosedRoomsError> {
        if self.settings.cluster.is_some() {
            return Err(ClosedRoomsError::Cluster);
        }
        let room = self.settings.extra_room(name, title, listed).map_err(RoomsError::Name)?;
        if self.is_configured(name) || self.added.iter().any(|room| room.room.name == name) {
            return Err(RoomsError::Exists(name.into()).into());
        }
        if self.added.len() + self.settings.rooms.len() >= ROOMS_MAX {
            return Err(RoomsError::TooMany(ROOMS_MAX).into());
        }
        self.added.push(room);
        self.write(None)
    }

    /// Erases all that a room has kept, also what one has left that is not in the configuration any more.
    ///
    /// # Errors
    /// There is none, it is in the configuration, or something could not be erased.
    pub fn remove(mut self, name: &str) -> Result<(), ClosedRoomsError> {
        if name == self.settings.room.name {
            return Err(RoomsError::Main.into());
        }
        if self.is_configured(name) {
            return Err(RoomsError::Configured(name.into()).into());
        }
        let listed = self.added.iter().any(|room| room.room.name == name);
        let place = self.directory.path().join(ROOMS).join(name);
        let known = listed || (is_room_name(name) && place.is_dir());
        if !known {
            return Err(RoomsError::Unknown(name.into()).into());
        }
        self.added.retain(|room| room.room.name != name);
        self.write(Some(name))?;
        Ok(room_list::finish_removals(self.directory.path())?)
    }

    fn is_configured(&self, name: &str) -> bool {
        name == self.settings.room.name || self.settings.rooms.iter().any(|room| room.room.name == name)
    }

    fn write(&self, removed: Option<&str>) -> Result<(), ClosedRoomsError> {
        room_list::write(self.directory.path(), &self.added, removed).map_err(|cause| self.unusable(cause))
    }

    fn unusable(&self, cause: io::Error) -> ClosedRoomsError {
        ClosedRoomsError::Unusable { path: self.directory.path().into(), cause }
    }
}
