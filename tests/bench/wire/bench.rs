//! What is measured, in which order, and which process is what.

mod floor;
mod generator;
mod hub;
mod orders;
mod proc;
mod rooms;
mod saturation;
mod stand;

use clap::Parser;

use crate::kit::Outcome;

/// What this executable is when its first argument says so.
const GENERATOR: &str = "as-generator";
const FLOOR: &str = "as-floor";
const ROOMS: &str = "as-rooms";

/// Measures the hub against the floor.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many guests.
    #[arg(long, value_name = "NUMBER", num_args = 1..)]
    guests: Vec<usize>,
    /// How many messages are under way in a closed loop.
    #[arg(long, value_name = "NUMBER", num_args = 1..)]
    windows: Vec<u64>,
    /// How many rounds; the hubs take turns in each.
    #[arg(long, value_name = "NUMBER")]
    rounds: Option<usize>,
    /// For how many seconds each load is measured.
    #[arg(long, value_name = "NUMBER")]
    seconds: Option<f64>,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
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
    saturation::measure(arguments).await
}
