//! The `onionroom` program: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use onionroom::cli::{self, Arguments};

fn main() -> ExitCode {
    match cli::run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
