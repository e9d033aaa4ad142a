//! Why a room could not be opened.

use super::local::LocalError;
use super::messages::MessagesError;
use super::proxy::ProxyError;
use super::restore::RestoreError;
use super::room_list::RoomListError;
use super::tls::TlsError;
use crate::invitations::InvitationError;
use crate::log::LogError;
use crate::storage::StorageError;
use crate::tor::TorError;

/// Why a room could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The local room could not be opened.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The listener for proxies could not be opened.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The listener for TLS could not be opened.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data directory cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It cannot be read who may find the room.
    #[error(transparent)]
    Invitations(#[from] InvitationError),
    /// A backup was not put in place completely.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The list of the other rooms cannot be used.
    #[error(transparent)]
    Rooms(#[from] RoomListError),
    /// The message log could not be opened.
    #[error(transparent)]
    Log(#[from] MessagesError),
    /// The message log could not be read.
    #[error(transparent)]
    LogUnreadable(#[from] LogError),
    /// The onion service could not be set up.
    #[error(transparent)]
    Tor(#[from] TorError),
}
