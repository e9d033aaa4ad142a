//! `onionroom serve`: the room, on this machine and on the Tor network.

use std::env;
use std::time::Duration;

use tokio::runtime::Builder;

use super::arguments::ServeFlags;
use super::failure::Failure;
use super::interrupts::Interrupts;
use super::screen::{Audience, Screen};
use super::terminal::Terminal;
use crate::config::{Places, Settings, Sources};
use crate::server::Server;
use crate::telemetry;

/// How long closing may take, in all.
const CLOSING: Duration = Duration::from_millis(4800);

/// Opens the room and keeps it open until a signal comes. Flags that come later in the list win.
pub(super) fn run(flags: &[ServeFlags]) -> Result<(), Failure> {
    let settings = Settings::load(&sources(flags), &Places::of_this_user())?;
    let terminal = Terminal::of_this_process();
    telemetry::start(&settings.log, terminal.clone(), terminal.err.colours);
    run_to_end(keep_open(&settings, terminal))
}

async fn keep_open(settings: &Settings, terminal: Terminal) -> Result<(), Failure> {
    let mut interrupts = Interrupts::install().map_err(Failure::Start)?;
    let server = tokio::select! {
        server = Server::open(settings) => server?,
        () = interrupts.next() => return Ok(()),
    };
    let mut screen = Screen::opened(terminal, audience(settings), &server.local_url(), server.onion_url());
    let outcome = tokio::select! {
        () = screen.follow(server.tor_status()) => Err(Failure::Died),
        () = server.died() => Err(Failure::Died),
        () = interrupts.next() => Ok(()),
    };
    interrupts.end_within(CLOSING);
    screen.closing();
    server.close().await;
    outcome
}

fn audience(settings: &Settings) -> Audience {
    match settings.onion.network_file {
        None => Audience::TheWorld,
        Some(_) => Audience::PrivateNetwork,
    }
}

fn sources(flags: &[ServeFlags]) -> Sources {
    Sources {
        file: flags.iter().rev().find_map(|flags| flags.room.config.clone()),
        environment: env::vars_os().collect(),
        flags: flags.iter().flat_map(ServeFlags::flags).collect(),
    }
}

/// Runs a command on a runtime of its own, on this thread: what everybody does together is little, and on one thread
/// nothing is handed from one to another. Does not wait for what it left running.
pub(super) fn run_to_end(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Failure::Start)?;
    let outcome = runtime.block_on(command);
    runtime.shutdown_background();
    outcome
}
