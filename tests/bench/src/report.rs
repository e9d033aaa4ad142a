//! The JSON document of a run.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The results of one run and where they come from.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report<T> {
    /// The benchmark.
    pub bench: String,
    /// The version of onionroom whose benchmarks ran.
    pub version: String,
    /// RFC 3339, in UTC.
    pub date: String,
    /// The processor as Linux names it.
    pub processor: String,
    /// Its cores.
    pub cores: usize,
    /// `release` or `debug`.
    pub build: String,
    /// The figures.
    pub results: T,
}

/// Where the document is written: the flags that every benchmark has.
#[derive(Debug, Args)]
pub struct Output {
    /// Write the results to this file and not to standard output.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Output {
    /// Writes the document of a run.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write<T: Serialize>(&self, bench: &str, results: T) -> Outcome<()> {
        let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let report = Report {
            bench: bench.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            processor: processor.map(|(_, name)| name.to_owned()).unwrap_or_default(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            build: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
            results,
        };
        let text = serde_json::to_string(&report)?;
        match &self.json {
            Some(file) => std::fs::write(file, text + "\n")?,
            None => println!("{text}"),
        }
        Ok(())
    }
}
