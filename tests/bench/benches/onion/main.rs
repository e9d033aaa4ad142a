//! The onion service under load, beside C Tor's: `cargo bench -p onionroom-bench --bench onion`.
//!
//! On a private Tor network on this machine, each guest has a circuit. Every load is applied in turn to onionroom and
//! to an onion service of C Tor that forwards to onionroom without Tor: CPU time for each delivery, latency and memory
//! can be read as ratios. Needs Linux and `tor`.

mod guests;
mod load;
mod service;

use std::process::ExitCode;

use clap::Parser;
use onionroom::lab::Plan;
use onionroom_bench::program::Build;
use onionroom_bench::report::Output;
use onionroom_bench::summary::Summary;
use onionroom_bench::{Outcome, exit, turns};
use serde::Serialize;

use self::load::{LOADS, Load, Measured};
use self::service::{Kind, Service};

/// Measures the onion service beside C Tor's.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rounds; in each one, the services are measured one after the other.
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// The most guests of any load.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    guests: u16,
    /// Only loads whose name contains this text.
    #[arg(long, value_name = "TEXT", default_value = "")]
    load: String,
    /// Another build to measure beside the present one; repeatable.
    #[arg(long = "program", value_name = "NAME=PATH")]
    programs: Vec<Build>,
    /// Measure the present build with so many threads as well (`--threads`); repeatable.
    #[arg(long, value_name = "NUMBER")]
    threads: Vec<u16>,
    /// In place of building the present source: measure this build of it.
    #[arg(long, value_name = "NAME=PATH")]
    current: Option<Build>,
    #[command(flatten)]
    output: Output,
}

/// One service under one load.
#[derive(Debug, Serialize)]
struct Row {
    load: &'static str,
    service: String,
    cpu_us_per_delivery: Summary,
    median_ms: Summary,
    p99_ms: Summary,
    deliveries_per_second: Summary,
    resident_bytes: Summary,
    /// Deliveries that never arrived, in all rounds.
    lost: usize,
    /// Ratios to C Tor's onion service, taken within each round.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_c_tor: Option<Ratios>,
}

#[derive(Debug, Serialize)]
struct Ratios {
    cpu: Summary,
    p99: Summary,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit(measure(&Arguments::parse()).await)
}

async fn measure(arguments: &Arguments) -> Outcome<()> {
    let current = Build::named_or_current(arguments.current.as_ref()).await?;
    let mut kinds = vec![Kind::CTor(current.clone()), Kind::Arti(current.clone(), None)];
    kinds.extend(arguments.threads.iter().map(|threads| Kind::Arti(current.clone(), Some(*threads))));
    kinds.extend(arguments.programs.iter().map(|build| Kind::Arti(build.clone(), None)));
    let network = Plan::default().prepare(|_| ()).await?.start(|step| eprintln!("{step}")).await?;
    let mut services = Vec::new();
    for kind in &kinds {
        services.push(Service::start(kind, &network).await?);
    }
    let mut rows = Vec::new();
    for load in LOADS.iter().filter(|load| load.name.contains(&arguments.load)) {
        service::connect(&mut services, load.guests.min(arguments.guests.into())).await?;
        let mut rounds: Vec<Vec<Measured>> = vec![Vec::new(); services.len()];
        for round in 0..usize::from(arguments.rounds) {
            for index in turns(round, services.len()) {
                rounds[index].push(load.apply(&mut services[index]).await?);
            }
        }
        for (index, service) in services.iter().enumerate() {
            let row = Row::new(load, service.name.clone(), &rounds[index], (index > 0).then_some(&rounds[0]));
            row.print();
            rows.push(row);
        }
    }
    for service in services {
        service.stop().await?;
    }
    network.stop().await;
    arguments.output.write("onion", rows)
}

impl Row {
    fn new(load: &Load, service: String, rounds: &[Measured], c_tor: Option<&Vec<Measured>>) -> Self {
        let summary = |figure: fn(&Measured) -> f64| Summary::of(rounds.iter().map(figure));
        Self {
            load: load.name,
            service,
            cpu_us_per_delivery: summary(|round| round.cpu_us),
            median_ms: summary(|round| round.median_ms),
            p99_ms: summary(|round| round.p99_ms),
            deliveries_per_second: summary(|round| round.deliveries_per_second),
            resident_bytes: summary(|round| round.resident),
            lost: rounds.iter().map(|round| round.lost).sum(),
            to_c_tor: c_tor.map(|others| Ratios {
                cpu: Summary::of_ratios(rounds, others, |round| round.cpu_us),
                p99: Summary::of_ratios(rounds, others, |round| round.p99_ms),
            }),
        }
    }

    /// One line on standard error.
    fn print(&self) {
        let Self {
            load, service, cpu_us_per_delivery, median_ms, p99_ms, deliveries_per_second, lost, ..
        } = self;
        let ratios = self
            .to_c_tor
            .as_ref()
            .map_or_else(String::new, |Ratios { cpu, p99 }| format!("; to C Tor's: {cpu} CPU, {p99} 99th"));
        eprintln!(
            "{load}, {service}: {cpu_us_per_delivery} µs CPU, median {median_ms} ms, 99th {p99_ms} ms, \
             {deliveries_per_second} deliveries/s, {lost} lost{ratios}"
        );
    }
}
