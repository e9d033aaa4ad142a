//! `onionroom lab`: the room on a private Tor network on this machine.

mod firefox;

use std::env;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::{LabFlags, ServeFlags};
use super::ending;
use super::failure::Failure;
use super::opening::open;
use super::screen::{NetworkScope, Screen};
use super::serve::{block_on, host_link};
use super::shutdown_signals::ShutdownSignals;
use super::terminal::Terminal;
use crate::config::{Flag, Settings, Sources, StandardPaths};
use crate::lab::{Network, Plan, Progress};
use crate::server::Server;
use crate::telemetry;

/// The deadline for closing, the processes of the network included.
const CLOSE_DEADLINE: Duration = Duration::from_secs(15);

/// Starts the network and the room, and keeps both until a signal comes. `before` are the flags that stood
/// before the command.
pub(super) fn run(before: &ServeFlags, flags: LabFlags, refused: &[String]) -> Result<(), Failure> {
    if let Some(flag) = before.only_for_serve().first() {
        return Err(Failure::FlagOfAnotherCommand {
            flag: flag.name,
            command: "lab",
            because: "the lab brings its own network and keeps nothing but what --data-dir says",
        });
    }
    let settings = settings(before, &flags)?;
    let terminal = Terminal::of_this_process();
    telemetry::start(&settings.log, terminal.clone(), terminal.err.colours);
    refused.iter().for_each(|sentence| tracing::debug!("{sentence}"));
    block_on(serve(plan(flags), settings, terminal))
}

async fn serve(plan: Plan, mut settings: Settings, terminal: Terminal) -> Result<(), Failure> {
    let mut signals = ShutdownSignals::install().map_err(Failure::Start)?;
    // Dropped unfinished, each of these ends what it had started.
    let network = tokio::select! {
        network = start(plan, &terminal) => network?,
        () = signals.next() => return Ok(()),
    };
    use_network(&network, &mut settings);
    let server = tokio::select! {
        server = open(&settings, &terminal) => server?,
        () = signals.next() => return Ok(()),
    };
    let scope = NetworkScope::Lab;
    let wipe_asked = server.wipe_asked();
    let link = host_link(&server, &terminal).await;
    let mut screen = Screen::opened(terminal.clone(), scope, &server, &settings.listen.public, &link);
    let outcome = tokio::select! {
        () = show(&mut screen, &server, &network, &terminal) => Err(Failure::TaskFailed),
        () = server.failed() => Err(Failure::TaskFailed),
        _ = wipe_asked => Ok(()),
        () = signals.next() => Ok(()),
    };
    // At the same moment as a signal: it was answered, so it is done.
    if let Some(asked) = server.was_wipe_asked() {
        let outcome = ending::wipe(server, asked, screen, &terminal, signals).await;
        network.stop().await;
        return outcome;
    }
    signals.exit_within(CLOSE_DEADLINE);
    screen.closing();
    server.close().await;
    network.stop().await;
    outcome
}

fn plan(flags: LabFlags) -> Plan {
    let LabFlags { room: _, relays, authorities, socks_port, control_port, distance, tor } = flags;
    Plan { relays, authorities, socks_port, control_port, distance, tor, ..Plan::default() }
}

/// The room's settings as for `serve`, but nothing kept unless a flag says where: a real room's directory
/// named in the file or the environment is left alone.
fn settings(before: &ServeFlags, flags: &LabFlags) -> Result<Settings, Failure> {
    let mut given = [before.room.flags(), flags.room.flags()].concat();
    if !given.iter().any(|flag| flag.name == "--data-dir") {
        given.push(Flag { name: "--ephemeral", value: None });
    }
    let file = flags.room.config.clone().or_else(|| before.room.config.clone());
    let sources = Sources { file, environment: env::vars_os().collect(), flags: given };
    Ok(Settings::load(&sources, &StandardPaths::for_user())?)
}

/// Publishes the room on this network, in place of what the settings say.
fn use_network(network: &Network, settings: &mut Settings) {
    settings.onion.enabled = true;
    settings.onion.network_file = Some(network.network_file().to_owned());
    settings.data_dir.get_or_insert_with(|| network.directory().join("room"));
}

/// Starts the network and shows every step: on a terminal in one line, otherwise in a line each.
async fn start(plan: Plan, terminal: &Terminal) -> Result<Network, Failure> {
    let line = terminal.show(ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("  {spinner} Private Tor network: {wide_msg}") {
        line.set_style(style);
    }
    line.enable_steady_tick(Duration::from_millis(120));
    let show = |step: Progress| {
        line.set_message(step.to_string());
        if !terminal.err.is_terminal || matches!(step, Progress::Ready { .. }) {
            let indent = if terminal.err.is_terminal { "  " } else { "" };
            terminal.eprint(&format!("{indent}Private Tor network: {step}"));
        }
    };
    let outcome = match plan.prepare(show).await {
        Ok(prepared) => prepared.start(show).await,
        Err(error) => Err(error),
    };
    line.finish_and_clear();
    Ok(outcome?)
}

/// Shows the progress until the room is reachable, then prints instructions. Returns only if the onion service has ended.
async fn show(screen: &mut Screen, server: &Server, network: &Network, terminal: &Terminal) {
    let mut status = server.tor_status();
    if let Some(status) = &mut status
        && screen.until_reachable(status).await.is_some()
    {
        print_instructions(&server.onion_url().unwrap_or_default(), network, terminal);
    }
    screen.follow(status).await;
}

/// Prints how to connect to the room: lines to copy.
fn print_instructions(onion: &str, network: &Network, terminal: &Terminal) {
    let (socks, control) = (network.socks(), network.control());
    let curl = format!("curl --socks5-hostname {socks} {onion}");
    let firefox = match firefox::profile(&network.directory().join("firefox"), socks) {
        Ok(profile) => firefox::command(&profile, onion),
        Err(error) => {
            terminal.eprint(&format!("There is no Firefox profile: {error}"));
            String::new()
        }
    };
    if !terminal.out.is_terminal {
        let cookie = network.control_cookie().display();
        terminal.print(&format!("socks: {socks}\ncontrol: {control}\ncontrol cookie: {cookie}"));
        terminal.print(&format!("curl: {curl}\nfirefox: {firefox}\nready"));
        return;
    }
    terminal.paragraph("Visit it with curl:", &curl);
    if !firefox.is_empty() {
        terminal.paragraph("Or with Firefox, in a profile set up like Tor Browser:", &firefox);
    }
    terminal.paragraph("The SOCKS address of the network's client:", &socks.to_string());
    terminal.paragraph("Its control port, and the cookie that opens it:", &control.to_string());
    terminal.print(&format!("  {}", network.control_cookie().display()));
    let directory = network.directory().display();
    terminal.paragraph("Ctrl-C ends every process and removes the directory:", &format!("{directory}\n"));
}
