//! The load generator: all guests of one server in one thread, controlled over standard input.
//!
//! It has to cost less for each delivery than any server, or it limits the result: one read for everything that has
//! arrived, frames of which only the marked number is read, no allocation, counters instead of lists.

mod client;
mod clients;
mod frames;
mod latency;
mod load;

use std::io::{self, BufRead};

use onionroom_bench::Outcome;

use self::clients::Clients;
use crate::command::{Command, Report};

/// Runs until standard input ends.
///
/// # Errors
/// When the target or a command is malformed.
pub(crate) fn run(target: Option<&String>) -> Outcome<()> {
    let mut clients = Clients::new(serde_json::from_str(target.ok_or("no target")?)?)?;
    for line in io::stdin().lock().lines() {
        let report = match serde_json::from_str(&line?)? {
            Command::Connect(guests) => clients.connect(guests).map(Report::Connected),
            Command::Load { load, warm_up, seconds } => {
                clients.apply(load, warm_up, seconds).map(Report::Measured)
            }
        };
        let report = report.unwrap_or_else(|error| Report::Failed(error.to_string()));
        println!("{}", serde_json::to_string(&report)?);
    }
    Ok(())
}
