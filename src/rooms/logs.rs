//! Where the logs of rooms are.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::config::ExtraRoom;
use crate::log::{Log, LogError};

/// The log of a room that was opened.
pub struct OpenedLog {
    /// The log.
    pub log: Arc<dyn Log>,
    /// Whether it is there again when it was closed. Otherwise its room is never closed.
    pub lasts: bool,
}

/// Where the logs of rooms are, and the list of the rooms themselves.
pub trait Logs: Send + Sync + 'static {
    /// Opens the log of a room, or begins it.
    fn open(&self, room: &ExtraRoom) -> BoxFuture<'static, Result<OpenedLog, LogError>>;

    /// Whether a room has a log already.
    fn exists(&self, name: &str) -> bool;

    /// Erases everything that removed rooms have kept, which are closed.
    fn erase(&self) -> BoxFuture<'static, Result<(), LogError>>;

    /// Keeps the list of the rooms that are not in the configuration, durably, and that one was removed: what it has left is
    /// erased by [`Logs::erase`], or when the rooms are opened the next time.
    fn keep(&self, rooms: &[ExtraRoom], removed: Option<&str>) -> BoxFuture<'static, Result<(), LogError>>;
}

/// For an address with one room.
pub(super) struct NoLogs;

impl Logs for NoLogs {
    fn open(&self, _: &ExtraRoom) -> BoxFuture<'static, Result<OpenedLog, LogError>> {
        Box::pin(async { Err(no_logs()) })
    }

    fn exists(&self, _: &str) -> bool {
        false
    }

    fn erase(&self) -> BoxFuture<'static, Result<(), LogError>> {
        Box::pin(async { Ok(()) })
    }

    fn keep(&self, _: &[ExtraRoom], _: Option<&str>) -> BoxFuture<'static, Result<(), LogError>> {
        Box::pin(async { Err(no_logs()) })
    }
}

fn no_logs() -> LogError {
    LogError("There is one room at this address, and no place for more.".into())
}
