//! What is done with all that a room has kept: a backup, and a wipe.

use std::path::PathBuf;
use std::sync::Arc;

use super::Server;
use super::archive::{Passphrase, Progress};
use super::backup::{BackedUp, BackupError};
use super::storage::blocking;
use super::wipe::{self, WipeError, Wiped};

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

    /// Closes the room as [`Server::close`] does, and then makes all of it unreadable ([`wipe`]), with `address` also the key
    /// of its address. A room that keeps nothing is closed; a backup under way is given up. Dropped before the room is closed, it
    /// wipes nothing.
    ///
    /// # Errors
    /// Something could not be overwritten or removed, and is named; or the room is on several machines, and was closed only:
    /// [`Server::may_wipe`] tells before.
    pub async fn wipe(self, address: bool) -> Result<Wiped, WipeError> {
        let (on_disk, allowed) = (Arc::clone(&self.on_disk), self.may_wipe());
        self.close().await;
        allowed?;
        let Some(directory) = on_disk.shared_directory() else { return Ok(Wiped::default()) };
        blocking(move || {
            let _none = on_disk.end_backups();
            wipe::wipe(&directory, address)
        })
        .await
    }

    /// Whether [`Server::wipe`] can wipe this room.
    ///
    /// # Errors
    /// It is on several machines.
    pub fn may_wipe(&self) -> Result<(), WipeError> {
        if self.cluster.is_some() { Err(WipeError::SeveralMachines) } else { Ok(()) }
    }
}
