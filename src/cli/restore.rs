//! `onionroom restore`: a backup of the messages and the address, put in place.

use std::env;

use super::arguments::RestoreFlags;
use super::failure::Failure;
use super::terminal::Terminal;
use crate::config::{Settings, Sources, StandardPaths};
use crate::server::restore::{Restored, restore};

/// Puts the backup in place and says what was done.
pub(super) fn run(flags: &RestoreFlags) -> Result<(), Failure> {
    let sources =
        Sources { file: flags.config.clone(), environment: env::vars_os().collect(), flags: flags.flags() };
    let settings = Settings::load(&sources, &StandardPaths::for_user())?;
    let data_dir = settings.data_dir.as_deref().ok_or(Failure::NothingKept)?;
    let Restored { messages, address, replaced } = restore(data_dir, &flags.from)?;
    let what = match (messages, address) {
        (true, true) => "The messages and the address are",
        (true, false) => "The messages are",
        _ => "The address is",
    };
    let terminal = Terminal::of_this_process();
    terminal.eprint(&format!("{what} restored from {}.", flags.from.display()));
    if let Some(replaced) = replaced {
        terminal.eprint(&format!(
            "What was there before is in {}. It can still be read: remove it when you do not need it.",
            replaced.display()
        ));
    }
    Ok(())
}
