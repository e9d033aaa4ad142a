//! Each room beside the main one, for what is done to all of them while they go on.

use std::sync::Arc;

use super::Rooms;
use super::entry::Entry;
use crate::config::ExtraRoom;
use crate::hub::Room;
use crate::protocol::Refusal;

/// A room as it was when the rooms were listed: one of the same name that was made since is another one.
pub struct OneRoom {
    rooms: Arc<Rooms>,
    entry: Arc<Entry>,
}

impl Rooms {
    /// Every room beside the main one, by their names.
    pub fn each(self: &Arc<Self>) -> Vec<OneRoom> {
        let one = |entry: &Arc<Entry>| OneRoom { rooms: Arc::clone(self), entry: Arc::clone(entry) };
        self.read().values().map(one).collect()
    }
}

impl OneRoom {
    /// Its settings.
    pub fn settings(&self) -> &ExtraRoom {
        &self.entry.settings
    }

    /// Whether it was not removed since.
    pub fn is_there(&self) -> bool {
        self.rooms.read().get(self.entry.name()).is_some_and(|entry| Arc::ptr_eq(entry, &self.entry))
    }

    /// Whether it is open, or has a log.
    pub fn was_used(&self) -> bool {
        self.entry.is_open() || self.rooms.opener.logs.exists(self.entry.name())
    }

    /// The room, which is opened if it is closed, and not closed for as long as the handle is there, unless it is removed. With
    /// whether it was open.
    ///
    /// # Errors
    /// It was removed, or the log cannot be opened.
    pub async fn open(&self) -> Result<(Room, bool), Refusal> {
        let was_open = self.entry.is_open();
        Ok((self.entry.room(&self.rooms.opener, None).await?, was_open))
    }

    /// Closes it, if nothing is lost by that.
    pub async fn close_if_quiet(&self) {
        self.entry.close_if_quiet(&self.rooms.opener).await;
    }
}
