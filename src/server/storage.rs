//! What a room has on a disk, or in memory in its place: the data directory, the log and the key of the local room.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::error::OpenError;
use super::messages::OpenLog;
use super::{local, messages, restore};
use crate::config::{LocalAccess, Settings};
use crate::http::local_key::LocalKey;
use crate::invitations::Follower;
use crate::log::sqlite::Opening;
use crate::log::{Log, SqliteLog};
use crate::storage::DataDirectory;

/// What the room has on a disk, or in memory in its place.
pub(super) struct Storage {
    pub(super) directory: Option<Arc<DataDirectory>>,
    /// `None` for a room whose log is not on this machine.
    pub(super) log: Option<Arc<dyn Log>>,
    /// The same, if it is in the data directory.
    pub(super) file: Option<Arc<SqliteLog>>,
    pub(super) key: Option<LocalKey>,
    /// `None` without an onion service.
    pub(super) invitations: Option<Follower>,
}

impl Storage {
    /// Opens it on a thread for what blocks: a large log takes many seconds, a file system that is far away may take any
    /// time, and meanwhile signals are to be answered. Dropped unfinished, it is called off; where the operating system
    /// does not answer, the thread goes on until the process ends.
    pub(super) async fn open(settings: &Settings, opening: &Arc<Opening>) -> Result<Self, OpenError> {
        let (settings, watched) = (settings.clone(), Arc::clone(opening));
        let _call_off = CallOff(opening);
        blocking(move || Self::open_blocking(&settings, &watched)).await
    }

    fn open_blocking(settings: &Settings, opening: &Arc<Opening>) -> Result<Self, OpenError> {
        DataDirectory::sweep();
        let directory = settings.data_dir.as_deref().map(DataDirectory::open).transpose()?.map(Arc::new);
        if let Some(directory) = &directory {
            restore::exchange::clear(directory.path())?;
        }
        let (log, file) = match settings.cluster {
            Some(_) => (None, None),
            None => {
                let place = directory.as_ref().map(|directory| directory.path());
                let OpenLog { log, file } = messages::open(&settings.history, place, opening)?;
                (Some(log), file)
            }
        };
        let key = local::key(&settings.listen, directory.as_deref())?;
        let needed = settings.onion.enabled || settings.listen.local == LocalAccess::Unix;
        let directory = match directory {
            None if needed => Some(Arc::new(DataDirectory::ephemeral(settings.ephemeral_on_disk)?)),
            // For the host's socket alone, which a room can do without.
            None if cfg!(unix) => DataDirectory::ephemeral(false).ok().map(Arc::new),
            directory => directory,
        };
        let follow =
            |directory: &Arc<DataDirectory>| Follower::start(directory.path(), settings.onion.restricted);
        let invitations = directory.as_ref().filter(|_| settings.onion.enabled).map(follow).transpose()?;
        Ok(Self { directory, log, file, key, invitations })
    }
}

/// Does what blocks on a thread for it.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is ending, and this future with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Calls the opening of a log off when it is dropped; once the log is open, that does nothing.
struct CallOff<'a>(&'a Opening);

impl Drop for CallOff<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
