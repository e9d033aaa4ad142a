//! Five ways to read the same room, measured: `cargo bench --bench transports`.
//!
//! One reader on each transport and one speaker, first over the loopback, then through a private Tor network in
//! which everyone has a circuit of their own. A full run takes about nine minutes, prints the tables and writes
//! them to docs/transports.md, with the picture docs/images/transports.svg. A shortened one
//! (`-- --seconds 10 --silence 10 --only loopback`) leaves the documentation alone. Needs `tor` for the second half.

#[allow(dead_code, reason = "each bench uses its part")]
mod kit;
mod transports {
    pub(crate) mod journal;
    pub(crate) mod measure;
    pub(crate) mod picture;
    pub(crate) mod readers;
}

use std::ffi::OsStr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use kit::program::Program;
use kit::way::Way;
use kit::{Outcome, docs, figures};
use transports::measure::{Load, Measured, measure};
use transports::picture;
use transports::readers::Transport;

const SECONDS: u64 = 60;
/// A whole number of the heartbeats of an idle connection (45 s).
const SILENCE: u64 = 180;
const RATE: f64 = 2.0;

/// Measures the five transports of a room.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long somebody speaks.
    #[arg(long, default_value_t = SECONDS, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// How long nobody speaks before, in seconds.
    #[arg(long, default_value_t = SILENCE, value_parser = clap::value_parser!(u64).range(1..=3600))]
    silence: u64,
    /// How many messages a second are said.
    #[arg(long, default_value_t = RATE)]
    rate: f64,
    /// Only this part.
    #[arg(long)]
    only: Option<Place>,
    /// Only these transports.
    #[arg(long, value_name = "TRANSPORT", num_args = 1..)]
    transports: Vec<Transport>,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Place {
    Loopback,
    Tor,
}

#[tokio::main]
async fn main() -> ExitCode {
    kit::ended(run(&Arguments::parse()).await)
}

async fn run(arguments: &Arguments) -> Outcome<()> {
    let [talk, silence] = [arguments.seconds, arguments.silence].map(Duration::from_secs);
    let load = Load { silence, talk, rate: arguments.rate };
    let transports = match arguments.transports.as_slice() {
        [] => &Transport::ALL,
        some => some,
    };
    let mut measured = Vec::new();
    if arguments.only != Some(Place::Tor) {
        eprintln!("over the loopback:");
        measured.push(("On the loopback", on_loopback(transports, load).await?));
    }
    if arguments.only != Some(Place::Loopback) {
        eprintln!("through a private Tor network:");
        measured.push(("Through Tor", through_tor(transports, load).await?));
    }
    let text: Vec<_> =
        measured.iter().map(|(place, lines)| format!("### {place}\n\n{}", table(lines))).collect();
    let text = format!(
        "Measured {}, with {} messages a second for {} s after {} s of silence.\n\n{}",
        docs::circumstances(),
        arguments.rate,
        arguments.seconds,
        arguments.silence,
        text.join("\n")
    );
    println!("{text}");
    let full = arguments.only.is_none()
        && arguments.transports.is_empty()
        && arguments.seconds >= SECONDS
        && arguments.rate == RATE;
    let for_docs = full && !cfg!(debug_assertions);
    if for_docs {
        docs::replace_measured("transports.md", &text)?;
    }
    if let [(_, loopback), (_, tor)] = measured.as_slice() {
        let path =
            if for_docs { docs::file("images/transports.svg") } else { docs::scratch("transports.svg")? };
        std::fs::write(&path, picture::draw(loopback, tor))?;
        println!("The picture is {}.", path.display());
    }
    Ok(())
}

async fn on_loopback(transports: &[Transport], load: Load) -> Outcome<Vec<Measured>> {
    let data = tempfile::tempdir()?;
    let mut program = Program::serve(data.path(), &[OsStr::new("--no-onion")])?;
    let way = Way::loopback(&program.told("local").await?);
    let measured = measure(&way, transports, load).await?;
    program.end().await?;
    Ok(measured)
}

async fn through_tor(transports: &[Transport], load: Load) -> Outcome<Vec<Measured>> {
    let network = kit::network().await?;
    let data = tempfile::tempdir()?;
    let words = [OsStr::new("--network-file"), network.network_file().as_os_str()];
    let mut program = Program::serve(data.path(), &words)?;
    let way = Way::onion(&program.told("reachable").await?, &network);
    way.reach().await?;
    let measured = measure(&way, transports, load).await?;
    program.end().await?;
    network.stop().await;
    Ok(measured)
}

fn table(measured: &[Measured]) -> String {
    let head = [
        "transport",
        "say to seen: median",
        "99th percentile",
        "requests per message",
        "bytes per message",
        "requests per idle minute",
        "bytes per idle minute",
    ];
    let rows: Vec<_> = measured.iter().map(row).collect();
    figures::table(head, &rows)
}

fn row(measured: &Measured) -> [String; 7] {
    [
        measured.transport.name().to_owned(),
        figures::time(measured.delay.median()),
        figures::time(measured.delay.percentile(99)),
        figures::number(measured.requests_per_message),
        figures::bytes(measured.bytes_per_message),
        figures::number(measured.requests_per_idle_minute),
        figures::bytes(measured.bytes_per_idle_minute),
    ]
}
