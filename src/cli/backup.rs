//! `onionroom backup`: all rooms of an address in one file, encrypted with a passphrase. A room that is open writes it itself, asked over the host's
//! socket.

#[cfg(unix)]
mod open;

use super::arguments::BackupFlags;
use super::failure::Failure;
use super::moving::{ProgressLine, data_dir, sentence_of, settings};
use super::passphrase;
use super::terminal::Terminal;
use crate::control::answer::BackedUp;
use crate::server::backup::{BackupError, backup_closed};

#[cfg(not(unix))]
mod open {
    //! Where there is no socket, an open room cannot be asked.

    use std::path::Path;

    use super::*;

    pub(super) fn back_up(
        directory: &Path,
        _: &BackupFlags,
        _: &Terminal,
        _: &mut ProgressLine<'_>,
    ) -> Result<BackedUp, Failure> {
        Err(BackupError::Open { path: directory.into() }.into())
    }
}

/// Writes the backup and says what is in it.
pub(super) fn run(flags: &BackupFlags) -> Result<(), Failure> {
    let settings = settings(&flags.data)?;
    let data_dir = data_dir(&settings)?;
    let terminal = Terminal::of_this_process();
    let mut line = ProgressLine::new(&terminal);
    let asked = || Ok::<_, Failure>(passphrase::of_a_new_backup(&flags.passphrase, &terminal)?);
    let told = &mut |progress| line.show(progress);
    let done = match backup_closed(&settings, data_dir, &flags.to, asked, told) {
        Ok(done) => {
            let address = done.address.map(|address| address.to_string());
            BackedUp { messages: done.messages, rooms: done.rooms, address, bytes: done.bytes }
        }
        Err(Failure::Backup(BackupError::Open { path })) => {
            open::back_up(&path, flags, &terminal, &mut line)?
        }
        Err(failure) => return Err(failure),
    };
    drop(line);
    let BackedUp { messages, rooms, address, bytes } = done;
    let key = address.map(|address| format!("the key of {address}"));
    let what = sentence_of(messages, rooms, key);
    let megabytes = bytes.div_ceil(1_000_000);
    terminal.eprint(&format!(
        "{what} in {}, encrypted ({megabytes} MB). What is erased in the room from now on is still in there. Without the \
         passphrase it cannot be read.",
        flags.to.display()
    ));
    if settings.cluster.is_some() {
        terminal.eprint(
            "The messages of this room are in NATS, and not in the backup; nor is the key that they are encrypted with \
             (cluster.secret_file).",
        );
    }
    Ok(())
}
