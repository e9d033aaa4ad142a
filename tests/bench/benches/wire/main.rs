//! Fan-out of the hub over loopback TCP: `cargo bench -p onionroom-bench --bench wire`.
//!
//! Measures a closed loop (a fixed window of messages in flight) and an open loop (a fixed rate). Every server runs in
//! turn with the floor, a single-threaded epoll loop that does nothing but the fan-out, so that results can be read as
//! ratios, and with the broadcast, the same chat as one would write it with axum. Needs Linux, two cores and `taskset`.

#[cfg(target_os = "linux")]
mod broadcast;
#[cfg(target_os = "linux")]
mod command;
#[cfg(target_os = "linux")]
mod floor;
#[cfg(target_os = "linux")]
mod generator;
#[cfg(target_os = "linux")]
mod measure;
#[cfg(target_os = "linux")]
mod server;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    onionroom_bench::exit(match arguments.get(1).map(String::as_str) {
        Some(server::FLOOR) => floor::run(),
        Some(server::BROADCAST) => broadcast::run(),
        Some(server::GENERATOR) => generator::run(arguments.get(2)),
        _ => measure::run(),
    })
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("bench: the wire benchmark pins processes to cores and reads /proc, so it needs Linux");
    ExitCode::FAILURE
}
