//! Why rooms cannot be listed or changed.

#[cfg(not(unix))]
use std::path::PathBuf;

#[cfg(unix)]
use crate::control::client::ClientError;
use crate::server::closed_rooms::ClosedRoomsError;

/// Why the rooms cannot be listed or changed.
#[derive(Debug, thiserror::Error)]
pub enum RoomsCommandError {
    /// The open rooms did not answer, or refused.
    #[cfg(unix)]
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The closed ones cannot be changed.
    #[error(transparent)]
    Closed(#[from] ClosedRoomsError),
    /// Nothing is kept.
    #[error(
        "These settings keep nothing, so there is no list of rooms. Name the directory with --data-dir; rooms of the configuration \
         file need none."
    )]
    NothingKept,
    /// It was not confirmed.
    #[error("Nothing was removed.")]
    NotConfirmed,
    /// There is no terminal to ask at.
    #[error("Nothing was removed: there is no terminal to ask at. Say --yes if you mean it.")]
    Unasked,
    #[cfg(not(unix))]
    /// The rooms are open, and there is no way to speak to them.
    #[error("The rooms in {} are open. Close them first, with Ctrl-C where they run.", .0.display())]
    InUse(PathBuf),
}
