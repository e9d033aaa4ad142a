//! Follows the invitations while the room is open.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::INVITATIONS_MAX;
use super::access::Access;
use super::error::InvitationError;
use super::expiry::Clock;
use super::store::{Found, Invitation, Invitations, Look};

/// How often the files are looked at. Those of a room that is open to all are one question whether a directory is there.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Who may find the room, as the files say.
#[derive(Debug)]
pub struct Follower {
    files: Invitations,
    clock: Clock,
    /// What was seen last, so that an expiry does not wait for files that cannot be read.
    known: Vec<Invitation>,
    /// What was said of them.
    told: (usize, Option<String>),
    access: watch::Sender<Access>,
}

impl Follower {
    /// Reads the invitations in the data directory that this process holds. `restricted` makes the room private if it is
    /// not yet. Blocks.
    ///
    /// # Errors
    /// When the files cannot be read: then it is not known who may find the room.
    pub fn start(data_dir: &Path, restricted: bool) -> Result<Self, InvitationError> {
        let files = Invitations::within(data_dir);
        if restricted {
            files.make_private()?;
        }
        let access = watch::Sender::new(Access::default());
        let mut follower = Self { clock: Clock::start(), known: Vec::new(), told: (0, None), access, files };
        let look = follower.files.first_look()?;
        if let Look::Found(_) = look {
            follower.access.send_replace(Access { invited: Some(BTreeMap::new()), closings: 0 });
        }
        follower.take(Ok(look), follower.clock.now());
        Ok(follower)
    }

    /// Who may find the room, now and as it changes.
    pub fn access(&self) -> watch::Receiver<Access> {
        self.access.subscribe()
    }

    /// Follows the files, and the clock, until `closing` is cancelled.
    pub async fn follow(mut self, closing: CancellationToken) {
        loop {
            tokio::select! {
                () = closing.cancelled() => return,
                () = sleep(LOOK_EVERY) => {}
            }
            let (files, now) = (self.files.clone(), self.clock.now());
            // It only fails when the runtime ends.
            let Ok(look) = spawn_blocking(move || files.look(now)).await else { return };
            self.take(look, self.clock.now());
        }
    }

    fn take(&mut self, look: Result<Look, InvitationError>, now: SystemTime) {
        let was_private = self.access.borrow().is_private();
        let mut is_private = was_private;
        let mut stay = BTreeSet::new();
        match look {
            // A room that has been private does not open because files are lost.
            Ok(Look::Absent) => self.known.clear(),
            Ok(Look::Busy) => {}
            Ok(Look::Found(found)) => {
                self.mention(&found);
                (self.known, stay, is_private) = (found.invitations, found.stay, true);
            }
            Err(error) => self.mention_fault(error.to_string()),
        }
        let good = self.known.iter().filter(|it| !it.expiry.is_over(now));
        let keys = good.filter_map(|it| Some((it.name.clone(), it.key?))).take(INVITATIONS_MAX);
        let invited: Option<BTreeMap<_, _>> = is_private.then(|| keys.collect());
        let changed = self.access.send_if_modified(|access| {
            let out = |(name, key): (&_, &_)| {
                let has = invited.as_ref().is_some_and(|keys| keys.get(name) == Some(key));
                !has && !stay.contains(name)
            };
            let some_are_out = access.invited.iter().flatten().any(out);
            if some_are_out || is_private && !was_private {
                access.closings += 1;
            }
            let changed = access.invited != invited;
            access.invited = invited;
            changed
        });
        if changed {
            let keys = self.access.borrow().keys();
            tracing::info!("The room is private; invitations in force: {keys}.");
        }
    }

    /// Says once that there are files which count for nothing. Their names are names of people.
    fn mention(&mut self, found: &Found) {
        let unreadable = found.invitations.iter().filter(|it| it.key.is_none()).count() + found.strange;
        let over = found.invitations.len().saturating_sub(INVITATIONS_MAX);
        if unreadable + over > 0 && self.told.0 != unreadable + over {
            tracing::warn!(
                "{unreadable} files among the invitations are none, and {over} are more than a room may have. They count \
                 for nothing; `onionroom invite list` has the others."
            );
        }
        self.told = (unreadable + over, None);
    }

    fn mention_fault(&mut self, fault: String) {
        if self.told.1.as_ref() != Some(&fault) {
            tracing::warn!("What is invited stays as it was. {fault}");
        }
        self.told.1 = Some(fault);
    }
}

#[cfg(test)]
#[path = "follower_tests.rs"]
mod tests;
