//! Why the host's command was not done.

use std::io;
use std::path::PathBuf;

use crate::cli::passphrase::PassphraseError;
#[cfg(unix)]
use crate::control::client::ClientError;

/// Why the host's command was not done.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The room did not answer, or refused.
    #[cfg(unix)]
    #[error(transparent)]
    Client(#[from] ClientError),
    /// No ephemeral room is open.
    #[error("No ephemeral room of this user is open. Start one with `onionroom --ephemeral`.")]
    NoEphemeral,
    /// Several ephemeral rooms are open.
    #[error(
        "Several ephemeral rooms are open. Say which one is meant with --data-dir: {}.",
        .0.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    )]
    SeveralEphemeral(Vec<PathBuf>),
    /// No guest is meant.
    #[error(
        "No guest is called {0:?} or has that badge or number. `onionroom host guests` lists those who are here."
    )]
    NoSuchGuest(String),
    /// Several guests may be meant.
    #[error("{wanted:?} could be each of these guests. Say which one by the number:\n{list}")]
    Ambiguous {
        /// What was typed.
        wanted: String,
        /// A line for each of them.
        list: String,
    },
    /// A file of text cannot be read.
    #[error("{} cannot be read: {cause}.", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said, or that it is no text.
        cause: io::Error,
    },
    /// There is no password.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The system has no Unix sockets.
    #[error(
        "The room is governed over a Unix socket, which this system does not have for it. Use the page as a host."
    )]
    NoSockets,
}

impl HostError {
    /// The stable code, for programs.
    pub(super) fn code(&self) -> &str {
        match self {
            #[cfg(unix)]
            Self::Client(ClientError::Failed(failed)) => &failed.code,
            #[cfg(unix)]
            Self::Client(ClientError::NoRoom(_)) => "no_room",
            #[cfg(unix)]
            Self::Client(_) => "no_answer",
            Self::NoEphemeral | Self::SeveralEphemeral(_) => "no_room",
            Self::NoSuchGuest(_) => "no_such_guest",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Unreadable { .. } => "unreadable",
            Self::Passphrase(_) => "bad_passphrase",
            Self::NoSockets => "no_sockets",
        }
    }
}
