//! Which loads are applied to which servers, and what is reported.

use clap::{Parser, ValueEnum};
use onionroom_bench::Outcome;
use onionroom_bench::program::Build;
use onionroom_bench::report::Output;
use onionroom_bench::summary::Summary;
use serde::Serialize;

use crate::command::{Connected, Load, Measured};
use crate::server::{Kind, Server};

/// Seconds of load before each measurement.
const WARM_UP: f64 = 0.3;
/// A generator that is busier than this share of its core limits the result.
const SATURATED: f64 = 0.95;

/// Measures the fan-out of the hub beside the floor.
#[derive(Debug, Parser)]
struct Arguments {
    /// Measure only this.
    #[arg(long, value_name = "PART")]
    only: Option<Part>,
    /// Numbers of guests.
    #[arg(long, value_name = "NUMBER", num_args = 1.., default_values_t = [100, 1000])]
    guests: Vec<usize>,
    /// Closed loop: numbers of messages in flight.
    #[arg(long, value_name = "NUMBER", num_args = 1.., default_values_t = [1, 32, 128, 1024])]
    windows: Vec<u64>,
    /// Open loop: messages a second.
    #[arg(long, value_name = "NUMBER", num_args = 1.., default_values_t = [100.0, 250.0, 500.0, 1000.0, 1500.0])]
    rates: Vec<f64>,
    /// Rounds; in each one, the servers are measured one after the other.
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Seconds of each measurement.
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0)]
    seconds: f64,
    /// Another build to measure beside the present one; repeatable.
    #[arg(long = "program", value_name = "NAME=PATH")]
    programs: Vec<Build>,
    /// Do not build and measure the present source, only the programs given.
    #[arg(long, requires = "programs")]
    no_build: bool,
    /// Measure each build also with its log on disk.
    #[arg(long)]
    on_disk: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The closed loop.
    Saturation,
    /// The open loop.
    Pace,
}

/// All figures of a run.
#[derive(Debug, Default, Serialize)]
struct Results {
    connections: Vec<Connections>,
    loads: Vec<Row>,
}

/// Guests that are connected and idle.
#[derive(Debug, Serialize)]
struct Connections {
    server: String,
    #[serde(flatten)]
    connected: Connected,
}

/// One server under one load.
#[derive(Debug, Serialize)]
struct Row {
    server: String,
    guests: usize,
    load: Load,
    deliveries_per_second: Summary,
    server_cpu_us_per_delivery: Summary,
    /// From due to read; open loop only.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<Latency>,
    /// Ratios to the floor, taken within each round.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_floor: Option<Ratios>,
    messages_per_read: f64,
    bytes_per_delivery: f64,
    /// Share of its core, in the round where it was largest.
    generator_utilization: f64,
}

#[derive(Debug, Serialize)]
struct Latency {
    median_ms: Summary,
    p99_ms: Summary,
    /// How late the generator sent, 99th percentile, in the round where it was largest.
    generator_late_ms: f64,
}

#[derive(Debug, Serialize)]
struct Ratios {
    deliveries_per_second: Summary,
    server_cpu: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    median: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99: Option<Summary>,
}

/// Runs the benchmark.
pub(crate) fn run() -> Outcome<()> {
    let arguments = Arguments::parse();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(&arguments))
}

async fn measure(arguments: &Arguments) -> Outcome<()> {
    let mut builds = arguments.programs.clone();
    if !arguments.no_build {
        builds.push(Build::current().await?);
    }
    let mut kinds = vec![Kind::Floor, Kind::Broadcast];
    kinds.extend(builds.iter().cloned().map(Kind::Memory));
    if arguments.on_disk {
        kinds.extend(builds.into_iter().map(Kind::Disk));
    }
    let windows = arguments.windows.iter().copied().map(Load::Window);
    let rates = arguments.rates.iter().copied().map(Load::Rate);
    let loads: Vec<Load> = match arguments.only {
        Some(Part::Saturation) => windows.collect(),
        Some(Part::Pace) => rates.collect(),
        None => windows.chain(rates).collect(),
    };
    let mut results = Results::default();
    for guests in &arguments.guests {
        let mut servers = Vec::new();
        for kind in &kinds {
            let mut server = Server::start(kind).await?;
            let (name, connected) = (server.name(), server.connect(*guests).await?);
            eprintln!("{guests} guests, {name}: {:.0} bytes each", connected.resident_bytes_per_guest);
            results.connections.push(Connections { server: name, connected });
            servers.push(server);
        }
        for load in &loads {
            let mut rounds: Vec<Vec<Measured>> = vec![Vec::new(); servers.len()];
            for _ in 0..arguments.rounds {
                for (server, rounds) in servers.iter_mut().zip(&mut rounds) {
                    rounds.push(server.load(*load, WARM_UP, arguments.seconds).await?);
                }
            }
            for (index, server) in servers.iter().enumerate() {
                let floor = (index > 0).then_some(&rounds[0]);
                let row = Row::new(server.name(), *guests, *load, &rounds[index], floor);
                row.print();
                results.loads.push(row);
            }
        }
        for server in servers {
            server.stop().await?;
        }
    }
    arguments.output.write("wire", results)
}

impl Row {
    fn new(
        server: String,
        guests: usize,
        load: Load,
        rounds: &[Measured],
        floor: Option<&Vec<Measured>>,
    ) -> Self {
        let summary = |figure: fn(&Measured) -> f64| Summary::of(rounds.iter().map(figure));
        let largest = |figure: fn(&Measured) -> f64| rounds.iter().map(figure).fold(0.0, f64::max);
        let total = |figure: fn(&Measured) -> u64| rounds.iter().map(figure).sum::<u64>() as f64;
        let open_loop = matches!(load, Load::Rate(_));
        let deliveries = total(|round| round.deliveries);
        let to_floor = floor.map(|floor| {
            let ratio = |figure: fn(&Measured) -> f64| Summary::of_ratios(rounds, floor, figure);
            Ratios {
                deliveries_per_second: ratio(Measured::rate),
                server_cpu: ratio(Measured::cpu_us),
                median: open_loop.then(|| ratio(|round| round.median_ms)),
                p99: open_loop.then(|| ratio(|round| round.p99_ms)),
            }
        });
        Self {
            server,
            guests,
            load,
            deliveries_per_second: summary(Measured::rate),
            server_cpu_us_per_delivery: summary(Measured::cpu_us),
            latency: open_loop.then(|| Latency {
                median_ms: summary(|round| round.median_ms),
                p99_ms: summary(|round| round.p99_ms),
                generator_late_ms: largest(|round| round.late_p99_ms),
            }),
            to_floor,
            messages_per_read: deliveries / total(|round| round.reads),
            bytes_per_delivery: total(|round| round.bytes) / deliveries,
            generator_utilization: largest(|round| round.generator_cpu / round.seconds),
        }
    }

    /// One line on standard error.
    fn print(&self) {
        let Self { server, guests, load, deliveries_per_second, server_cpu_us_per_delivery, .. } = self;
        let mut line = format!(
            "{guests} guests, {load:?}, {server}: {deliveries_per_second}/s, {server_cpu_us_per_delivery} µs CPU, \
             {:.1} messages a read, {:.0} bytes",
            self.messages_per_read, self.bytes_per_delivery
        );
        if let Some(latency) = &self.latency {
            line += &format!(", median {} ms, 99th {} ms", latency.median_ms, latency.p99_ms);
        }
        if let Some(ratios) = &self.to_floor {
            let Ratios { deliveries_per_second, server_cpu, p99, .. } = ratios;
            line += &format!("; to the floor: {deliveries_per_second} deliveries, {server_cpu} CPU");
            if let Some(p99) = p99 {
                line += &format!(", {p99} 99th");
            }
        }
        if self.generator_utilization >= SATURATED {
            line += &format!("; GENERATOR SATURATED ({:.2})", self.generator_utilization);
        }
        eprintln!("{line}");
    }
}
