//! Instructions of the fan-out: `cargo bench -p onionroom-bench --profile instructions --bench instructions -- --count`.
//!
//! One guest sends to 99 whose connections are memory; log, sockets and the operating system are left out. Callgrind
//! counts the instructions of a long run and of a short one, and the difference is divided by the messages between
//! them: unlike times, the result hardly depends on the machine. Without `--count` the bench only runs the load, for
//! other tools to attach to.

mod connection;
mod hub;
mod log;

use std::io::ErrorKind;
use std::process::{ExitCode, Stdio};

use clap::Parser;
use onionroom_bench::report::Output;
use onionroom_bench::{Outcome, exit, within};
use serde::Serialize;
use tokio::process::Command;

use self::hub::{Fanout, LISTENERS};

/// Rounds of the short run and of the long one, after a warm-up that is the same in both.
const SHORT: usize = 320;
const LONG: usize = 1_600;

/// Messages in each round.
const BATCHES: [usize; 2] = [1, 32];

/// Runs the fan-out in memory.
#[derive(Debug, Parser)]
struct Arguments {
    /// Count the instructions with callgrind.
    #[arg(long)]
    count: bool,
    /// Rounds; the next one begins when all listeners have received everything.
    #[arg(long, value_name = "NUMBER", default_value_t = LONG)]
    rounds: usize,
    /// Messages in each round.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    batch: u16,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Count {
    /// Messages in each round.
    batch: usize,
    instructions_per_delivery: u64,
    instructions_per_message: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    exit(match arguments.count {
        true => count(&arguments.output).await,
        false => run(arguments.rounds, arguments.batch.into()).await,
    })
}

async fn run(rounds: usize, batch: usize) -> Outcome<()> {
    let mut fanout = within("welcome of all listeners", Fanout::start()).await??;
    let writes = within("delivery of all messages", fanout.run(rounds, batch)).await??;
    eprintln!("{} messages to {LISTENERS} listeners, {batch} in each round, {writes} writes", rounds * batch);
    Ok(())
}

async fn count(output: &Output) -> Outcome<()> {
    let mut counts = Vec::new();
    for batch in BATCHES {
        let (Some(long), Some(short)) = (callgrind(LONG, batch).await?, callgrind(SHORT, batch).await?)
        else {
            eprintln!("instructions: not counted, valgrind is missing");
            return Ok(());
        };
        let instructions_per_message = long.saturating_sub(short) / ((LONG - SHORT) * batch) as u64;
        let instructions_per_delivery = instructions_per_message / LISTENERS as u64;
        eprintln!(
            "instructions, {batch} in each round: {instructions_per_delivery} per delivery, \
             {instructions_per_message} per message"
        );
        counts.push(Count { batch, instructions_per_delivery, instructions_per_message });
    }
    output.write("instructions", counts)
}

/// The instructions of one run of this executable; `None` without valgrind.
async fn callgrind(rounds: usize, batch: usize) -> Outcome<Option<u64>> {
    let directory = tempfile::tempdir()?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=callgrind.out"]).arg(std::env::current_exe()?);
    command.args(["--rounds", &rounds.to_string(), "--batch", &batch.to_string()]);
    command.current_dir(directory.path()).stdin(Stdio::null()).kill_on_drop(true);
    let output = match within("result of callgrind", command.output()).await? {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        output => output?,
    };
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    match collected.filter(|_| output.status.success()) {
        Some(instructions) => Ok(Some(instructions)),
        None => Err(format!("callgrind did not count:\n{text}").into()),
    }
}
