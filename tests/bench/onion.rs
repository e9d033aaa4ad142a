//! The onion service in figures: `cargo bench --bench onion`.
//!
//! How long the room takes to be reachable, to let a guest in and to carry a message; what a delivery costs when the
//! room is busy; what it weighs; what opening it costs. All on a private Tor network on this machine, beside an onion
//! service of C Tor that forwards to the same room, each asked in turn. A full run takes some fifteen minutes, prints
//! the tables and writes them to docs/performance.md; a shortened one (`-- --runs 1 --guests 5`) leaves the
//! documentation alone. Needs `tor` and Linux.

#[allow(dead_code, reason = "each bench uses its part")]
mod kit;
mod onion {
    pub(crate) mod c_tor;
    pub(crate) mod cells;
    pub(crate) mod crowd;
    pub(crate) mod load;
    pub(crate) mod opening;
    pub(crate) mod service;
    pub(crate) mod start;
    pub(crate) mod tables;
    pub(crate) mod talk;
    pub(crate) mod visits;
}

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use kit::{Outcome, docs};
use onion::load::{LOADS, Load};
use onion::service::Kind;
use onion::{opening, start, tables, visits};

const RUNS: usize = 5;
const GUESTS: usize = 50;

/// Measures the room as an onion service.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often each start and each load is repeated.
    #[arg(long, default_value_t = RUNS)]
    runs: usize,
    /// How many guests there are at most.
    #[arg(long, default_value_t = GUESTS)]
    guests: usize,
    /// Nothing but the busy room, and of its loads only those with these words in their names.
    #[arg(long, value_name = "WORDS")]
    load: Option<String>,
    /// Other builds of the program that are measured under the same loads.
    #[arg(long, value_name = "PROGRAM")]
    beside: Vec<PathBuf>,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    kit::ended(run(&Arguments::parse()).await)
}

async fn run(arguments: &Arguments) -> Outcome<()> {
    let (runs, guests) = (arguments.runs.max(1), arguments.guests.max(1));
    let words = arguments.load.as_deref().unwrap_or_default();
    let loads: Vec<Load> = LOADS.into_iter().filter(|load| load.name.contains(words)).collect();
    let others = arguments.beside.iter().map(|path| Kind::Other(Box::leak(path.clone().into_boxed_path())));
    let kinds: Vec<Kind> = [Kind::Room, Kind::CTor].into_iter().chain(others).collect();
    let network = kit::network().await?;
    if arguments.load.is_some() {
        let visits = visits::side_by_side(&kinds, &network, guests, &loads, runs).await?;
        network.stop().await;
        println!("{}", tables::loads(&visits));
        return Ok(());
    }
    eprintln!("{runs} fresh starts and {runs} with the data kept");
    let starts = start::side_by_side(&kinds, &network, runs).await?;
    eprintln!("{guests} guests on the loopback");
    let loopback = visits::on_loopback(guests).await?;
    eprintln!("{guests} guests through Tor");
    let through_tor = visits::side_by_side(&kinds, &network, guests, &loads, runs).await?;
    eprintln!("opening the page");
    let opening = opening::measure(&network).await?;
    network.stop().await;

    let text = [
        format!(
            "Measured {}; medians of {runs} starts, {guests} guests, {runs} rounds.\n",
            docs::circumstances()
        ),
        format!("### From start to reachable\n\n{}", tables::starts(&starts)),
        format!(
            "### Coming in and talking\n\nMedian, and 90th percentile in brackets.\n\n{}",
            tables::visits(&loopback, &through_tor, guests)
        ),
        format!("### A busy room\n\n{}", tables::loads(&through_tor)),
        format!("### Weight\n\n{}", tables::weight(&through_tor, guests)?),
        format!("### From opening the address to the first message\n\n{}", tables::opening(&opening)),
    ]
    .join("\n");
    println!("{text}");
    let whole = runs >= RUNS && guests >= GUESTS && arguments.beside.is_empty();
    if whole && !cfg!(debug_assertions) {
        docs::replace_measured("performance.md", &text)?;
    }
    Ok(())
}
