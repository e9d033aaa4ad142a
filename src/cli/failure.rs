//! The failures of commands, and their exit statuses.

use std::io::{self, Write};
use std::process::ExitCode;

use super::host::HostError;
use super::passphrase::PassphraseError;
use super::room::RoomsCommandError;
use crate::config::SettingsError;
use crate::invitations::InvitationError;
#[cfg(feature = "lab")]
use crate::lab::LabError;
use crate::server::OpenError;
use crate::server::backup::BackupError;
use crate::server::keys::KeyError;
use crate::server::restore::RestoreError;
use crate::server::wipe::WipeError;
use crate::tor::TorError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The command line or the settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A flag of another command.
    #[error("The flag {flag} does not go with `onionroom {command}`: {because}.")]
    FlagOfAnotherCommand {
        /// The flag.
        flag: &'static str,
        /// The command.
        command: &'static str,
        /// Why not.
        because: &'static str,
    },
    /// The runtime or the signal handlers could not be set up.
    #[error("The program cannot start: {0}.")]
    Start(#[source] io::Error),
    /// Standard output cannot be written.
    #[error("Standard output cannot be written: {0}.")]
    Stdout(#[source] io::Error),
    /// An invitation could not be made, listed or removed.
    #[error(transparent)]
    Invitation(#[from] InvitationError),
    /// There is no data directory for invitations.
    #[error(
        "The settings say that nothing is kept, so there are no invitations. Name the room's data directory with --data-dir."
    )]
    NothingInvited,
    /// A backup could not be put in place.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// A backup could not be written.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The name of the file cannot be told to a room that is open.
    #[error(
        "The name of the file is not UTF-8, and cannot be told to the room, which is open. Name it otherwise, or close the room."
    )]
    BackupPath,
    /// A signal came while an open room was writing its backup.
    #[error("The backup was given up. The room removes what there is of it.")]
    BackupGivenUp,
    /// There is no passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The key of the address could not be shown, written out or put in place.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no data directory.
    #[error(
        "The settings say that nothing is kept, so there is no data directory. Name one with --data-dir."
    )]
    NothingKept,
    /// A room could not be asked or governed.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The rooms could not be listed or changed.
    #[error(transparent)]
    Rooms(#[from] RoomsCommandError),
    /// The room was not wiped, or not all of it.
    #[error(transparent)]
    Wipe(#[from] WipeError),
    /// There is no data directory to wipe.
    #[error(
        "The settings say that nothing is kept, so there is nothing to wipe: it is gone when the room is closed. Name a directory with --data-dir."
    )]
    NothingToWipe,
    /// There is no terminal to ask at.
    #[error("Nothing was changed: there is no terminal to ask at. With --yes it is done without asking.")]
    WipeUnasked,
    /// The room still runs, or runs again.
    #[error(
        "The room was told to wipe itself, but a room is still open there: it has not ended yet, or was started again at once. Its terminal \
         or journal says whether it was wiped."
    )]
    WipeUnseen,
    /// The answer was another word.
    #[error("Nothing was changed: it was not confirmed.")]
    WipeNotConfirmed,
    /// The key of a cluster could not be made.
    #[cfg(feature = "cluster")]
    #[error(transparent)]
    ClusterKey(#[from] crate::cluster::SecretError),
    /// There is no cluster to check.
    #[cfg(feature = "cluster")]
    #[error(
        "The settings name no NATS servers, so this is a room on one machine, and there is nothing to check. cluster.nats names them."
    )]
    NoCluster,
    /// So many things are wrong with the cluster; what they are was printed.
    #[cfg(feature = "cluster")]
    #[error("{} wrong with the cluster, as said above.", match .0 { 1 => "One thing is".to_owned(), wrong => format!("{wrong} things are") })]
    ClusterWrong(usize),
    /// The room could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A task has ended that the room cannot do without.
    #[error(
        "A part of the room has stopped, and cannot be started again from within. Start the room again; --log debug may tell more."
    )]
    TaskFailed,
    /// The private Tor network did not come up.
    #[cfg(feature = "lab")]
    #[error(transparent)]
    Lab(#[from] LabError),
}

impl Failure {
    /// Prints the failure to standard error, as far as that can be written, and returns the exit status.
    pub fn report(&self) -> ExitCode {
        let _ = writeln!(io::stderr(), "error: {self}");
        match self {
            Failure::Settings(_)
            | Failure::FlagOfAnotherCommand { .. }
            | Failure::WipeUnasked
            | Failure::Open(OpenError::Tor(TorError::PrivateNetwork(_))) => ExitCode::from(2),
            #[cfg(feature = "lab")]
            Failure::Lab(LabError::OutOfRange { .. } | LabError::TooFar { .. }) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}
