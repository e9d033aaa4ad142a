//! The hub against the wire, measured: `cargo bench --bench wire`.
//!
//! Beside each figure of the room stands the floor's, measured in turn with it: a program that does nothing but
//! the sending. Needs Linux, two cores and `taskset`.

#[allow(dead_code, reason = "each bench uses its part")]
mod kit;
#[cfg(target_os = "linux")]
#[path = "wire/bench.rs"]
mod wire;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    kit::ended(wire::main())
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("bench: this one pins programs to cores and reads /proc, so it needs Linux");
    ExitCode::FAILURE
}
