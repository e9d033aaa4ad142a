//! The command line: one file for each command.
//!
//! | exit status | |
//! |---|---|
//! | 0 | did what was asked, or was asked to end (Ctrl-C, `SIGTERM`) |
//! | 1 | failed while running |
//! | 2 | the command line or the settings are wrong; nothing was started |
//! | 130 | ended at once by a second Ctrl-C |
//!
//! Standard output gets what a script may want to read: addresses and their state, what `host` was answered, and the example file.
//! Standard error gets the rest: progress, problems, logs and errors.

mod arguments;
mod backup;
#[cfg(feature = "cluster")]
mod cluster;
mod ending;
mod failure;
mod host;
mod invite;
mod key;
#[cfg(feature = "lab")]
mod lab;
mod moving;
mod opening;
mod passphrase;
mod process;
mod restore;
mod room;
mod screen;
mod serve;
mod shutdown_signals;
mod status_changes;
mod terminal;
mod wipe;

#[cfg(feature = "cluster")]
pub use arguments::ClusterCommand;
#[cfg(feature = "lab")]
pub use arguments::LabFlags;
pub use arguments::{
    Arguments, BackupFlags, Command, DataFlags, HostCommand, HostFlags, InviteCommand, InviteFlags,
    KeyCommand, PassphraseFlags, RestoreFlags, RoomFlags, RoomsCommand, RoomsFlags, ServeFlags, WipeFlags,
};
pub use failure::Failure;
pub use host::HostError;
pub use passphrase::PassphraseError;
pub use room::RoomsCommandError;

use std::io::{self, Write};

use crate::config::EXAMPLE;

/// Runs the command.
///
/// # Errors
///
/// The failure, with its exit status.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let refused = process::harden();
    let Arguments { before, command } = arguments;
    match command {
        None => serve::run(&[before], &refused),
        Some(Command::Serve(flags)) => serve::run(&[before, flags], &refused),
        #[cfg(feature = "lab")]
        Some(Command::Lab(flags)) => lab::run(&before, flags, &refused),
        #[cfg(feature = "cluster")]
        Some(Command::Cluster(command)) => cluster::run(command),
        Some(Command::Invite(flags)) => invite::run(flags),
        Some(Command::Room(flags)) => room::run(&flags),
        Some(Command::Host(flags)) => host::run(&before, &flags),
        Some(Command::Config) => print_example(),
        Some(Command::Backup(flags)) => backup::run(&flags),
        Some(Command::Restore(flags)) => restore::run(&flags),
        Some(Command::Key(command)) => key::run(&command),
        Some(Command::Wipe(flags)) => wipe::run(&before, flags),
    }
}

/// Prints the example; a reader that closes the pipe early (`onionroom config | head`) is no failure.
fn print_example() -> Result<(), Failure> {
    match io::stdout().lock().write_all(EXAMPLE.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Stdout(error)),
        _ => Ok(()),
    }
}
