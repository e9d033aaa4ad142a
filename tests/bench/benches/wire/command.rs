//! Commands to a generator and its reports: one line of JSON each.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The server that a generator loads.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// The process whose CPU time and memory are read.
    pub(crate) process: u32,
}

/// What a generator is to do.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Command {
    /// Connect this many guests.
    Connect(usize),
    /// Apply a load for `warm_up` seconds, then for `seconds` that are measured.
    Load { load: Load, warm_up: f64, seconds: f64 },
}

/// A load on a server.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Load {
    /// Closed loop: this many messages are in flight.
    Window(u64),
    /// Open loop: this many messages a second, sent when they are due.
    Rate(f64),
}

/// What a generator answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Report {
    Connected(Connected),
    Measured(Measured),
    Failed(String),
}

/// All guests are connected.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Connected {
    pub(crate) guests: usize,
    /// Resident memory that the server needed more than before, for each guest.
    pub(crate) resident_bytes_per_guest: f64,
    /// What each guest received until nothing more came.
    pub(crate) received_bytes_per_guest: f64,
}

/// One load was applied once.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) seconds: f64,
    /// Messages received by guests: each message counts once for each guest.
    pub(crate) deliveries: u64,
    pub(crate) bytes: u64,
    pub(crate) reads: u64,
    /// CPU seconds.
    pub(crate) server_cpu: f64,
    pub(crate) generator_cpu: f64,
    /// Milliseconds from when a message was due to the read that brought it; open loop only.
    pub(crate) median_ms: f64,
    pub(crate) p99_ms: f64,
    /// Milliseconds from when a message was due to when it was sent, 99th percentile.
    pub(crate) late_p99_ms: f64,
    /// Messages that guests did not get, all guests together; negative if some came twice.
    pub(crate) lost: i64,
}

impl Measured {
    /// Deliveries a second.
    pub(crate) fn rate(&self) -> f64 {
        self.deliveries as f64 / self.seconds
    }

    /// CPU time of the server for one delivery in microseconds.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.server_cpu * 1e6 / self.deliveries as f64
    }
}
