//! Honest guests while strangers try to take the room: `cargo bench -p onionroom-bench --bench strangers`.
//!
//! On a private Tor network on this machine, a room at its default limits has guests who talk as people do, each on a
//! circuit, and newcomers. Then strangers send all they can, take all seats, or hold all connections: first of another
//! room on the same network, as the control, then of this one. Columns and results are in `docs/strangers.md`. Needs
//! Linux and `tor`.
//!
//! [`phase`] runs a room through one attack; [`honest`] has guests and newcomers, [`ledger`] what they said and saw,
//! [`attack`] the strangers, who are a process of their own: this program, started again with `--attack`.

mod attack;
mod honest;
mod ledger;
mod network;
mod phase;
mod route;
mod row;

use std::process::ExitCode;

use clap::Parser;
use onionroom::lab::Plan;
use onionroom_bench::program::Build;
use onionroom_bench::report::Output;
use onionroom_bench::{Outcome, exit, turns};

use self::network::Client;
use self::phase::{ATTACKS, Setting};
use self::row::Row;

/// Measures honest guests of a room that strangers attack.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rounds; in each one, all builds go through all attacks, each time in a new room.
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// The length of each measurement.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=90))]
    seconds: u64,
    /// The honest guests.
    #[arg(long, value_name = "NUMBER", default_value_t = 30, value_parser = clap::value_parser!(u32).range(2..=60))]
    guests: u32,
    /// Only attacks whose name contains this text.
    #[arg(long, value_name = "NAME", default_value = "")]
    only: String,
    /// Leave out the control: the same traffic to another room on the same network.
    #[arg(long)]
    no_control: bool,
    /// Another build to measure beside the present one; repeatable.
    #[arg(long = "program", value_name = "NAME=PATH")]
    programs: Vec<Build>,
    #[command(flatten)]
    output: Output,
    /// Be the attackers, as ordered.
    #[arg(long, hide = true)]
    attack: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    exit(match &arguments.attack {
        Some(order) => attack::run(order).await,
        None => measure(&arguments).await,
    })
}

async fn measure(arguments: &Arguments) -> Outcome<()> {
    let attacks: Vec<_> = ATTACKS.iter().filter(|attack| attack.name.contains(&arguments.only)).collect();
    let mut builds = vec![Build::current().await?];
    builds.extend(arguments.programs.iter().cloned());
    let network = Plan::default().prepare(|_| ()).await?.start(|step| eprintln!("{step}")).await?;
    let attackers = Client::start(&network).await?;
    let mut failed = 0;
    // By build and attack: the rounds.
    let mut measured: Vec<Vec<Vec<_>>> =
        builds.iter().map(|_| attacks.iter().map(|_| Vec::new()).collect()).collect();
    for round in 0..usize::from(arguments.rounds) {
        for (number, attack) in attacks.iter().enumerate() {
            for index in turns(round, builds.len()) {
                let build = &builds[index];
                eprintln!("round {}, {}, {}", round + 1, build.name, attack.name);
                let setting = Setting {
                    network: &network,
                    attackers: &attackers,
                    guests: arguments.guests,
                    seconds: arguments.seconds,
                    control: !arguments.no_control,
                };
                match phase::measure(build, attack, &setting).await {
                    Ok(periods) => {
                        row::print_progress(&Row::of(
                            &build.name,
                            attack.name,
                            std::slice::from_ref(&periods),
                        ));
                        measured[index][number].push(periods);
                    }
                    // The others are worth having.
                    Err(error) => {
                        eprintln!("round {}, {}, {}: {error}", round + 1, build.name, attack.name);
                        failed += 1;
                    }
                }
            }
        }
    }
    network.stop().await;
    let mut rows = Vec::new();
    for (number, attack) in attacks.iter().enumerate() {
        for (build, measured) in builds.iter().zip(&measured) {
            rows.extend(Row::of(&build.name, attack.name, &measured[number]));
        }
    }
    row::print(&rows);
    arguments.output.write("strangers", rows)?;
    match failed {
        0 => Ok(()),
        _ => Err(format!("{failed} measurements failed and are missing").into()),
    }
}
