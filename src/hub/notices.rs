//! What guests are told of the room beside who is there and what is said: its other doors, whether it can write, and how many
//! wait to be let in.
//!
//! They are states: an event has the whole of it, and a reader that missed one is told the present state, if it has ever
//! been another than what a welcome without a word of it means.

use std::sync::Arc;

use crate::log::{Appended, LogError};
use crate::protocol::Event;

/// The other doors of the room, and whether it can write.
#[derive(Debug, Default)]
pub(super) struct Notices {
    /// The least busy first.
    doors: Arc<[String]>,
    /// Whether guests are to be told of the doors with the next tick. It stays due when they change back: guests who joined
    /// meanwhile were told the others.
    doors_due: bool,
    /// Whether a guest may know of doors.
    doors_known: bool,
    /// How many guests wait to be let in.
    waiting: usize,
    /// Whether that is to be told with the next tick.
    waiting_due: bool,
    /// Whether a guest may believe that some wait.
    waiting_known: bool,
    /// Whether the last append failed.
    log_fails: bool,
    /// Whether no quorum of the cluster answers.
    cluster_away: bool,
    /// Whether a guest may believe that the room cannot write.
    storage_known: bool,
}

/// What a reader that missed events is to be told.
#[derive(Debug, Default)]
pub(super) struct NoticeSnapshot {
    doors: Option<Arc<[String]>>,
    storage: Option<bool>,
    waiting: Option<usize>,
}

impl Notices {
    /// The origins of the other doors, the least busy first.
    pub(super) fn doors(&self) -> &Arc<[String]> {
        &self.doors
    }

    /// Takes these doors in place of those before. That they are in another order is no news.
    pub(super) fn set_doors(&mut self, doors: Arc<[String]>) {
        let same = doors.len() == self.doors.len() && doors.iter().all(|door| self.doors.contains(door));
        self.doors_due |= !same;
        self.doors_known |= !doors.is_empty();
        self.doors = doors;
    }

    /// Notes how many guests wait to be let in.
    pub(super) fn set_waiting(&mut self, count: usize) {
        self.waiting_due |= count != self.waiting;
        self.waiting_known |= count > 0;
        self.waiting = count;
    }

    /// Whether the doors, or how many guests wait, are to be told with the next tick.
    pub(super) fn is_due(&self) -> bool {
        self.doors_due || self.waiting_due
    }

    /// The doors, if they are to be told now.
    pub(super) fn announce_doors(&mut self) -> Option<Event<'_>> {
        std::mem::take(&mut self.doors_due).then_some(Event::Doors { doors: &self.doors })
    }

    /// How many guests wait, if that is to be told now.
    pub(super) fn announce_waiting(&mut self) -> Option<Event<'static>> {
        let event = Event::Waiting { count: self.waiting, guests: None };
        std::mem::take(&mut self.waiting_due).then_some(event)
    }

    /// Whether the room can write.
    pub(super) fn can_write(&self) -> bool {
        !self.log_fails && !self.cluster_away
    }

    /// Notes how an append ended; what guests are to be told, if that changes it. A change is logged once, however many
    /// messages are refused: a disk that is full would otherwise fill with it.
    pub(super) fn note_append(
        &mut self,
        appended: &Result<Vec<Appended>, LogError>,
    ) -> Option<Event<'static>> {
        match appended {
            Ok(_) if self.log_fails => tracing::warn!("the log stores messages again"),
            Err(error) if !self.log_fails => {
                tracing::error!(%error, "messages are refused because the log cannot store them");
            }
            _ => return None,
        }
        self.change_storage(|notices| notices.log_fails = appended.is_err())
    }

    /// Notes whether a quorum of the cluster answers; what guests are to be told, if that changes it. When it answers
    /// again, the room can write as far as is known.
    pub(super) fn note_quorum(&mut self, answers: bool) -> Option<Event<'static>> {
        if answers != self.cluster_away {
            return None;
        }
        match answers {
            true => tracing::warn!("the cluster answers again"),
            false => tracing::error!("messages are refused because the cluster does not answer"),
        }
        self.change_storage(|notices| {
            notices.cluster_away = !answers;
            notices.log_fails &= !answers;
        })
    }

    fn change_storage(&mut self, change: impl FnOnce(&mut Self)) -> Option<Event<'static>> {
        let before = self.can_write();
        change(self);
        let available = self.can_write();
        self.storage_known |= !available;
        (available != before).then_some(Event::Storage { available })
    }

    /// For a reader that missed events.
    pub(super) fn snapshot(&self) -> NoticeSnapshot {
        NoticeSnapshot {
            doors: self.doors_known.then(|| Arc::clone(&self.doors)),
            storage: self.storage_known.then(|| self.can_write()),
            waiting: self.waiting_known.then_some(self.waiting),
        }
    }
}

impl NoticeSnapshot {
    pub(super) fn events(&self) -> impl Iterator<Item = Event<'_>> {
        let doors = self.doors.as_deref().map(|doors| Event::Doors { doors });
        let waiting = self.waiting.map(|count| Event::Waiting { count, guests: None });
        doors.into_iter().chain(self.storage.map(|available| Event::Storage { available })).chain(waiting)
    }
}
