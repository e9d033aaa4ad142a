//! `onionroom key`: the key of the address, shown, written out for C Tor, or taken from it.

use super::arguments::KeyCommand;
use super::failure::Failure;
use super::moving::{data_dir, settings};
use super::terminal::Terminal;
use crate::server::keys::{Imported, KeyFacts, export, import, show};

/// Runs the command.
pub(super) fn run(command: &KeyCommand) -> Result<(), Failure> {
    let terminal = Terminal::of_this_process();
    match command {
        KeyCommand::Show(data) => {
            let settings = settings(data)?;
            let KeyFacts { address, path, mode } = show(data_dir(&settings)?)?;
            terminal.print(&format!("address: {address}"));
            terminal.print(&format!("key: {}", path.display()));
            if let Some(mode) = mode {
                let readable = match mode & 0o077 {
                    0 => "its owner alone can read it",
                    // The data directory above keeps them out, as long as it is closed.
                    _ => {
                        "others of this machine could read it if its directory were open; chmod 600 closes it"
                    }
                };
                terminal.print(&format!("permissions: {mode:04o}, {readable}"));
            }
        }
        KeyCommand::Export { to, data } => {
            let settings = settings(data)?;
            let address = export(data_dir(&settings)?, to)?;
            terminal.eprint(&format!(
                "The key of {address} is in {}, as C Tor keeps it. A person who has it can be the room, and an address cannot be \
                 revoked. Do not use it in two places at once.",
                to.display()
            ));
        }
        KeyCommand::Import { from, replace, data } => {
            let settings = settings(data)?;
            let Imported { address, before, replaced } = import(data_dir(&settings)?, from, *replace)?;
            terminal.eprint(&format!("The room has the address {address} now. Its messages stay."));
            if let (Some(before), Some(replaced)) = (before, replaced) {
                terminal.eprint(&format!(
                    "The key of {before} is in {0}; `onionroom restore {0}` puts it back.",
                    replaced.display()
                ));
            }
        }
    }
    Ok(())
}
