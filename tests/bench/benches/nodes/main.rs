//! One room on one, two and three nodes: `cargo bench -p onionroom-bench --bench nodes`.
//!
//! Guests are shared between the nodes and talk at a fixed rate (an open loop); each delivery is timed from when it was due.
//! A node with its messages in SQLite runs in turn with them, so that the price of NATS can be read as a ratio. In the end the
//! first node is killed, and its guests go on at another one. Needs Linux, and a `nats-server` of version
//! 2.11 or newer that `ONIONROOM_TEST_NATS_SERVER` names; three are started, which sync each write to the disk, as SQLite does.

mod guests;
mod room;
#[path = "../../../nats/servers.rs"]
mod servers;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use onionroom_bench::program::Build;
use onionroom_bench::report::Output;
use onionroom_bench::summary::Summary;
use onionroom_bench::{Outcome, exit, process, turns};
use serde::Serialize;

use self::guests::Guests;
use self::room::Room;

/// Measures one room on several nodes.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rounds; in each one, the rooms are measured one after the other.
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How many guests, over all nodes.
    #[arg(long, value_name = "NUMBER", default_value_t = 300)]
    guests: usize,
    /// Messages a second, over all guests.
    #[arg(long, value_name = "NUMBER", default_value_t = 20.0)]
    rate: f64,
    /// For how long.
    #[arg(long, value_name = "TIME", default_value = "10s")]
    time: humantime::Duration,
    /// How many nodes; 0 is one with its messages in SQLite.
    #[arg(long, value_name = "NUMBERS", default_value = "0,1,2,3", value_delimiter = ',')]
    nodes: Vec<usize>,
    /// Another build, in place of the present one.
    #[arg(long = "program", value_name = "NAME=PATH")]
    program: Option<Build>,
    #[command(flatten)]
    output: Output,
}

/// One room in one round.
#[derive(Debug, Clone)]
struct Figures {
    median_ms: f64,
    p99_ms: f64,
    /// Microseconds of each node for each of its own deliveries.
    node_us: Vec<f64>,
    /// Microseconds of all NATS servers together, for each delivery of the room.
    servers_us: f64,
    /// The same for each message.
    servers_us_per_message: f64,
    /// Resident memory of each node, in MB, with its guests.
    node_mb: Vec<f64>,
    servers_mb: f64,
    /// Seconds from the end of the first node until its guests are welcomed by another.
    takeover_s: f64,
}

/// One room, over all rounds.
#[derive(Debug, Serialize)]
struct Row {
    nodes: usize,
    log: &'static str,
    guests: usize,
    rate: f64,
    median_ms: Summary,
    p99_ms: Summary,
    node_us_per_delivery: Summary,
    servers_us_per_delivery: Summary,
    servers_us_per_message: Summary,
    node_mb: Summary,
    servers_mb: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    takeover_s: Option<Summary>,
    /// Ratio to the first of the rooms, taken within each round.
    median_to_first: Summary,
    node_us_to_first: Summary,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit(measure(&Arguments::parse()).await)
}

async fn measure(arguments: &Arguments) -> Outcome<()> {
    let build = Build::named_or_current(arguments.program.as_ref()).await?;
    let mut rounds: Vec<Vec<Figures>> = vec![Vec::new(); arguments.nodes.len()];
    for round in 0..usize::from(arguments.rounds) {
        for index in turns(round, arguments.nodes.len()) {
            let figures = one(arguments, &build, arguments.nodes[index]).await?;
            eprintln!("round {}, {} nodes: {figures:?}", round + 1, arguments.nodes[index]);
            rounds[index].push(figures);
        }
    }
    let rows: Vec<Row> = (0..rounds.len())
        .map(|index| Row::new(arguments, arguments.nodes[index], &rounds[index], &rounds[0]))
        .collect();
    rows.iter().for_each(Row::print);
    arguments.output.write("nodes", rows)
}

async fn one(arguments: &Arguments, build: &Build, nodes: usize) -> Outcome<Figures> {
    let mut room = Room::start(build, nodes).await?;
    let mut guests = Guests::join(&room.addresses(), arguments.guests).await?;
    let processes = room.processes()?;
    let cpu = |processes: &[u32]| processes.iter().map(|id| process::cpu(*id)).collect::<Vec<_>>();
    let (before, servers_before) = (cpu(&processes), cpu(&room.servers()));
    let (latencies, deliveries) = guests.talk(arguments.rate, *arguments.time).await?;
    let (after, servers_after) = (cpu(&processes), cpu(&room.servers()));
    let spent = |before: &[f64], after: &[f64]| -> Vec<f64> {
        before.iter().zip(after).map(|(b, a)| a - b).collect()
    };
    let servers = spent(&servers_before, &servers_after).iter().sum::<f64>() * 1e6;
    let all: u64 = deliveries.iter().sum();
    let megabytes = |id: &u32| process::resident(*id) as f64 / 1e6;
    let mut figures = Figures {
        median_ms: latencies.quantile_ms(0.5),
        p99_ms: latencies.quantile_ms(0.99),
        node_us: spent(&before, &after)
            .iter()
            .zip(&deliveries)
            .map(|(cpu, count)| cpu * 1e6 / *count as f64)
            .collect(),
        servers_us: servers / all as f64,
        servers_us_per_message: servers / (all as f64 / arguments.guests as f64),
        node_mb: processes.iter().map(megabytes).collect(),
        servers_mb: room.servers().iter().map(megabytes).sum(),
        takeover_s: 0.0,
    };
    if nodes > 1 {
        let begin = std::time::Instant::now();
        room.kill_first().await?;
        guests.move_from_first().await?;
        figures.takeover_s = begin.elapsed().as_secs_f64();
    }
    drop(guests);
    room.stop().await?;
    Ok(figures)
}

impl Row {
    fn new(arguments: &Arguments, nodes: usize, rounds: &[Figures], first: &[Figures]) -> Self {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let over = |figure: &dyn Fn(&Figures) -> f64| Summary::of(rounds.iter().map(figure));
        Self {
            nodes: nodes.max(1),
            log: if nodes == 0 { "SQLite" } else { "JetStream" },
            guests: arguments.guests,
            rate: arguments.rate,
            median_ms: over(&|figures| figures.median_ms),
            p99_ms: over(&|figures| figures.p99_ms),
            node_us_per_delivery: over(&|figures| mean(&figures.node_us)),
            servers_us_per_delivery: over(&|figures| figures.servers_us),
            servers_us_per_message: over(&|figures| figures.servers_us_per_message),
            node_mb: over(&|figures| mean(&figures.node_mb)),
            servers_mb: over(&|figures| figures.servers_mb),
            takeover_s: (nodes > 1).then(|| over(&|figures| figures.takeover_s)),
            median_to_first: Summary::of_ratios(rounds, first, |figures| figures.median_ms),
            node_us_to_first: Summary::of_ratios(rounds, first, |figures| mean(&figures.node_us)),
        }
    }

    /// One line on standard error.
    fn print(&self) {
        let takeover = self.takeover_s.map_or_else(String::new, |s| format!(", moved {s} s after its end"));
        eprintln!(
            "{} node(s), {}: {} guests, {} messages/s: median {} ms, 99th {} ms; {} us of a node and {} us of the servers a delivery; {} MB a node{takeover}; to the first: median {}, CPU {}",
            self.nodes,
            self.log,
            self.guests,
            self.rate,
            self.median_ms,
            self.p99_ms,
            self.node_us_per_delivery,
            self.servers_us_per_delivery,
            self.node_mb,
            self.median_to_first,
            self.node_us_to_first,
        );
    }
}

/// How long the room is left alone before it is measured, so that joining is over.
pub(crate) const REST: Duration = Duration::from_secs(3);
