//! What the benches share: the program as a process, the private network, streams that count, a plain HTTP
//! client, and figures.

pub(crate) mod client;
pub(crate) mod docs;
pub(crate) mod figures;
pub(crate) mod process;
pub(crate) mod program;
#[allow(clippy::unwrap_used, reason = "shared with the tests: names are short enough for SOCKS")]
#[path = "../end_to_end/onion/socks.rs"]
pub(crate) mod socks;
pub(crate) mod svg;
pub(crate) mod way;
pub(crate) mod websocket;
pub(crate) mod wire;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use onionroom::lab::{Network, Plan};

/// What a measurement gives, or why there is none.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How long anything may take before the bench gives up.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// Waits for `future`, at most [`DEADLINE`].
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> Outcome<T> {
    let done = tokio::time::timeout(DEADLINE, future).await;
    done.map_err(|_| format!("waited {} s in vain for {what}", DEADLINE.as_secs()).into())
}

/// Starts a private Tor network, telling each step on standard error.
pub(crate) async fn network() -> Outcome<Network> {
    let tell = |step| eprintln!("  {step}");
    Ok(Plan::default().prepare(tell).await?.start(tell).await?)
}

/// The bench's exit status; tells in a sentence what went wrong.
pub(crate) fn ended(outcome: Outcome<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
