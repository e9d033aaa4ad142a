//! What a room tells of itself to those who are not in it, and how it ends while others go on.

use std::sync::{Arc, PoisonError};

use tokio::time::Instant;

use super::RoomActor;
use crate::hub::command::RoomsNews;
use crate::protocol::Refusal;
use crate::protocol::event::Event;

/// After how many seconds without a guest the room's ring is given up: longer than a guest takes to come back.
const EMPTY_FOR: u32 = 60;

impl RoomActor {
    /// Tells those who are not in the room.
    pub(super) fn tell_facts(&self) {
        let head = self.appends.published();
        self.shared.facts.tell(head, self.state.said(head), self.roster.count(), &self.state.title);
    }

    /// Gives up the memory of a room in which no guest has been for a while. To be called about once a second.
    pub(super) fn note_emptiness(&mut self) {
        self.empty_for = if self.roster.count() > 0 { 0 } else { self.empty_for.saturating_add(1) };
        if self.empty_for == EMPTY_FOR {
            self.shared.ring.write().unwrap_or_else(PoisonError::into_inner).give_up();
        }
    }

    /// Tells guests of the other rooms. Of their own they know everything.
    pub(super) fn tell_rooms(&mut self, news: &RoomsNews) {
        self.rooms = Arc::clone(&news.all);
        let own = self.shared.facts.name();
        let rooms: Vec<_> = news.changed.iter().filter(|room| room.name != own).collect();
        // Without guests the next welcome has it.
        if self.roster.count() > 0 && !(rooms.is_empty() && news.gone.is_empty()) {
            self.shared.publish_one(Event::Rooms { rooms, gone: &news.gone });
        }
    }

    /// Whether nothing would be lost if the room ended now and were opened again.
    pub(super) fn is_quiet(&self) -> bool {
        let trimming = self.trimming.as_ref().is_some_and(|trimming| !trimming.is_finished());
        self.roster.count() == 0
            && self.appends.is_empty()
            && self.backlog.entries.is_empty()
            && self.admission.is_empty()
            && self.waiting.count() == 0
            && self.uses.is_empty()
            && self.reservation_limits.is_idle(Instant::now())
            && !trimming
    }

    /// Puts all guests out, and ends the room after these commands.
    pub(super) async fn end(&mut self, reason: &Refusal) {
        self.settle_all().await;
        for guest in self.roster.guests() {
            self.roster.expel(guest.id, reason);
        }
        self.ended = true;
        self.tell_facts();
    }
}
