//! What can be wrong with invitations, in sentences that say what to do.

use std::io;
use std::path::{Path, PathBuf};

use super::INVITATIONS_MAX;
use super::name::InviteeName;
use crate::storage::StorageError;

/// Why invitations cannot be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvitationError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A file or directory of the invitations cannot be used.
    #[error(
        "The invitations cannot be used: {}: {cause}. Make it a file or directory that the user who runs onionroom can read and write.",
        path.display()
    )]
    Unusable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The room is open to all.
    #[error(
        "This room is open to all who know its address, so there is nothing to invite to. `onionroom invite add {name} --private` makes it private: from then on only those invited find it, and who is inside now is shut out."
    )]
    Open {
        /// Who was to be invited.
        name: InviteeName,
    },
    /// There is such an invitation.
    #[error(
        "There is an invitation called {name} already. Take another name, or remove that one first with `onionroom invite remove {name}`: its key is then of no use any more."
    )]
    Taken {
        /// The name.
        name: InviteeName,
    },
    /// There is no such invitation.
    #[error("There is no invitation called {name}. `onionroom invite list` has those that there are.")]
    Unknown {
        /// The name.
        name: InviteeName,
    },
    /// There are as many as a room may have.
    #[error(
        "There are {INVITATIONS_MAX} invitations, and no more fit into what the room publishes. Remove one first with `onionroom invite remove NAME`."
    )]
    Full,
}

impl InvitationError {
    /// The system refuses something about the file or directory at `path`.
    pub(super) fn unusable(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = PathBuf::from(path);
        move |cause| InvitationError::Unusable { path: path.clone(), cause }
    }
}
