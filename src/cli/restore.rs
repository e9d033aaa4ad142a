//! `onionroom restore`: a backup of all rooms and the address, put in place.

use super::arguments::RestoreFlags;
use super::failure::Failure;
use super::moving::{ProgressLine, data_dir, sentence_of, settings};
use super::passphrase;
use super::terminal::Terminal;
use crate::server::archive::Archive;
use crate::server::closed_rooms::has_other_rooms;
use crate::server::restore::{RestoreError, Restored, restore, restore_archive};
use crate::tor::{IdentityKey, OnionAddress};

/// Puts the backup in place and says what was done.
pub(super) fn run(flags: &RestoreFlags) -> Result<(), Failure> {
    let settings = settings(&flags.data)?;
    let data_dir = data_dir(&settings)?;
    let terminal = Terminal::of_this_process();
    // For the message alone: a key that cannot be read is replaced as well.
    let address = || IdentityKey::read(data_dir).ok().flatten().map(|key| key.address());
    let before = address();
    let restored = if flags.from.is_file() {
        let archive = Archive::open(&flags.from).map_err(RestoreError::from)?;
        let asked = || Ok::<_, Failure>(passphrase::of_a_backup(&flags.passphrase, &terminal)?);
        let mut line = ProgressLine::new(&terminal);
        restore_archive(data_dir, archive, asked, &mut |progress| line.show(progress))?
    } else {
        restore(data_dir, &flags.from)?
    };
    let Restored { messages, rooms, address: has_address, replaced } = restored;
    let key = has_address.then(|| "the address".to_owned());
    let what = sentence_of(messages, rooms.unwrap_or_default(), key);
    terminal.eprint(&format!("{what} restored from {}.", flags.from.display()));
    if has_address {
        told(&terminal, before.as_ref(), address().as_ref());
    }
    if rooms.is_none() && has_other_rooms(&settings, data_dir) {
        terminal.eprint("The backup has the main room alone. The other rooms are as they were.");
    }
    if let Some(replaced) = replaced {
        terminal.eprint(&format!(
            "What was there before is in {}. It can still be read: remove it when you do not need it.",
            replaced.display()
        ));
    }
    Ok(())
}

/// Says so where the room has another address now.
fn told(terminal: &Terminal, before: Option<&OnionAddress>, now: Option<&OnionAddress>) {
    if let (Some(before), Some(now)) = (before, now)
        && before != now
    {
        terminal.eprint(&format!("The address is another one now: it was {before} and is {now}."));
    }
}
