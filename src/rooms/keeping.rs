//! What is done for the rooms by themselves: quiet ones are closed, what is too old is erased, guests are told.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Rooms;
use super::entry::{Due, Entry};
use super::opener::IDLE_MOST;

/// For how long nothing was asked of a room before it is closed.
pub(super) const QUIET: Duration = Duration::from_secs(180);

/// How often it is looked for rooms to close.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The shortest time between two changes of what guests are told.
const TELL_EVERY: Duration = Duration::from_secs(1);

impl Rooms {
    /// Keeps the rooms until `closing` is cancelled; then closes all that are open, but for the main one.
    pub async fn keep(self: Arc<Self>, closing: CancellationToken) {
        tokio::select! {
            biased;
            () = closing.cancelled() => {}
            _ = async { tokio::join!(self.tell(), self.tend(), self.survey()) } => {}
        }
    }

    /// Closes the logs of all rooms but the main one.
    pub async fn close(&self) {
        let entries: Vec<_> = self.read().values().cloned().collect();
        futures_util::future::join_all(entries.iter().map(|entry| entry.close())).await;
    }

    /// Tells guests what has changed.
    async fn tell(&self) {
        loop {
            let several = self.are_several() || self.opener.listing.is_told();
            if let Some(news) = several.then(|| self.opener.listing.update(self.lines())).flatten() {
                self.main.tell_rooms(&news);
                let entries: Vec<_> = self.read().values().cloned().collect();
                entries.iter().for_each(|entry| entry.tell_rooms(&news));
            }
            sleep(TELL_EVERY).await;
            self.opener.house.changed().await;
        }
    }

    /// Closes rooms that are quiet, and opens those in which something is to be erased.
    async fn tend(self: &Arc<Self>) {
        loop {
            let _ = timeout(LOOK_EVERY, self.opener.crowded.notified()).await;
            self.look().await;
        }
    }

    pub(super) async fn look(self: &Arc<Self>) {
        let (now, mut idle) = (Instant::now(), Vec::new());
        let entries: Vec<Arc<Entry>> = self.read().values().cloned().collect();
        for entry in entries {
            match entry.due(now) {
                Due::Nothing => {}
                Due::Closing(since) => idle.push((since, entry)),
                // The room trims its log when it is opened. It is closed again with the others.
                Due::Erasing => drop(entry.room(&self.opener, None).await),
            }
        }
        idle.sort_by_key(|(since, _)| *since);
        let surplus = idle.len().saturating_sub(IDLE_MOST);
        for (place, (since, entry)) in idle.into_iter().enumerate() {
            if place < surplus || now.saturating_duration_since(since) >= QUIET {
                entry.close_if_quiet(&self.opener).await;
            }
        }
    }

    /// Opens every room once that has a log, one after the other: so its title and its newest number are known, and what became
    /// too old is erased.
    async fn survey(self: &Arc<Self>) {
        let entries: Vec<Arc<Entry>> = self.read().values().cloned().collect();
        for entry in entries {
            if !entry.is_open() && self.opener.logs.exists(entry.name()) {
                drop(entry.room(&self.opener, None).await);
                entry.close_if_quiet(&self.opener).await;
            }
        }
    }
}
