//! What guests are told of who comes and goes, at once or on a tick.

use tokio::time::Instant;

use super::RoomActor;
use crate::hub::presence::Announcement;
use crate::hub::roster::change::PresenceChange;

impl RoomActor {
    /// Tells all guests what was put off until the tick.
    pub(super) fn announce_due(&mut self) {
        if self.presence.is_due() {
            let snapshot = self.presence.announce(&self.roster);
            self.shared.publish_one(snapshot.event());
        }
        if let Some(doors) = self.notices.announce_doors() {
            self.shared.publish_one(doors);
        }
        if let Some(waiting) = self.notices.announce_waiting() {
            self.shared.publish_one(waiting);
        }
    }

    /// Tells all guests of changes, or schedules a snapshot; returns whether the changes
    /// themselves were told.
    pub(super) fn announce(&mut self, changes: &[PresenceChange]) -> bool {
        if !self.roster.has_untold() {
            return self.announce_all(changes);
        }
        let mut all = self.roster.take_displaced();
        all.extend_from_slice(changes);
        all.append(&mut self.roster.reveal());
        self.announce_all(&all)
    }

    fn announce_all(&mut self, changes: &[PresenceChange]) -> bool {
        match self.presence.update(changes, &self.roster, Instant::now()) {
            Announcement::Changes => {
                let at = self.clock();
                changes.iter().for_each(|change| self.shared.publish_one(change.event(at)));
                return true;
            }
            Announcement::Snapshot(snapshot) => self.shared.publish_one(snapshot.event()),
            Announcement::Deferred => {}
        }
        false
    }
}
