//! What is measured, in which order, and which process is what.

mod coming;
mod floor;
mod generator;
mod hub;
mod orders;
mod paced;
mod page;
mod peers;
mod picture;
mod proc;
mod results;
mod rooms;
mod saturation;
mod stand;
mod threads;
mod trouble;

use clap::{Parser, ValueEnum};

use self::hub::Hub;
use self::orders::Span;
use self::results::Results;
use crate::kit::Outcome;

/// What this executable is when its first argument says so.
const GENERATOR: &str = "as-generator";
const FLOOR: &str = "as-floor";
const ROOMS: &str = "as-rooms";

const ROUNDS: usize = 5;
/// For how long a load is applied before it counts, in seconds.
const WARM: f64 = 0.3;

/// Measures the hub against the floor.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only these parts.
    #[arg(long, value_name = "PART", num_args = 1..)]
    only: Vec<Part>,
    /// How many guests, where a part does not have its own reason.
    #[arg(long, value_name = "NUMBER", num_args = 1..)]
    guests: Vec<usize>,
    /// How many messages are under way in a closed loop.
    #[arg(long, value_name = "NUMBER", num_args = 1..)]
    windows: Vec<u64>,
    /// How many messages a second are said in an open loop.
    #[arg(long, value_name = "NUMBER", num_args = 1..)]
    rates: Vec<f64>,
    /// How many of them are said at once.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    burst: u32,
    /// How many rounds; the hubs take turns in each.
    #[arg(long, value_name = "NUMBER", default_value_t = ROUNDS)]
    rounds: usize,
    /// For how many seconds each load is measured.
    #[arg(long, value_name = "NUMBER")]
    seconds: Option<f64>,
    /// Other hubs, too, as far as they can be had: Node's `ws`, from npm.
    #[arg(long)]
    peers: bool,
    /// Writes the parts that were measured into docs/wire.json and renews the page from it.
    #[arg(long)]
    write: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Saturation,
    Paced,
    Handshakes,
    Joining,
    Idle,
    Rooms,
    Trouble,
    Threads,
}

/// What is to be measured, with every part's own figures where nothing was said.
struct Scope {
    guests: Vec<usize>,
    windows: Vec<u64>,
    rates: Vec<f64>,
    burst: u32,
    rounds: usize,
    seconds: Option<f64>,
    peers: Vec<Hub>,
}

impl Scope {
    fn guests_or(&self, usual: &[usize]) -> Vec<usize> {
        if self.guests.is_empty() { usual.to_vec() } else { self.guests.clone() }
    }

    fn windows_or(&self, usual: &[u64]) -> Vec<u64> {
        if self.windows.is_empty() { usual.to_vec() } else { self.windows.clone() }
    }

    fn rates_or(&self, usual: &[f64]) -> Vec<f64> {
        if self.rates.is_empty() { usual.to_vec() } else { self.rates.clone() }
    }

    fn span(&self, usual: f64) -> Span {
        Span { warm: WARM, measured: self.seconds.unwrap_or(usual) }
    }
}

/// Is the bench, or one of its processes.
pub(crate) fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [_, GENERATOR, target] => generator::run(serde_json::from_str(target)?),
        [_, FLOOR, writes] => floor::run(writes == "together"),
        [_, ROOMS, count] => rooms::run(count.parse()?),
        _ => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(run(&Arguments::parse()))
        }
    }
}

async fn run(arguments: &Arguments) -> Outcome<()> {
    let peers = if arguments.peers { peers::available().await } else { Vec::new() };
    let scope = Scope {
        guests: arguments.guests.clone(),
        windows: arguments.windows.clone(),
        rates: arguments.rates.clone(),
        burst: arguments.burst,
        rounds: arguments.rounds.max(1),
        seconds: arguments.seconds,
        peers,
    };
    let parts = if arguments.only.is_empty() { Part::value_variants() } else { &arguments.only };
    let mut results = if arguments.write { page::kept()? } else { Results::default() };
    for part in parts {
        eprintln!(
            "{}:",
            part.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
        );
        match part {
            Part::Saturation => saturation::measure(&scope, &mut results).await?,
            Part::Paced => paced::measure(&scope, &mut results).await?,
            Part::Handshakes => coming::handshakes(&scope, &mut results).await?,
            Part::Joining => coming::joining(&scope, &mut results).await?,
            Part::Idle => coming::idle(&scope, &mut results).await?,
            Part::Rooms => coming::rooms(&scope, &mut results).await?,
            Part::Trouble => trouble::measure(&scope, &mut results).await?,
            Part::Threads => threads::measure(&scope, &mut results).await?,
        }
    }
    page::show(&results, arguments.is_full() || arguments.write)
}

impl Arguments {
    /// Whether this is the run that the documentation shows.
    fn is_full(&self) -> bool {
        let Self { only, guests, windows, rates, burst, rounds, seconds, .. } = self;
        only.is_empty()
            && guests.is_empty()
            && windows.is_empty()
            && rates.is_empty()
            && *burst == 1
            && *rounds >= ROUNDS
            && seconds.is_none()
    }
}
