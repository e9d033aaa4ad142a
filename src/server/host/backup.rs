//! A backup that the host asks for.

use std::sync::Weak;

use tokio::sync::watch;

use crate::control::answer::{BackedUp, Failed};
use crate::control::task::{Backup, Progress};
use crate::server::archive::{self, Passphrase, Step};
use crate::server::backup::{BackupError, OpenRoom};

/// Writes it, and tells how far it is. Dropped unfinished, it is given up.
pub(super) async fn write(
    room: &Weak<OpenRoom>,
    asked: Backup,
    told: watch::Sender<Option<Progress>>,
) -> Result<BackedUp, Failed> {
    let Backup { path, passphrase, .. } = asked;
    let passphrase = Passphrase::new(passphrase.0.as_str().to_owned()).filter(Passphrase::is_long);
    let passphrase = passphrase.ok_or_else(|| {
        let least = Passphrase::LEAST;
        Failed::new(
            "passphrase_short",
            format!("The passphrase of a backup has at least {least} characters that can be seen."),
        )
    })?;
    let room = room.upgrade().ok_or_else(|| Failed::new("closing", "The room is closing."))?;
    let tell = move |progress: archive::Progress| {
        let step = match progress.step {
            Step::Writing => "writing",
            Step::OtherRooms => "rooms",
            _ => "copying",
        };
        told.send_replace(Some(Progress {
            step: step.to_owned(),
            done: progress.done,
            total: progress.total,
        }));
    };
    let done = room.backup(path, passphrase, tell).await.map_err(|error| failed(&error))?;
    let address = done.address.map(|address| address.to_string());
    Ok(BackedUp { messages: done.messages, rooms: done.rooms, address, bytes: done.bytes })
}

fn failed(error: &BackupError) -> Failed {
    let code = match error {
        BackupError::Exists { .. } => "exists",
        BackupError::Inside { .. } => "inside_data_directory",
        BackupError::UnderWay => "backup_under_way",
        BackupError::Ephemeral | BackupError::Nothing { .. } => "nothing_to_back_up",
        BackupError::GivenUp => "given_up",
        _ => "backup_failed",
    };
    let mut sentence = error.to_string();
    if let BackupError::Unusable { .. } = error {
        sentence += " It is the process of the room that writes it, with the rights that this has.";
    }
    Failed::new(code, sentence)
}
