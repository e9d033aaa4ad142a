//! The backup of a room that is open.

use std::path::Path;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::arguments::BackupFlags;
use crate::cli::failure::Failure;
use crate::cli::host::HostError;
use crate::cli::moving::ProgressLine;
use crate::cli::passphrase;
use crate::cli::serve::block_on;
use crate::cli::shutdown_signals::ShutdownSignals;
use crate::cli::terminal::Terminal;
use crate::control::LINE_BYTES_MAX;
use crate::control::answer::BackedUp;
use crate::control::client::Client;
use crate::server::archive::{Passphrase, Progress, Step};

/// The request.
#[derive(Serialize)]
struct Asked<'a> {
    r#do: &'a str,
    path: &'a str,
    passphrase: &'a str,
    progress: bool,
}

/// Asks the room in this directory for it, and waits. Ctrl-C gives it up.
pub(super) fn back_up(
    directory: &Path,
    flags: &BackupFlags,
    terminal: &Terminal,
    line: &mut ProgressLine<'_>,
) -> Result<BackedUp, Failure> {
    let path = std::path::absolute(&flags.to).map_err(Failure::Start)?;
    let path = path.to_str().ok_or(Failure::BackupPath)?;
    let connect = async { Ok::<_, Failure>(Client::connect(directory).await.map_err(HostError::from)?) };
    // Before the passphrase is asked for.
    block_on(connect)?;
    let passphrase = passphrase::of_a_new_backup(&flags.passphrase, terminal)?;
    let request = request(path, &passphrase);
    drop(passphrase);
    block_on(async {
        let mut signals = ShutdownSignals::install().map_err(Failure::Start)?;
        let mut client = Client::connect(directory).await.map_err(HostError::from)?;
        terminal.eprint("The room is open, and writes the backup itself. Ctrl-C gives it up.");
        let mut told = |progress: crate::control::task::Progress| {
            let step = if progress.step == "writing" { Step::Writing } else { Step::Copying };
            line.show(Progress { step, done: progress.done, total: progress.total });
        };
        tokio::select! {
            done = client.follow(&request, &mut told) => Ok(done.map_err(HostError::from)?),
            () = signals.next() => Err(Failure::BackupGivenUp),
        }
    })
}

/// The line, without its end, in a buffer that does not grow and is overwritten afterwards.
fn request(path: &str, passphrase: &Passphrase) -> Zeroizing<String> {
    let asked = Asked { r#do: "backup", path, passphrase: passphrase.expose(), progress: true };
    let mut line = Vec::with_capacity(LINE_BYTES_MAX);
    // Texts, which serde_json cannot fail to write to memory.
    let _ = serde_json::to_writer(&mut line, &asked);
    Zeroizing::new(String::from_utf8(line).unwrap_or_default())
}
