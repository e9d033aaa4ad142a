//! Wipes a room that no host has confirmed for as many days as the settings say.
//!
//! [`count`] counts the time; this module has the file that it is kept in, and the task that looks after it: it takes
//! confirmations, sees the acts of hosts, warns, and asks for the wipe when the time has come.
//!
//! Acts over the host's socket confirm nothing, because scripts do such without a person; `onionroom host confirm` does.

mod clocks;
mod count;
mod kept;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use self::clocks::{Clocks, SystemClocks};
use self::count::Count;
use super::storage::blocking;
use crate::config::RoomSettings;
use crate::hub::Room;
use crate::hub::wiping::{Wipe, WipedBy, Wiping};
use crate::protocol::{Confirmation, GuestId, Role};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How often the file is written while nothing is due, in looks.
const WRITE_EVERY: u64 = 60;

/// How often it is warned, in seconds, when the time is past.
const WARN_EVERY: u64 = 5 * 60;

/// How often it is warned, in seconds, when less than a quarter of the time is left.
const WARN_SOON_EVERY: u64 = 24 * 60 * 60;

/// Confirms the room; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Confirm(mpsc::Sender<oneshot::Sender<Result<(), String>>>);

impl Confirm {
    /// Confirms it, and waits until that is on the disk.
    ///
    /// # Errors
    /// That it cannot be written, and counts only until the room closes; or that the room is closing.
    pub(super) async fn confirm(&self) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        let _ = self.0.send(reply).await;
        answer.await.unwrap_or_else(|_| Err("The room is closing.".to_owned()))
    }
}

/// What looks after it, until the room closes.
pub(super) struct Watch {
    room: Room,
    wiping: Wiping,
    count: Count<Box<dyn Clocks>>,
    path: Arc<Path>,
    address: bool,
    confirms: mpsc::Receiver<oneshot::Sender<Result<(), String>>>,
    /// The newest act that was looked at.
    seen: u64,
    /// How many looks there were.
    looks: u64,
    /// How many seconds were left at the last warning, and whether the time was past.
    warned: Option<(bool, u64)>,
    /// Whether it was said that the file cannot be written.
    unwritable: bool,
}

impl Watch {
    /// For a room with this data directory; `None` if it is not to be wiped by itself. Without a file the count begins now.
    pub(super) async fn begin(
        settings: &RoomSettings,
        directory: &Path,
        room: &Room,
        wiping: &Wiping,
    ) -> Option<(Confirm, Self)> {
        Self::begin_with(settings, directory, room, wiping, Box::new(SystemClocks::new())).await
    }

    async fn begin_with(
        settings: &RoomSettings,
        directory: &Path,
        room: &Room,
        wiping: &Wiping,
        clocks: Box<dyn Clocks>,
    ) -> Option<(Confirm, Self)> {
        let days = settings.wipe_after_days;
        if days == 0 {
            return None;
        }
        let path: Arc<Path> = directory.join(super::files::CONFIRMED_FILE).into();
        let read = Arc::clone(&path);
        let kept = blocking(move || kept::read(&read)).await;
        let fresh = kept.is_none();
        let count = Count::new(days, kept, clocks);
        let seen = room.state().await.ok().and_then(|state| state.acts.back().map(|line| line.seq));
        let (sender, confirms) = mpsc::channel(16);
        let mut watch = Self {
            room: room.clone(),
            wiping: wiping.clone(),
            count,
            path,
            address: settings.wipe_address,
            confirms,
            seen: seen.unwrap_or(0),
            looks: 0,
            warned: None,
            unwritable: false,
        };
        if fresh {
            let _ = watch.write().await;
        }
        watch.tell();
        Some((Confirm(sender), watch))
    }

    /// Looks after it. Returns when the room closes, and when the wipe was asked for.
    pub(super) async fn follow(mut self, closing: CancellationToken) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                // What a host did a moment before the room closed is a sign, too.
                () = closing.cancelled() => return self.heed_acts().await,
                reply = self.confirms.recv() => match reply {
                    Some(reply) => drop(reply.send(self.confirm().await)),
                    None => return,
                },
                _ = looks.tick() => {
                    if self.look().await {
                        self.wiping.begin(Wipe { address: self.address, by: WipedBy::Unconfirmed });
                        // Its end would be the failure of the room.
                        return closing.cancelled().await;
                    }
                }
            }
        }
    }

    /// Confirms the room where a host has acted since the last time.
    async fn heed_acts(&mut self) {
        if self.has_acted().await && self.confirm().await.is_err() {
            self.say_unwritable();
        }
    }

    async fn confirm(&mut self) -> Result<(), String> {
        self.count.confirm();
        if self.warned.take().is_some() {
            tracing::info!("A host has confirmed the room.");
        }
        self.tell();
        let written = self.write().await;
        written.map_err(|error| {
            format!(
                "It counts for as long as the room is open, but it cannot be written to {}: {error}.",
                self.path.display()
            )
        })
    }

    /// Counts, warns and writes; whether the room is to be wiped now.
    async fn look(&mut self) -> bool {
        self.heed_acts().await;
        let called_off = self.count.look();
        if called_off {
            self.warned = None;
            tracing::warn!(
                "The clock does not say any more that no host has confirmed the room in time. It is not wiped."
            );
        }
        self.looks += 1;
        let due = self.count.is_overdue() || called_off || self.looks.is_multiple_of(WRITE_EVERY);
        if due && self.write().await.is_err() {
            self.say_unwritable();
        }
        self.warn();
        self.tell();
        self.count.is_due()
    }

    /// Whether a guest who is a host has done something since the last look.
    async fn has_acted(&mut self) -> bool {
        let Ok(state) = self.room.state().await else { return false };
        let new = state.acts.iter().filter(|line| line.seq > self.seen);
        let acted = new.clone().any(|line| line.by != GuestId::ROOM && state.role(line.by) == Role::Host);
        self.seen = new.map(|line| line.seq).max().unwrap_or(self.seen);
        acted
    }

    fn warn(&mut self) {
        let (overdue, left) = (self.count.is_overdue(), self.count.seconds_left());
        let every = if overdue { WARN_EVERY } else { WARN_SOON_EVERY };
        let due = match self.warned {
            Some((was, at)) => was != overdue || left + every <= at,
            None => overdue || self.count.is_soon(),
        };
        if !due {
            return;
        }
        self.warned = Some((overdue, left));
        let what = if self.address { "and its address are" } else { "is" };
        let (days, left) = (self.count.days(), self.confirmation().left());
        if overdue {
            tracing::warn!(
                "No host has confirmed the room for {days} days. In {left} it {what} wiped, unless one does: `onionroom host confirm`."
            );
        } else {
            tracing::warn!(
                "No host has confirmed the room for some time. It {what} wiped when {days} days are over, in {left}, unless one does: \
                 `onionroom host confirm`."
            );
        }
    }

    fn confirmation(&self) -> Confirmation {
        Confirmation {
            after_days: self.count.days(),
            seconds_left: self.count.seconds_left(),
            soon: self.count.is_soon(),
            overdue: self.count.is_overdue(),
            address: self.address,
        }
    }

    fn tell(&self) {
        self.wiping.tell(self.confirmation());
    }

    async fn write(&mut self) -> std::io::Result<()> {
        let (path, kept) = (Arc::clone(&self.path), self.count.kept());
        let written = blocking(move || kept::write(&path, &kept)).await;
        self.unwritable &= written.is_err();
        written
    }

    fn say_unwritable(&mut self) {
        if !std::mem::replace(&mut self.unwritable, true) {
            let path = self.path.display();
            tracing::warn!(
                "When a host has confirmed the room cannot be written to {path}, and counts until the room closes."
            );
        }
    }
}

#[cfg(test)]
#[path = "unconfirmed_tests.rs"]
mod tests;
