//! The backup of a room that is open.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::error::BackupError;
use super::others::OpenRooms;
use super::{BackedUp, Logs, backup_open};
use crate::log::SqliteLog;
use crate::server::archive::{Passphrase, Progress};
use crate::storage::DataDirectory;

/// What is backed up of a room that is open. Holds its data directory, and so the lock.
pub(in super::super) struct OpenRoom {
    directory: Option<Arc<DataDirectory>>,
    /// The log, if it is in the data directory.
    log: Option<Arc<SqliteLog>>,
    /// The other rooms; `None` where there can be none.
    others: Option<Arc<OpenRooms>>,
    under_way: Arc<Mutex<()>>,
}

impl OpenRoom {
    pub(in super::super) fn new(
        directory: Option<Arc<DataDirectory>>,
        log: Option<Arc<SqliteLog>>,
        others: Option<OpenRooms>,
    ) -> Self {
        Self { directory, log, others: others.map(Arc::new), under_way: Arc::default() }
    }

    /// The same, to be kept after the room is closed.
    pub(in super::super) fn shared_directory(&self) -> Option<Arc<DataDirectory>> {
        self.directory.clone()
    }

    /// The data directory; `None` for a room that has none.
    pub(in super::super) fn directory(&self) -> Option<&DataDirectory> {
        self.directory.as_deref()
    }

    /// Waits until no backup is written any more, and keeps others from being begun. Blocks.
    pub(in super::super) fn end_backups(&self) -> MutexGuard<'_, ()> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See [`super::super::Server::backup`].
    pub(in super::super) async fn backup(
        &self,
        to: PathBuf,
        passphrase: Passphrase,
        mut told: impl FnMut(Progress) + Send + 'static,
    ) -> Result<BackedUp, BackupError> {
        let Some(directory) = self.directory.clone().filter(|directory| !directory.is_ephemeral()) else {
            return Err(BackupError::Ephemeral);
        };
        let (log, others) = (self.log.clone(), self.others.clone());
        let (handle, under_way) = (Handle::current(), Arc::clone(&self.under_way));
        let given_up = CancellationToken::new();
        let _give_up_when_dropped = given_up.clone().drop_guard();
        let written = spawn_blocking(move || {
            let _held = match under_way.try_lock() {
                Ok(held) => held,
                Err(TryLockError::Poisoned(held)) => held.into_inner(),
                Err(TryLockError::WouldBlock) => return Err(BackupError::UnderWay),
            };
            let others = others.map(|others| others.all(&handle));
            let logs = Logs { main: log.as_deref(), others };
            backup_open(&directory, &logs, &to, &passphrase, &given_up, &mut told)
        });
        written.await.unwrap_or_else(|error| Err(io::Error::other(error).into()))
    }
}
