//! The rooms of one address, by their names.
//!
//! The main room is always open. The others are opened when they are asked for, and closed again when they were quiet for
//! some minutes (`keeping`): a room that is closed costs its name and a few numbers. [`Rooms`] is the one place that knows
//! which is which, so for each log there is at most one room at a time. `listing` is what guests are told of all of them.
//!
//! It knows no files: what opens logs and keeps the list of rooms implements [`Logs`].

mod each;
mod entry;
mod keeping;
mod listing;
mod logs;
mod opener;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::config::{ExtraRoom, ROOMS_MAX, Settings};
use crate::hub::{House, Room, unknown_room};
use crate::log::LogError;
use crate::protocol::event::{Kept, RoomLine};
use crate::protocol::{CircuitId, MAIN_ROOM, Refusal};
use entry::Entry;
use listing::line;
use logs::NoLogs;
use opener::Opener;

pub use each::OneRoom;
pub use logs::{Logs, OpenedLog};

/// What a page shows of a room to a visitor who has no seat in it.
#[derive(Debug, Clone)]
pub struct Front {
    /// Its title.
    pub title: Arc<str>,
    /// Its retention.
    pub kept: Kept,
}

/// Why the rooms cannot be changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RoomsError {
    /// There is a room of that name.
    #[error("There is a room {0:?} already.")]
    Exists(String),
    /// There is none.
    #[error("There is no room {0:?}. `onionroom room list` lists those that there are.")]
    Unknown(String),
    /// It cannot have that name or that title.
    #[error("{0}")]
    Name(String),
    /// It is in the configuration file.
    #[error(
        "The room {0:?} is in the configuration file. Take it out there, and close and open the rooms; then it can be removed."
    )]
    Configured(String),
    /// It is the main room.
    #[error("The main room cannot be removed; `onionroom wipe` makes everything unreadable.")]
    Main,
    /// There are as many as there can be.
    #[error("There are {0} rooms, and there cannot be more.")]
    TooMany(usize),
    /// The disk, or the log.
    #[error("{0}")]
    Storage(#[from] LogError),
}

/// The rooms of one address.
pub struct Rooms {
    main: Room,
    /// The settings of the main room, which those that are added begin with.
    like: ExtraRoom,
    others: RwLock<BTreeMap<String, Arc<Entry>>>,
    opener: Arc<Opener>,
    /// Held while the list of rooms is changed.
    changing: tokio::sync::Mutex<()>,
}

impl Rooms {
    /// The main room with its settings, and the others, of which each is from the configuration file, `true`, or was added
    /// later.
    pub fn new(
        main: Room,
        like: ExtraRoom,
        others: Vec<(ExtraRoom, bool)>,
        logs: Arc<dyn Logs>,
        house: Arc<House>,
    ) -> Arc<Self> {
        let entry = |(room, configured): (ExtraRoom, bool)| {
            (room.room.name.clone(), Arc::new(Entry::new(room, configured)))
        };
        Arc::new(Self {
            main,
            like,
            others: RwLock::new(others.into_iter().map(entry).collect()),
            opener: Arc::new(Opener::new(logs, house)),
            changing: tokio::sync::Mutex::default(),
        })
    }

    /// The main room alone.
    pub fn only(main: Room, settings: &Settings) -> Arc<Self> {
        Self::new(main, settings.main_room(), Vec::new(), Arc::new(NoLogs), Arc::default())
    }

    /// The main room.
    pub fn main(&self) -> &Room {
        &self.main
    }

    /// Whether there are others.
    pub fn are_several(&self) -> bool {
        !self.read().is_empty()
    }

    /// Checks the name of a room.
    ///
    /// # Errors
    /// `unknown_room`, naming how to find the list.
    pub fn check_name(&self, name: &str) -> Result<(), Refusal> {
        if name == MAIN_ROOM { Ok(()) } else { self.entry(name).map(|_| ()) }
    }

    /// What a page shows of a room to a visitor who has no seat in it. The room is not opened for that.
    ///
    /// # Errors
    /// As [`Rooms::check_name`].
    pub fn front(&self, name: &str) -> Result<Front, Refusal> {
        if name == MAIN_ROOM {
            return Ok(Front { title: self.main.facts().title(), kept: entry::kept(&self.like) });
        }
        let entry = self.entry(name)?;
        Ok(Front { title: entry.line().title.into(), kept: entry::kept(&entry.settings) })
    }

    /// The room of this name, for what comes on this circuit. A room that is closed is opened first, which costs the circuit
    /// as much as a join.
    ///
    /// # Errors
    /// `unknown_room`, `not_kept` when the log cannot be opened, or `too_fast` with how long to wait.
    pub async fn find(&self, name: &str, circuit: CircuitId) -> Result<Room, Refusal> {
        if name == MAIN_ROOM {
            return Ok(self.main.on(circuit));
        }
        let entry = self.entry(name)?;
        let room = entry.room(&self.opener, Some(circuit)).await?;
        Ok(room.on(circuit))
    }

    /// The same for the host, who is charged nothing.
    ///
    /// # Errors
    /// `unknown_room`, or `not_kept` when the log cannot be opened.
    pub async fn find_for_host(&self, name: &str) -> Result<Room, Refusal> {
        if name == MAIN_ROOM {
            return Ok(self.main.clone());
        }
        self.entry(name)?.room(&self.opener, None).await
    }

    /// The rooms that are listed, the main one first and the others by their names.
    pub fn lines(&self) -> Vec<RoomLine> {
        let others: Vec<_> = self.read().values().filter(|entry| entry.settings.listed).cloned().collect();
        std::iter::once(line(self.main.facts())).chain(others.iter().map(|entry| entry.line())).collect()
    }

    /// What is told of the main room.
    pub fn main_line(&self) -> RoomLine {
        line(self.main.facts())
    }

    /// All rooms beside the main one, by their names, listed or not, each with whether it is in the configuration and with
    /// what is told of it.
    pub fn all(&self) -> Vec<(ExtraRoom, bool, RoomLine)> {
        let entries: Vec<_> = self.read().values().cloned().collect();
        entries.iter().map(|entry| (entry.settings.clone(), entry.configured, entry.line())).collect()
    }

    /// Adds a room, durably; guests find it at once.
    ///
    /// # Errors
    /// There is one of that name, there are too many, the name or the title is not allowed, or the list of rooms cannot be
    /// written.
    pub async fn add(&self, name: &str, title: Option<&str>, listed: bool) -> Result<(), RoomsError> {
        let _changing = self.changing.lock().await;
        if name == MAIN_ROOM || self.read().contains_key(name) {
            return Err(RoomsError::Exists(name.to_owned()));
        }
        if self.read().len() >= ROOMS_MAX {
            return Err(RoomsError::TooMany(ROOMS_MAX));
        }
        let room = self.like.like(name, title, listed).map_err(RoomsError::Name)?;
        let name = name.to_owned();
        let mut kept = self.kept_rooms();
        kept.push(room.clone());
        self.opener.logs.keep(&kept, None).await?;
        self.others
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, Arc::new(Entry::new(room, false)));
        self.opener.house.tell();
        Ok(())
    }

    /// Removes a room: puts its guests out, closes it, and erases all that it has kept. When the list of rooms cannot be
    /// written nothing is done.
    ///
    /// # Errors
    /// There is none of that name, it is in the configuration, or something could not be written or erased.
    pub async fn remove(&self, name: &str) -> Result<(), RoomsError> {
        let _changing = self.changing.lock().await;
        if name == MAIN_ROOM {
            return Err(RoomsError::Main);
        }
        let entry = self.entry(name).map_err(|_| RoomsError::Unknown(name.to_owned()))?;
        if entry.configured {
            return Err(RoomsError::Configured(name.to_owned()));
        }
        let mut kept = self.kept_rooms();
        kept.retain(|room| room.room.name != name);
        self.opener.logs.keep(&kept, Some(name)).await?;
        // From here on the room is not found, so that it is not opened again.
        self.others.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        self.opener.house.tell();
        entry.end(&self.opener).await;
        Ok(self.opener.logs.erase().await?)
    }

    /// The rooms that are not in the configuration.
    fn kept_rooms(&self) -> Vec<ExtraRoom> {
        self.read().values().filter(|entry| !entry.configured).map(|entry| entry.settings.clone()).collect()
    }

    fn entry(&self, name: &str) -> Result<Arc<Entry>, Refusal> {
        self.read().get(name).cloned().ok_or_else(|| unknown_room(name))
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Arc<Entry>>> {
        self.others.read().unwrap_or_else(PoisonError::into_inner)
    }
}
