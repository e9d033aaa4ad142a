//! The onion service in figures: `cargo bench --bench onion`.
//!
//! How long the room takes to be reachable, to let a guest in and to carry a message; what it weighs; what opening
//! it costs. All on a private Tor network on this machine, beside an onion service of C Tor that forwards to the
//! same room. A full run takes about six minutes, prints the tables and writes them to docs/performance.md; a
//! shortened one (`-- --runs 1 --guests 5`) leaves the documentation alone. Needs `tor` and Linux.

#[allow(dead_code, reason = "each bench uses its part")]
mod kit;
mod onion {
    pub(crate) mod opening;
    pub(crate) mod service;
    pub(crate) mod start;
    pub(crate) mod visits;
}

use std::process::ExitCode;

use clap::Parser;

use kit::figures::{self, bytes, time};
use kit::{Outcome, docs};
use onion::opening::{self, Opening};
use onion::service::Kind;
use onion::start::{self, Starts};
use onion::visits::{self, Visits};

const RUNS: usize = 5;
const GUESTS: usize = 50;

/// Measures the room as an onion service.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often each start is repeated.
    #[arg(long, default_value_t = RUNS)]
    runs: usize,
    /// How many guests the memory is measured with, and how many handshakes are timed.
    #[arg(long, default_value_t = GUESTS)]
    guests: usize,
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
    let network = kit::network().await?;
    let mut starts = Vec::new();
    for kind in [Kind::Room, Kind::CTor] {
        eprintln!("{}: {runs} fresh starts and {runs} with its data kept", kind.name());
        starts.push((kind, start::measure(kind, &network, runs).await?));
    }
    eprintln!("{guests} guests on the loopback");
    let loopback = visits::on_loopback(guests).await?;
    let mut through_tor = Vec::new();
    for kind in [Kind::Room, Kind::CTor] {
        eprintln!("{guests} guests through {}", kind.name());
        through_tor.push((kind, visits::measure(kind, &network, guests).await?));
    }
    eprintln!("opening the page");
    let opening = opening::measure(&network).await?;
    network.stop().await;

    let text = [
        format!("Measured {}; medians of {runs} starts and of {guests} guests.\n", docs::circumstances()),
        format!("### From start to reachable\n\n{}", starts_table(&starts)),
        format!(
            "### Coming in and talking\n\nMedian, and 90th percentile in brackets.\n\n{}",
            visits_table(&loopback, &through_tor, guests)
        ),
        format!("### Weight\n\n{}", weight_table(&through_tor, guests)?),
        format!("### From opening the address to the first message\n\n{}", opening_table(&opening)),
    ]
    .join("\n");
    println!("{text}");
    if runs >= RUNS && guests >= GUESTS && !cfg!(debug_assertions) {
        docs::replace_measured("performance.md", &text)?;
    }
    Ok(())
}

fn starts_table(starts: &[(Kind, Starts)]) -> String {
    let head = ["", "address known", "Tor is ready", "says it is reachable", "first visitor is in"];
    let mut rows = Vec::new();
    for (kind, starts) in starts {
        for (data, start) in [("fresh", &starts.fresh), ("data kept", &starts.kept)] {
            let shown = [&start.address, &start.ready, &start.reachable, &start.visitor]
                .map(|sample| if sample.is_empty() { "—".to_owned() } else { time(sample.median()) });
            let [address, ready, reachable, visitor] = shown;
            rows.push([format!("{}, {data}", kind.name()), address, ready, reachable, visitor]);
        }
    }
    figures::table(head, &rows)
}

fn visits_table(loopback: &Visits, through_tor: &[(Kind, Visits)], guests: usize) -> String {
    let columns: Vec<&Visits> =
        std::iter::once(loopback).chain(through_tor.iter().map(|(_, visits)| visits)).collect();
    let row = |what: &str, sample: fn(&Visits) -> &figures::Sample| {
        let cells = columns.iter().map(|visits| match sample(visits) {
            sample if sample.is_empty() => "—".to_owned(),
            sample => format!("{} ({})", time(sample.median()), time(sample.percentile(90))),
        });
        let mut row = vec![what.to_owned()];
        row.extend(cells);
        <[String; 4]>::try_from(row).unwrap_or_default()
    };
    let rows = [
        row("connection and handshake, new circuit", |visits| &visits.new_circuit),
        row("connection and handshake, circuit there", |visits| &visits.same_circuit),
        row("the handshake alone", |visits| &visits.handshake),
        row("message acknowledged, alone in the room", |visits| &visits.message),
        row(&format!("message acknowledged, {guests} guests"), |visits| &visits.message_to_all),
    ];
    let head = ["", "loopback", "through Tor, onionroom", "through Tor, C Tor's service"];
    figures::table(head, &rows)
}

fn weight_table(through_tor: &[(Kind, Visits)], guests: usize) -> Outcome<String> {
    let size = std::fs::metadata(kit::program::ROOM)?.len();
    let rows: Vec<_> = through_tor
        .iter()
        .map(|(kind, visits)| {
            let (idle, full) = visits.memory;
            let each = full.saturating_sub(idle) / guests as u64;
            let [idle, full, each] = [idle, full, each].map(|memory| bytes(memory as f64));
            match kind {
                Kind::Room => ["onionroom: Tor and room".into(), bytes(size as f64), idle, full, each],
                Kind::CTor => {
                    ["C Tor, and onionroom without Tor behind it".into(), "—".into(), idle, full, each]
                }
            }
        })
        .collect();
    let with = format!("resident with {guests} guests");
    Ok(figures::table(["", "on disk", "resident, idle", &with, "for each guest"], &rows))
}

fn opening_table(opening: &Opening) -> String {
    let rows: Vec<_> = opening
        .steps
        .iter()
        .map(|(what, counts, took)| {
            [
                (*what).to_owned(),
                counts.requests.to_string(),
                figures::count(counts.up),
                figures::count(counts.down),
                time(*took),
            ]
        })
        .collect();
    figures::table(["up to here", "requests", "bytes up", "bytes down", "time"], &rows)
}
