//! The fan-out in instructions: `cargo bench --bench instructions -- --count`.
//!
//! A message's way from the room to the last of its guests, without log and sockets: everyone's connection is memory.
//! The number of instructions is nearly the same on every run and says nothing about how long they take. It is counted
//! by valgrind, as the difference between a long talk and a short one. Without `--count` the talk alone is held, for
//! other tools to look at. `--profile instructions` builds in less time and counts nearly the same.

#[allow(dead_code, reason = "each bench uses its part")]
mod kit;
mod instructions {
    pub(crate) mod audience;
    pub(crate) mod numbers;
    pub(crate) mod talk;
    pub(crate) mod valgrind;
}

use std::process::ExitCode;

use clap::Parser;

use instructions::talk::{LISTENERS, Talk};
use instructions::valgrind;
use kit::figures::count;
use kit::{Outcome, within};

/// How many rounds the short talk and the long one have, after what is said before either.
const SHORT: usize = 320;
const LONG: usize = 1_600;

/// How many messages are said in a round.
const AT_ONCE: [usize; 2] = [1, 32];

/// Holds a talk in a room in memory.
#[derive(Debug, Parser)]
struct Arguments {
    /// Count the instructions of each delivery, with valgrind.
    #[arg(long)]
    count: bool,
    /// How many rounds there are; the next begins when everyone has everything.
    #[arg(long, default_value_t = LONG)]
    rounds: usize,
    /// How many messages are said in each.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    at_once: u16,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let run = async {
        match arguments.count {
            true => count_all().await,
            false => talk(arguments.rounds, arguments.at_once.into()).await,
        }
    };
    kit::ended(run.await)
}

async fn talk(rounds: usize, at_once: usize) -> Outcome<()> {
    let mut talk = within("everyone to come in", Talk::begin()).await??;
    let writes = within("everyone to get everything", talk.go_on(rounds, at_once)).await??;
    println!(
        "{} messages to {LISTENERS} guests, {at_once} at a time, in {} writes",
        count((rounds * at_once) as u64),
        count(writes)
    );
    Ok(())
}

async fn count_all() -> Outcome<()> {
    if !valgrind::is_there().await? {
        println!("fan-out: not counted, because there is no valgrind here");
        return Ok(());
    }
    let mut figures = Vec::new();
    for at_once in AT_ONCE {
        let more = (count_one(LONG, at_once).await?).saturating_sub(count_one(SHORT, at_once).await?);
        let message = more / ((LONG - SHORT) * at_once) as u64;
        let how = if at_once == 1 { "one message at a time".into() } else { format!("{at_once} at a time") };
        let (delivery, message) = (count(message / LISTENERS as u64), count(message));
        figures
            .push(format!("{delivery} instructions for each delivery ({message} for each message), {how}"));
    }
    println!("fan-out: {}", figures.join("; "));
    Ok(())
}

async fn count_one(rounds: usize, at_once: usize) -> Outcome<u64> {
    let words = ["--rounds", &rounds.to_string(), "--at-once", &at_once.to_string()].map(str::to_owned);
    valgrind::instructions(&words).await
}
