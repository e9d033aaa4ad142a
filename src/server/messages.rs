//! Which log the settings ask for.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::files::LOG_FILE;
use crate::config::{HistorySettings, Settings};
use crate::hub::cluster::Cluster;
use crate::log::sqlite::{Opening, SqliteOpenError, Synchronous};
use crate::log::{Log, MemoryLog, Retention, SqliteLog};

/// Why the log could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessagesError {
    /// The operating system gave no randomness.
    #[error("The operating system gives no randomness: {0}. Nothing secret can be made without it.")]
    Randomness(#[from] getrandom::Error),
    /// The file of the messages cannot be used.
    #[error(transparent)]
    Sqlite(#[from] SqliteOpenError),
    /// The servers of the cluster cannot be used.
    #[cfg(feature = "cluster")]
    #[error(transparent)]
    Cluster(#[from] crate::cluster::ClusterError),
    /// The settings ask for a cluster, and the program was built without it.
    #[error(
        "cluster.nats is set, but this program was built without the cargo feature `cluster`. Build it with that feature, or leave the setting away."
    )]
    NoCluster,
}

/// How much the settings keep.
pub(super) fn retention(history: &HistorySettings) -> Retention {
    let HistorySettings { messages, megabytes, days, .. } = *history;
    let age = (days > 0).then(|| Duration::from_secs(days * 24 * 60 * 60));
    Retention { messages, bytes: megabytes * 1_000_000, age }
}

/// A log that was opened.
pub(super) struct OpenLog {
    pub(super) log: Arc<dyn Log>,
    /// The same, if it is in a directory.
    pub(super) file: Option<Arc<SqliteLog>>,
}

/// A log of this machine alone: in memory for a room that leaves nothing behind, otherwise in a directory.
pub(super) fn open(
    history: &HistorySettings,
    directory: Option<&Path>,
    opening: &Arc<Opening>,
) -> Result<OpenLog, MessagesError> {
    let retention = retention(history);
    Ok(match directory {
        None => OpenLog { log: Arc::new(MemoryLog::new(retention)?), file: None },
        Some(directory) => {
            let survives = history.survive_power_loss;
            let synchronous = if survives { Synchronous::Full } else { Synchronous::Normal };
            let path = directory.join(LOG_FILE);
            let log = Arc::new(SqliteLog::open_watched(&path, retention, synchronous, opening)?);
            OpenLog { log: Arc::clone(&log) as Arc<dyn Log>, file: Some(log) }
        }
    })
}

/// The log that the servers of the cluster keep, and the other nodes.
#[cfg(feature = "cluster")]
pub(super) async fn open_cluster(
    settings: &Settings,
) -> Result<(Arc<dyn Log>, Arc<dyn Cluster>), MessagesError> {
    let Some(cluster) = &settings.cluster else { return Err(MessagesError::NoCluster) };
    let connection = crate::cluster::Connection::open(cluster).await?;
    let log = crate::log::JetStreamLog::open(Arc::clone(&connection), retention(&settings.history)).await?;
    let nodes = crate::nodes::NatsCluster::join(&connection, cluster.doors).await?;
    Ok((Arc::new(log), Arc::new(nodes)))
}

/// The log that the servers of the cluster would keep.
#[cfg(not(feature = "cluster"))]
pub(super) async fn open_cluster(
    _settings: &Settings,
) -> Result<(Arc<dyn Log>, Arc<dyn Cluster>), MessagesError> {
    Err(MessagesError::NoCluster)
}
