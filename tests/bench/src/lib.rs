//! What the benchmarks share: programs under test, figures of Linux about processes, summaries of rounds, and the
//! JSON document of a run.

pub mod latencies;
pub mod process;
pub mod program;
pub mod report;
pub mod summary;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

/// The result of a measurement.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How long any step may take.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Waits for `future`, at most [`DEADLINE`].
///
/// # Errors
/// When the deadline passes first.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> Outcome<T> {
    let done = tokio::time::timeout(DEADLINE, future).await;
    done.map_err(|_| format!("no {what} within {} s", DEADLINE.as_secs()).into())
}

/// Whose turn it is in a round: the indices of all `count`, and each round begins with another one.
pub fn turns(round: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |step| (step + round) % count)
}

/// The exit status of a benchmark; prints the error.
pub fn exit(outcome: Outcome<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
