//! `onionroom wipe`: all of a room made unreadable, once it was confirmed. One that is open is told so over the host's socket, and ends.

#[cfg(unix)]
mod open;
mod words;

use std::io;

use tokio::task::spawn_blocking;

use super::arguments::{ServeFlags, WipeFlags};
use super::failure::Failure;
use super::moving::settings;
use super::serve::block_on;
use super::shutdown_signals::ShutdownSignals;
use super::terminal::Terminal;
use crate::server::wipe::{ClosedRoom, WipeError};
use words::{confirm, question};

pub(super) use words::told;

/// Asks, wipes, and says what was done. `before` are the flags that stand before the command.
pub(super) fn run(before: &ServeFlags, flags: WipeFlags) -> Result<(), Failure> {
    refuse(before)?;
    let settings = settings(&flags.data)?;
    if settings.cluster.is_some() {
        return Err(WipeError::SeveralMachines.into());
    }
    let data_dir = settings.data_dir.as_deref().ok_or(Failure::NothingToWipe)?;
    let terminal = Terminal::of_this_process();
    // Held while it is asked, so that the room cannot be opened meanwhile.
    let room = match ClosedRoom::hold(data_dir) {
        #[cfg(unix)]
        Err(WipeError::Running { path }) => return open::wipe(&path, &flags, &terminal),
        room => room?,
    };
    confirm(&flags, &question(&room.path().display().to_string(), flags.address), &terminal)?;
    block_on(async move {
        // From here on a signal, or a terminal window that is closed, does not stop it halfway.
        let _signals = ShutdownSignals::install().map_err(Failure::Start)?;
        let wiped = spawn_blocking(move || room.wipe(flags.address)).await;
        let wiped = wiped.map_err(|error| Failure::Start(io::Error::other(error)))??;
        terminal.eprint(&told(&wiped));
        Ok(())
    })
}

/// A flag before the command would be ignored, and another room wiped than was meant.
fn refuse(before: &ServeFlags) -> Result<(), Failure> {
    let config = before.room.config.as_ref().map(|_| "--config");
    match before.flags().first().map(|flag| flag.name).or(config) {
        Some(flag) => Err(Failure::FlagOfAnotherCommand {
            flag,
            command: "wipe",
            because: "flags of this command are written after it, and no other says what is wiped",
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use clap::Parser;

    use super::*;
    use crate::cli::{Arguments, Command};

    /// `onionroom --data-dir old wipe` would have wiped the room in the standard directory.
    #[test]
    fn flags_before_the_command_are_refused() {
        for words in [&["--data-dir", "x"][..], &["--config", "x"], &["--ephemeral"]] {
            let typed = [&["onionroom"], words, &["wipe", "--yes"]].concat();
            let Arguments { before, command } = Arguments::try_parse_from(typed).unwrap();
            let Some(Command::Wipe(flags)) = command else { panic!("{words:?}") };
            let said = run(&before, flags).unwrap_err().to_string();
            assert!(said.contains(words[0]) && said.contains("onionroom wipe"), "{said}");
        }
    }

    #[test]
    fn what_is_asked_says_what_goes() {
        assert!(question("/room", true).contains("and the address"));
        assert!(question("/room", false).contains("the address stays"));
    }
}
