//! The end of a room whose host has asked for a wipe.

use super::failure::Failure;
use super::screen::Screen;
use super::shutdown_signals::ShutdownSignals;
use super::terminal::Terminal;
use super::wipe;
use crate::server::{Server, WipeAsked};

/// Closes the room, wipes it, and says what was wiped. From here on no signal stops it halfway.
pub(super) async fn wipe(
    server: Server,
    asked: WipeAsked,
    screen: Screen,
    terminal: &Terminal,
    _signals: ShutdownSignals,
) -> Result<(), Failure> {
    let keeps_nothing = server.keeps_nothing();
    let indent = if terminal.err.is_terminal { "\n  " } else { "" };
    terminal.eprint(&format!("{indent}{}", asked.because));
    screen.closing();
    let wiped = server.wipe(asked.address).await?;
    let told = if keeps_nothing { "It kept nothing.".to_owned() } else { wipe::told(&wiped) };
    terminal.eprint(&format!("{}{told}", indent.trim_start_matches('\n')));
    Ok(())
}
