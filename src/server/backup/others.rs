//! The rooms beside the main one, as they are backed up: of an address that is open, and of one that is closed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;

use super::error::BackupError;
use crate::config::{ExtraRoom, Settings};
use crate::hub::Room;
use crate::log::SqliteLog;
use crate::log::sqlite::Synchronous;
use crate::rooms::{OneRoom, Rooms};
use crate::server::files::{LOG_FILE, ROOMS};
use crate::server::rooms::RoomLogs;
use crate::server::{messages, room_list};

/// A room beside the main one.
pub(super) trait OtherRoom {
    /// Its settings.
    fn settings(&self) -> &ExtraRoom;

    /// Its log; `None` if it has none yet, or was removed. Blocks.
    fn open(&self) -> Result<Option<HeldLog>, BackupError>;

    /// Whether it was not removed since.
    fn is_there(&self) -> bool;

    /// Called when its log was read, and is held no longer. Blocks.
    fn done(&self, was_open: bool);
}

/// The rooms that are backed up; `None` where only the main one is.
pub(super) type OtherRooms<'a> = Option<Vec<Box<dyn OtherRoom + 'a>>>;

/// A log, and what keeps it open.
pub(super) struct HeldLog {
    pub(super) log: Arc<SqliteLog>,
    pub(super) was_open: bool,
    _room: Option<Room>,
}

#[cfg(test)]
impl HeldLog {
    /// Of a test.
    pub(super) fn of(log: Arc<SqliteLog>) -> Self {
        Self { log, was_open: true, _room: None }
    }
}

/// Where the rooms are of an address that is open.
pub(in super::super) struct OpenRooms {
    pub(in super::super) rooms: Arc<Rooms>,
    pub(in super::super) logs: Arc<RoomLogs>,
}

impl OpenRooms {
    /// Those that there are now. `handle` is that of the runtime in which they are open.
    pub(super) fn all(&self, handle: &Handle) -> Vec<Box<dyn OtherRoom>> {
        let other = |room| -> Box<dyn OtherRoom> {
            Box::new(Open { room, logs: Arc::clone(&self.logs), handle: handle.clone() })
        };
        self.rooms.each().into_iter().map(other).collect()
    }
}

struct Open {
    room: OneRoom,
    logs: Arc<RoomLogs>,
    handle: Handle,
}

impl OtherRoom for Open {
    fn settings(&self) -> &ExtraRoom {
        self.room.settings()
    }

    fn open(&self) -> Result<Option<HeldLog>, BackupError> {
        if !self.room.was_used() {
            return Ok(None);
        }
        let (room, was_open) = match self.handle.block_on(self.room.open()) {
            Ok(opened) => opened,
            Err(_) if !self.is_there() => return Ok(None),
            Err(refusal) => {
                let name = self.settings().room.name.clone();
                return Err(BackupError::Room { name, why: refusal.message });
            }
        };
        let log = self.logs.file(&self.settings().room.name);
        Ok(log.map(|log| HeldLog { log, was_open, _room: Some(room) }))
    }

    fn is_there(&self) -> bool {
        self.room.is_there()
    }

    fn done(&self, was_open: bool) {
        if !was_open {
            self.handle.block_on(self.room.close_if_quiet());
        }
    }
}

/// The rooms of an address that is closed, whose data directory is held.
pub(super) fn closed<'a>(settings: &'a Settings, data: &'a Path) -> Result<OtherRooms<'a>, BackupError> {
    if settings.cluster.is_some() {
        return Ok(None);
    }
    room_list::finish_removals(data)?;
    let mut rooms = settings.rooms.clone();
    let listed = room_list::read(data, settings)?;
    rooms.extend(
        listed.into_iter().filter(|room| !settings.rooms.iter().any(|one| one.room.name == room.room.name)),
    );
    let other = |room: ExtraRoom| -> Box<dyn OtherRoom> {
        let file = data.join(ROOMS).join(&room.room.name).join(LOG_FILE);
        Box::new(Closed { room, file })
    };
    Ok(Some(rooms.into_iter().map(other).collect()))
}

struct Closed {
    room: ExtraRoom,
    file: PathBuf,
}

impl OtherRoom for Closed {
    fn settings(&self) -> &ExtraRoom {
        &self.room
    }

    fn open(&self) -> Result<Option<HeldLog>, BackupError> {
        if !self.file.exists() {
            return Ok(None);
        }
        let log = SqliteLog::open(&self.file, messages::retention(&self.room.history), Synchronous::Full)?;
        Ok(Some(HeldLog { log: Arc::new(log), was_open: false, _room: None }))
    }

    fn is_there(&self) -> bool {
        true
    }

    fn done(&self, _: bool) {}
}
