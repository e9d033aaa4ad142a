//! The program's log, on standard error, for the operator.
//!
//! By default it has this program's own events and none of Arti's. Never logged at the default level: message texts,
//! names, the onion address, circuits. Times are counted from the start of the program: a log that is passed on does not
//! tell when a guest was present.

use std::fmt;
use std::time::Instant;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// Starts logging for the whole process; a second call changes nothing. `filter` is one that the settings
/// accepted.
pub fn start<W>(filter: &str, writer: W, colours: bool)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().with_regex(false).parse_lossy(filter);
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_timer(SinceStart(Instant::now()))
        .with_ansi(colours)
        .with_writer(writer)
        .try_init();
}

struct SinceStart(Instant);

impl FormatTime for SinceStart {
    fn format_time(&self, to: &mut Writer<'_>) -> fmt::Result {
        write!(to, "{:8.1} s", self.0.elapsed().as_secs_f64())
    }
}
