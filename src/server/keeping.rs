//! What is done with all that a room has kept: a backup, and a wipe.

use std::path::PathBuf;
use std::sync::Arc;

use super::Server;
use super::archive::{Passphrase, Progress};
use super::backup::{BackedUp, BackupError};
use super::storage::blocking;
use super::unconfirmed::Watch;
use super::wipe::{self, WipeError, Wiped};
use crate::config::Settings;
use crate::hub::wiping::{Wipe, WipedBy};
use crate::storage::DataDirectory;

/// A wipe that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WipeAsked {
    /// Whether the address is to go too.
    pub address: bool,
    /// Why, as a sentence.
    pub because: &'static str,
}

impl From<Wipe> for WipeAsked {
    fn from(Wipe { address, by }: Wipe) -> Self {
        let because = match by {
            WipedBy::Host => "A host of the room has asked that it be wiped.",
            WipedBy::Unconfirmed => "No host has confirmed the room in time, so it is wiped.",
            WipedBy::Terminal => "The room was told over the host's socket that it is to be wiped.",
        };
        Self { address, because }
    }
}

impl Server {
    /// Writes a backup to the new file `to` while the room goes on: everything that was acknowledged before is in it, unless it
    /// was erased since. Takes 128 MiB of memory for the passphrase. Dropped unfinished, it is given up, and there is no file.
    ///
    /// # Errors
    /// Another backup is being written, the room leaves nothing behind, or the file cannot be written; then there is none.
    pub async fn backup(
        &self,
        to: PathBuf,
        passphrase: Passphrase,
        told: impl FnMut(Progress) + Send + 'static,
    ) -> Result<BackedUp, BackupError> {
        self.on_disk.backup(to, passphrase, told).await
    }

    /// Looks after a room that is wiped unless a host confirms it, if the settings say so.
    pub(super) async fn watch_unconfirmed(&mut self, settings: &Settings) {
        let Some(directory) = self.on_disk.shared_directory() else { return };
        if self.may_wipe().is_err() {
            return;
        }
        let begun = Watch::begin(&settings.room, directory.path(), &self.room, &self.wiping).await;
        if let Some((confirm, watch)) = begun {
            self.confirm = Some(confirm);
            self.spawn_critical(watch.follow(self.closing.clone()));
        }
    }

    /// Confirms, as a host, a room that would be wiped by itself otherwise; does nothing where the settings do not ask for that.
    ///
    /// # Errors
    /// A sentence: it cannot be written, and counts until the room closes.
    pub async fn confirm(&self) -> Result<(), String> {
        match &self.confirm {
            Some(confirm) => confirm.confirm().await,
            None => Ok(()),
        }
    }

    /// Waits until a host asks that the room be wiped: then [`Server::wipe`] is to be called. Without it being waited for, such
    /// requests are refused.
    pub fn wipe_asked(&self) -> impl Future<Output = WipeAsked> + Send + use<> {
        let mut asked = self.wiping.asked();
        async move {
            match asked.wait_for(Option::is_some).await.map(|asked| *asked) {
                Ok(Some(wipe)) => wipe.into(),
                _ => std::future::pending().await,
            }
        }
    }

    /// The wipe that a host has asked for, if one has. Once [`Server::wipe_asked`] is not waited for any more, no further one is
    /// taken.
    pub fn was_wipe_asked(&self) -> Option<WipeAsked> {
        self.wiping.now().map(WipeAsked::from)
    }

    /// Closes the room as [`Server::close`] does, and then makes all of it unreadable ([`wipe`]), with `address` also the key
    /// of its address, also where a host has asked for that. A room that keeps nothing is closed; a backup under way is given up. Dropped before the room is closed, it
    /// wipes nothing.
    ///
    /// # Errors
    /// Something could not be overwritten or removed, and is named; or the room is on several machines, and was closed only:
    /// [`Server::may_wipe`] tells before.
    pub async fn wipe(self, address: bool) -> Result<Wiped, WipeError> {
        let (on_disk, allowed, wiping) = (Arc::clone(&self.on_disk), self.may_wipe(), self.wiping.clone());
        self.close().await;
        allowed?;
        let address = address || wiping.now().is_some_and(|asked| asked.address);
        let Some(directory) = on_disk.shared_directory() else { return Ok(Wiped::default()) };
        blocking(move || {
            let _none = on_disk.end_backups();
            wipe::wipe(&directory, address)
        })
        .await
    }

    /// Whether the room keeps nothing, so that a wipe only closes it.
    pub fn keeps_nothing(&self) -> bool {
        self.on_disk.directory().is_none_or(DataDirectory::is_ephemeral)
    }

    /// Whether [`Server::wipe`] can wipe this room.
    ///
    /// # Errors
    /// It is on several machines.
    pub fn may_wipe(&self) -> Result<(), WipeError> {
        if self.cluster.is_some() { Err(WipeError::SeveralMachines) } else { Ok(()) }
    }
}
