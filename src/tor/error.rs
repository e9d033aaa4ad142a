//! What can keep the onion service from being launched.

use super::PrivateNetworkError;
use crate::storage::StorageError;

/// Why the onion service could not be launched; each says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TorError {
    /// The directory cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The description of the private network is wrong.
    #[error(transparent)]
    PrivateNetwork(#[from] PrivateNetworkError),
    /// Arti did not start.
    #[error("Tor could not be started: {reason}. {advice}")]
    Start {
        /// What Arti said.
        reason: String,
        /// What to do about it.
        advice: &'static str,
    },
}
