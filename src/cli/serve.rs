//! `onionroom serve`: the room, on this machine and on the Tor network.

use std::env;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::timeout;

use super::arguments::ServeFlags;
use super::ending;
use super::failure::Failure;
use super::opening::open;
use super::screen::{NetworkScope, Screen};
use super::shutdown_signals::ShutdownSignals;
use super::terminal::Terminal;
use crate::config::{Settings, Sources, StandardPaths};
use crate::server::Server;
use crate::telemetry;

/// The deadline for closing, in all.
const CLOSE_DEADLINE: Duration = Duration::from_millis(4800);

/// How long the terminal waits for the host's link.
const LINK_DEADLINE: Duration = Duration::from_secs(2);

/// Opens the room and keeps it open until a signal comes. Flags that come later in the list win.
/// `refused` is what the operating system refused at the start, for the log.
pub(super) fn run(flags: &[ServeFlags], refused: &[String]) -> Result<(), Failure> {
    let settings = Settings::load(&sources(flags), &StandardPaths::for_user())?;
    let terminal = Terminal::of_this_process();
    telemetry::start(&settings.log, terminal.clone(), terminal.err.colours);
    refused.iter().for_each(|sentence| tracing::debug!("{sentence}"));
    block_on(serve(&settings, terminal))
}

async fn serve(settings: &Settings, terminal: Terminal) -> Result<(), Failure> {
    let mut signals = ShutdownSignals::install().map_err(Failure::Start)?;
    let server = tokio::select! {
        server = open(settings, &terminal) => server?,
        () = signals.next() => return Ok(()),
    };
    let wipe_asked = server.wipe_asked();
    let link = host_link(&server, &terminal).await;
    let mut screen =
        Screen::opened(terminal.clone(), scope(settings), &server, &settings.listen.public, &link);
    let outcome = tokio::select! {
        () = screen.follow(server.tor_status()) => Err(Failure::TaskFailed),
        () = server.failed() => Err(Failure::TaskFailed),
        _ = wipe_asked => Ok(()),
        () = signals.next() => Ok(()),
    };
    // At the same moment as a signal: it was answered, so it is done.
    if let Some(asked) = server.was_wipe_asked() {
        return ending::wipe(server, asked, screen, &terminal, signals).await;
    }
    signals.exit_within(CLOSE_DEADLINE);
    screen.closing();
    server.close().await;
    outcome
}

/// A link for the host, where a terminal shows it; nothing if the room cannot write it down soon. Who starts it at a terminal
/// confirms it as a host, too.
pub(super) async fn host_link(server: &Server, terminal: &Terminal) -> Vec<String> {
    if !terminal.out.is_terminal {
        return Vec::new();
    }
    if let Err(sentence) = server.confirm().await {
        tracing::warn!("The start at this terminal confirms the room. {sentence}");
    }
    match timeout(LINK_DEADLINE, server.new_host_link()).await {
        Ok(Ok(link)) => link,
        Ok(Err(error)) => {
            tracing::debug!(%error, "there is no link for the host");
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

fn scope(settings: &Settings) -> NetworkScope {
    match settings.onion.network_file {
        None => NetworkScope::Public,
        Some(_) => NetworkScope::Private,
    }
}

fn sources(flags: &[ServeFlags]) -> Sources {
    Sources {
        file: flags.iter().rev().find_map(|flags| flags.room.config.clone()),
        environment: env::vars_os().collect(),
        flags: flags.iter().flat_map(ServeFlags::flags).collect(),
    }
}

/// Runs a command on a single-threaded runtime: a room's work is many short steps on shared data, and on one thread no
/// step waits for another's lock. Does not wait for tasks that are still running at the end.
pub(super) fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Failure::Start)?;
    let outcome = runtime.block_on(command);
    runtime.shutdown_background();
    outcome
}
