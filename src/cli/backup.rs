//! `onionroom backup`: the room in one file, encrypted with a passphrase.

use super::arguments::BackupFlags;
use super::failure::Failure;
use super::moving::{ProgressLine, data_dir, settings};
use super::passphrase;
use super::terminal::Terminal;
use crate::server::backup::{BackedUp, backup_closed};

/// Writes the backup and says what is in it.
pub(super) fn run(flags: &BackupFlags) -> Result<(), Failure> {
    let settings = settings(&flags.data)?;
    let data_dir = data_dir(&settings)?;
    let terminal = Terminal::of_this_process();
    let mut line = ProgressLine::new(&terminal);
    let asked = || Ok::<_, Failure>(passphrase::of_a_new_backup(&flags.passphrase, &terminal)?);
    let told = &mut |progress| line.show(progress);
    let BackedUp { messages, address, bytes } = backup_closed(&settings, data_dir, &flags.to, asked, told)?;
    drop(line);
    let what = match (messages, &address) {
        (true, Some(address)) => format!("The messages and the key of {address} are"),
        (false, Some(address)) => format!("The key of {address} is"),
        (_, None) => "The messages are".to_owned(),
    };
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
