//! Where the rooms beside the main one have their logs.
//!
//! Each has a directory of its name in `rooms`, inside the data directory, with the same files as the main room's log. Where
//! nothing is kept, their logs are in memory.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{LOG_FILE, ROOMS, ROOMS_FILE};
use super::messages::{self, OpenLog};
use super::room_list::{self, RoomListError, erase_room, write};
use super::storage::blocking;
use crate::config::{ExtraRoom, Settings};
use crate::hub::{House, Room};
use crate::log::LogError;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::rooms::{Logs, OpenedLog, Rooms};
use crate::storage::{DataDirectory, make_private};

/// The rooms of an address: the main one, those of the configuration, and those of the list.
///
/// # Errors
/// The list cannot be used.
pub(super) fn open(
    settings: &Settings,
    main: &Room,
    directory: Option<&Arc<DataDirectory>>,
    house: Arc<House>,
) -> Result<Arc<Rooms>, RoomListError> {
    let directory = directory.filter(|directory| !directory.is_ephemeral()).cloned();
    let mut rooms: Vec<_> = settings.rooms.iter().map(|room| (room.clone(), true)).collect();
    if let Some(directory) = &directory {
        let added = room_list::read(directory.path(), settings)?;
        if settings.cluster.is_some() && !added.is_empty() {
            return Err(RoomListError::Cluster { path: directory.path().join(ROOMS_FILE) });
        }
        let configured = |room: &ExtraRoom| settings.rooms.iter().any(|one| one.room.name == room.room.name);
        rooms.extend(added.into_iter().filter(|room| !configured(room)).map(|room| (room, false)));
    }

    if settings.cluster.is_some() {
        return Ok(Rooms::only(main.clone(), settings));
    }
    Ok(Rooms::new(main.clone(), settings.main_room(), rooms, Arc::new(RoomLogs { directory }), house))
}

/// The logs of the other rooms.
struct RoomLogs {
    /// Held for as long as a log in it is open; `None` where nothing is kept.
    directory: Option<Arc<DataDirectory>>,
}

impl RoomLogs {
    fn place(&self, name: &str) -> Option<PathBuf> {
        self.directory.as_ref().map(|directory| directory.path().join(ROOMS).join(name))
    }

    /// Does something with the data directory on a thread for it; nothing where nothing is kept.
    fn with_directory(
        &self,
        work: impl FnOnce(&Path) -> io::Result<()> + Send + 'static,
    ) -> BoxFuture<'static, Result<(), LogError>> {
        let Some(directory) = self.directory.clone() else { return std::future::ready(Ok(())).boxed() };
        let work = move || work(directory.path()).map_err(|error| LogError(error.to_string()));
        async { blocking(work).await }.boxed()
    }
}

impl Logs for RoomLogs {
    fn open(&self, room: &ExtraRoom) -> BoxFuture<'static, Result<OpenedLog, LogError>> {
        let (place, history, directory) =
            (self.place(&room.room.name), room.history.clone(), self.directory.clone());
        let open = move || {
            let _held = directory;
            if let Some(place) = &place {
                let private = place.parent().map_or(Ok(()), make_private).and_then(|()| make_private(place));
                private.map_err(|error| LogError(format!("{}: {error}", place.display())))?;
            }
            let OpenLog { log, .. } = messages::open(&history, place.as_deref(), &Arc::default())
                .map_err(|error| LogError(error.to_string()))?;
            Ok(OpenedLog { log, lasts: place.is_some() })
        };
        async { blocking(open).await }.boxed()
    }

    fn exists(&self, name: &str) -> bool {
        self.place(name).is_some_and(|place| place.join(LOG_FILE).exists())
    }

    fn erase(&self, name: &str) -> BoxFuture<'static, Result<(), LogError>> {
        let name = name.to_owned();
        self.with_directory(move |directory| erase_room(directory, &name))
    }

    fn keep(&self, rooms: &[ExtraRoom]) -> BoxFuture<'static, Result<(), LogError>> {
        let rooms = rooms.to_vec();
        self.with_directory(move |directory| write(directory, &rooms))
    }
}
