//! Where the rooms beside the main one have their logs.
//!
//! Each has a directory of its name in `rooms`, inside the data directory, with the same files as the main room's log. Where
//! nothing is kept, their logs are in memory.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::files::{LOG_FILE, ROOMS, ROOMS_FILE};
use super::messages::{self, OpenLog};
use super::room_list::{self, RoomListError, finish_removals, write};
use super::storage::blocking;
use crate::config::{ExtraRoom, Settings};
use crate::hub::{House, Room};
use crate::log::{LogError, SqliteLog};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::rooms::{Logs, OpenedLog, Rooms};
use crate::storage::{DataDirectory, make_private};

/// The rooms of an address, the main one, those of the configuration, and those of the list; and their logs.
///
/// # Errors
/// The list cannot be used.
pub(super) fn open(
    settings: &Settings,
    main: &Room,
    directory: Option<&Arc<DataDirectory>>,
    house: Arc<House>,
) -> Result<(Arc<Rooms>, Arc<RoomLogs>), RoomListError> {
    let directory = directory.filter(|directory| !directory.is_ephemeral()).cloned();
    let mut rooms: Vec<_> = settings.rooms.iter().map(|room| (room.clone(), true)).collect();
    if let Some(directory) = &directory {
        let added = room_list::read(directory.path(), settings)?;
        if let Err(error) = finish_removals(directory.path()) {
            tracing::error!(%error, "what a removed room has left could not be erased; the next start tries again");
        }
        if settings.cluster.is_some() && !added.is_empty() {
            return Err(RoomListError::Cluster { path: directory.path().join(ROOMS_FILE) });
        }
        let configured = |room: &ExtraRoom| settings.rooms.iter().any(|one| one.room.name == room.room.name);
        rooms.extend(added.into_iter().filter(|room| !configured(room)).map(|room| (room, false)));
    }

    let logs = Arc::new(RoomLogs { directory, files: Arc::default() });
    if settings.cluster.is_some() {
        return Ok((Rooms::only(main.clone(), settings), logs));
    }
    let opened = Rooms::new(main.clone(), settings.main_room(), rooms, Arc::<RoomLogs>::clone(&logs), house);
    Ok((opened, logs))
}

/// The logs of the other rooms.
#[derive(Clone)]
pub(super) struct RoomLogs {
    /// Held for as long as a log in it is open; `None` where nothing is kept.
    directory: Option<Arc<DataDirectory>>,
    /// Those that are open, or were.
    files: Arc<Mutex<HashMap<String, Weak<SqliteLog>>>>,
}

impl RoomLogs {
    /// The log of a room that is open, if it is in a file.
    pub(super) fn file(&self, name: &str) -> Option<Arc<SqliteLog>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).get(name)?.upgrade()
    }

    fn note_open(&self, name: String, file: &Arc<SqliteLog>) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|_, file| file.strong_count() > 0);
        files.insert(name, Arc::downgrade(file));
    }

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
        let (name, history, logs) = (room.room.name.clone(), room.history.clone(), self.clone());
        let open = move || {
            let place = logs.place(&name);
            if let Some(place) = &place {
                let private = place.parent().map_or(Ok(()), make_private).and_then(|()| make_private(place));
                private.map_err(|error| LogError(format!("{}: {error}", place.display())))?;
            }
            let OpenLog { log, file } = messages::open(&history, place.as_deref(), &Arc::default())
                .map_err(|error| LogError(error.to_string()))?;
            if let Some(file) = &file {
                logs.note_open(name, file);
            }
            Ok(OpenedLog { log, lasts: place.is_some() })
        };
        async { blocking(open).await }.boxed()
    }

    fn exists(&self, name: &str) -> bool {
        self.place(name).is_some_and(|place| place.join(LOG_FILE).exists())
    }

    fn erase(&self) -> BoxFuture<'static, Result<(), LogError>> {
        self.with_directory(|directory| finish_removals(directory).map_err(io::Error::other))
    }

    fn keep(&self, rooms: &[ExtraRoom], removed: Option<&str>) -> BoxFuture<'static, Result<(), LogError>> {
        let (rooms, removed) = (rooms.to_vec(), removed.map(str::to_owned));
        self.with_directory(move |directory| write(directory, &rooms, removed.as_deref()))
    }
}
