//! Errors of launching the onion service.

use std::fmt::Display;

use super::private_network::PrivateNetworkError;
use crate::storage::StorageError;

/// Why the onion service could not be launched; each message says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TorError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The description of the private network is wrong.
    #[error(transparent)]
    PrivateNetwork(#[from] PrivateNetworkError),
    /// Arti did not start.
    #[error("Tor could not be started: {reason}. {advice}")]
    Start {
        /// What Arti reported.
        reason: String,
        /// What to do about it.
        advice: &'static str,
    },
}

impl TorError {
    /// Arti failed at `what` because of `cause`.
    pub(super) fn start(what: &str, cause: &dyn Display) -> Self {
        TorError::Start {
            reason: format!("{what} ({cause})"),
            advice: "If it stays, look at --log debug, and check the data directory.",
        }
    }
}
