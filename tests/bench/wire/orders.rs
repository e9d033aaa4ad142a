//! What the bench tells a generator and hears from it: one line of JSON each.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// How a hub is spoken to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Dialect {
    /// The path of the handshake.
    pub(crate) path: String,
    /// What is offered as `Sec-WebSocket-Protocol`.
    pub(crate) protocol: Option<String>,
    /// The first frame of a guest.
    pub(crate) hello: Option<String>,
    /// What the first part of a frame has in it that says: you are in. Without it a guest is in with the handshake.
    pub(crate) inside: Option<String>,
    /// What a guest says: `{I}` becomes eight digits that are new each time, `{S}` the mark with the same digits
    /// and as much after it as makes [`PAYLOAD`] bytes.
    pub(crate) says: String,
}

/// How many bytes everybody's published payload has.
pub(crate) const PAYLOAD: usize = 100;

/// Which hub a generator loads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Target {
    /// Its rooms; each has an address of its own.
    pub(crate) rooms: Vec<SocketAddr>,
    /// The process that is weighed.
    pub(crate) process: u32,
    /// How it is spoken to.
    pub(crate) dialect: Dialect,
}

/// What a generator is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Let guests into each room.
    Join { guests: usize },
    /// Let one more in, who is trouble.
    Admit { trouble: Trouble },
    /// Let those who are trouble go, by resetting their connections.
    Expel,
    /// Closed loop: in each room as many deliveries are under way as `window` messages make.
    Saturate { window: u64, span: Span },
    /// Open loop: `rate` messages a second, `burst` at once.
    Pace { rate: f64, burst: u32, speakers: usize, spin: bool, span: Span },
    /// Nobody says anything for so many seconds.
    Rest { seconds: f64 },
    /// Handshakes and resets, `at_once` under way, with or without hello.
    Knock { at_once: usize, hello: bool, span: Span },
}

/// How long a load is applied, in seconds, before and while it is measured.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) warm: f64,
    pub(crate) measured: f64,
}

/// Guests as they should not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Trouble {
    /// Reads nothing.
    Stalled,
    /// Reads 1 kB a second.
    Slow,
    /// Says as much as their connection takes.
    Flooding,
}

/// What a generator answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Answer {
    Joined(Joined),
    Loaded(Loaded),
    Rested(Rested),
    Knocked(Knocked),
    /// It could not be done.
    Failed(String),
}

/// Everybody is in.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Joined {
    pub(crate) seconds: f64,
    /// What all of them together received, until nothing more came.
    pub(crate) bytes: u64,
    /// The server's resident memory, before and after.
    pub(crate) resident: (u64, u64),
    pub(crate) server_cpu: f64,
}

/// A load was applied.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Loaded {
    pub(crate) seconds: f64,
    pub(crate) messages: u64,
    pub(crate) deliveries: u64,
    /// Bytes received meanwhile, and reads that brought them.
    pub(crate) bytes: u64,
    pub(crate) reads: u64,
    /// Seconds of CPU.
    pub(crate) server_cpu: f64,
    pub(crate) generator_cpu: f64,
    /// In milliseconds from the moment for which it was meant to the read: median and 99th percentile.
    pub(crate) median: f64,
    pub(crate) late: f64,
    /// How late the generator itself was, in milliseconds, 99th percentile.
    pub(crate) lag: f64,
    /// Messages that somebody did not get, all guests added up; below 0: got more than once.
    pub(crate) lost: i64,
    /// Guests whose connection broke.
    pub(crate) dead: usize,
    /// Messages that a flooding guest could send.
    pub(crate) flooded: u64,
    /// The server's resident memory afterwards.
    pub(crate) resident: u64,
}

impl Loaded {
    /// Deliveries a second.
    pub(crate) fn speed(&self) -> f64 {
        self.deliveries as f64 / self.seconds
    }

    /// The server's CPU for one delivery, in microseconds.
    pub(crate) fn server_each(&self) -> f64 {
        self.server_cpu * 1e6 / self.deliveries as f64
    }
}

/// Nobody said anything.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Rested {
    pub(crate) seconds: f64,
    pub(crate) server_cpu: f64,
    pub(crate) pings: u64,
    pub(crate) dead: usize,
    pub(crate) resident: u64,
}

/// Handshakes were made.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Knocked {
    pub(crate) seconds: f64,
    pub(crate) handshakes: u64,
    pub(crate) refused: u64,
    pub(crate) server_cpu: f64,
    pub(crate) generator_cpu: f64,
    /// Milliseconds from connecting to being done, median and 99th percentile.
    pub(crate) median: f64,
    pub(crate) late: f64,
}
