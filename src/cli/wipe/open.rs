//! The wipe of a room that is open.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::words::{confirm, question, told};
use crate::cli::arguments::WipeFlags;
use crate::cli::failure::Failure;
use crate::cli::host::HostError;
use crate::cli::serve::block_on;
use crate::cli::shutdown_signals::ShutdownSignals;
use crate::cli::terminal::Terminal;
use crate::control::answer::Status;
use crate::control::client::Client;
use crate::server::wipe::{ClosedRoom, WipeError};

/// How long the room may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Asks, tells the room to wipe itself, waits for its end, and looks that nothing is left.
pub(super) fn wipe(directory: &Path, flags: &WipeFlags, terminal: &Terminal) -> Result<(), Failure> {
    let title = block_on(async {
        let mut client = Client::connect(directory).await.map_err(HostError::from)?;
        let status: Status = client.request(&json!({ "ask": "status" })).await.map_err(HostError::from)?;
        Ok(status.title)
    })?;
    let place = format!("{}, where a room is open and ends for all its guests,", directory.display());
    confirm(flags, &question(&place, flags.address), terminal)?;
    block_on(async {
        // From here on a signal does not stop it halfway.
        let _signals = ShutdownSignals::install().map_err(Failure::Start)?;
        let mut client = Client::connect(directory).await.map_err(HostError::from)?;
        let request = json!({ "do": "wipe", "confirm": title, "address": flags.address });
        client.request::<Value>(&request).await.map_err(HostError::from)?;
        terminal.eprint("The room is ending.");
        let room = ended(directory, Instant::now() + PATIENCE).await?;
        let address = flags.address;
        let Some(room) = room else {
            terminal.eprint("Nothing is left of the room.");
            return Ok(());
        };
        // It has done so itself; this finishes what a kill may have interrupted, and says what is left.
        let wiped = spawn_blocking(move || room.wipe(address)).await;
        let wiped = wiped.map_err(|error| Failure::Start(std::io::Error::other(error)))??;
        terminal.eprint(&told(&wiped));
        Ok(())
    })
}

/// The room once its process has ended; `None` if its directory is gone.
async fn ended(directory: &Path, deadline: Instant) -> Result<Option<ClosedRoom>, Failure> {
    loop {
        match ClosedRoom::hold(directory) {
            Ok(room) => return Ok(Some(room)),
            Err(WipeError::NoRoom { .. }) => return Ok(None),
            Err(WipeError::Running { .. }) if Instant::now() < deadline => sleep(LOOK_EVERY).await,
            Err(WipeError::Running { .. }) => return Err(Failure::WipeUnseen),
            Err(error) => return Err(error.into()),
        }
    }
}
