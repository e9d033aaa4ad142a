//! From a host's act to the last guest who has seen it, through Tor: `cargo bench -p onionroom-bench --bench governing`.
//!
//! On a private Tor network on this machine guests share circuits, and a host on a circuit of their own deletes, puts out and
//! sets slow mode. Measured is the time from the write of the act until each guest has read it, which has the host's own way to the
//! room in it. Needs Linux and `tor`.

// Shared with the bench `onion`, which uses the rest of it.
#[allow(dead_code)]
#[path = "../onion/guests.rs"]
mod guests;
mod room;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use onionroom::lab::Plan;
use onionroom_bench::program::Build;
use onionroom_bench::report::Output;
use onionroom_bench::summary::Summary;
use onionroom_bench::{Outcome, exit};
use serde::Serialize;
use serde_json::json;
use tokio::time::sleep;

use self::room::Governed;

/// Between one act and the next.
const REST: Duration = Duration::from_millis(500);

/// Measures how long an act of a host takes to the last guest.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often each act is done.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How many guests there are beside the host.
    #[arg(long, value_name = "NUMBER", default_value_t = 30)]
    guests: usize,
    /// Over how many circuits they come.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    circuits: usize,
    /// One way from one relay to the next.
    #[arg(long, value_name = "TIMES", default_value = "0s,40ms", value_delimiter = ',')]
    distance: Vec<humantime::Duration>,
    /// The build to measure, in place of the present one.
    #[arg(long = "program", value_name = "NAME=PATH")]
    program: Option<Build>,
    #[command(flatten)]
    output: Output,
}

/// One act, over all rounds.
#[derive(Debug, Serialize)]
struct Row {
    distance_ms: u128,
    guests: usize,
    circuits: usize,
    act: &'static str,
    /// Until half of the guests have seen it.
    half_ms: Summary,
    /// Until the last guest has seen it.
    last_ms: Summary,
    /// Until the connection of the guest who was put out has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    out_ms: Option<Summary>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit(measure(&Arguments::parse()).await)
}

async fn measure(arguments: &Arguments) -> Outcome<()> {
    let build = Build::named_or_current(arguments.program.as_ref()).await?;
    let mut rows = Vec::new();
    for distance in &arguments.distance {
        let plan = Plan { distance: **distance, ..Plan::default() };
        let network = plan.prepare(|_| ()).await?.start(|step| eprintln!("{step}")).await?;
        let mut room = Governed::open(&build, &network, arguments.guests, arguments.circuits).await?;
        for act in ["delete", "kick", "slow"] {
            let mut seen = Vec::new();
            for round in 0..arguments.rounds {
                sleep(REST).await;
                seen.push(match act {
                    "delete" => {
                        let message = room.said().await?;
                        room.act(json!({ "act": act, "messages": [message] }), None).await?
                    }
                    "kick" => {
                        let victim = room.victim(usize::from(round)).await?;
                        room.act(json!({ "act": act, "of": victim.number }), Some(victim)).await?
                    }
                    _ => room.act(json!({ "act": act, "seconds": round % 2 }), None).await?,
                });
            }
            let out: Vec<f64> = seen.iter().filter_map(|seen| seen.out_ms).collect();
            let row = Row {
                distance_ms: distance.as_millis(),
                guests: arguments.guests,
                circuits: arguments.circuits,
                act,
                half_ms: Summary::of(seen.iter().map(|seen| seen.half_ms)),
                last_ms: Summary::of(seen.iter().map(|seen| seen.last_ms)),
                out_ms: (!out.is_empty()).then(|| Summary::of(out)),
            };
            let out = row.out_ms.map_or_else(String::new, |out| format!(", out after {out} ms"));
            eprintln!(
                "{} ms, {act}: half of the guests {} ms, the last {} ms{out}",
                row.distance_ms, row.half_ms, row.last_ms
            );
            rows.push(row);
        }
        room.close().await?;
        network.stop().await;
    }
    arguments.output.write("governing", rows)
}
