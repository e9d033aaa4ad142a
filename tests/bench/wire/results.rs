//! The figures of all parts, as they are kept in docs/wire.json.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kit::figures;

/// One figure over all rounds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of these, one for each round.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() {
            0 => return Self::default(),
            odd if odd % 2 == 1 => values[middle],
            _ => f64::midpoint(values[middle - 1], values[middle]),
        };
        Self { median, least: values[0], most: values[values.len() - 1] }
    }

    /// Of the ratios of two figures, round by round.
    pub(crate) fn of_ratios(values: &[f64], others: &[f64]) -> Self {
        Self::of(values.iter().zip(others).map(|(value, other)| value / other))
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, least, most] = [self.median, self.least, self.most].map(small);
        write!(f, "{median} ({least} to {most})")
    }
}

/// A figure with three meaningful digits where there are so many.
pub(crate) fn small(figure: f64) -> String {
    match figure {
        ..1.0 => format!("{figure:.3}"),
        ..10.0 => format!("{figure:.2}"),
        ..100.0 => format!("{figure:.1}"),
        _ => figures::count(figure.round() as u64),
    }
}

/// Everything that was measured.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Results {
    pub(crate) saturation: Vec<Saturated>,
    pub(crate) paced: Vec<Paced>,
    pub(crate) idle: Option<Idle>,
    pub(crate) rooms: Option<Rooms>,
    pub(crate) handshakes: Vec<Handshakes>,
    pub(crate) joining: Vec<Joining>,
    pub(crate) trouble: Vec<Troubled>,
    pub(crate) threads: Vec<Threads>,
}

/// One hub in a closed loop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Saturated {
    pub(crate) guests: usize,
    pub(crate) window: u64,
    pub(crate) hub: String,
    /// Deliveries a second.
    pub(crate) deliveries: Spread,
    /// The server's CPU for one of them, in microseconds.
    pub(crate) server: Spread,
    /// Deliveries a second over those of `beside`.
    pub(crate) ratio: Option<Spread>,
    pub(crate) beside: Option<String>,
    /// How many messages one read of a guest brought.
    pub(crate) together: f64,
    /// Bytes for one delivery.
    pub(crate) bytes: f64,
    /// The share of its core that the generator needed, in the round where it was most.
    pub(crate) generator: f64,
}

/// One hub in an open loop; times in milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Paced {
    pub(crate) rate: f64,
    pub(crate) hub: String,
    pub(crate) median: Spread,
    pub(crate) late: Spread,
    pub(crate) server: Spread,
    /// Both over the floor's.
    pub(crate) median_ratio: Option<Spread>,
    pub(crate) late_ratio: Option<Spread>,
    /// How late the generator was, 99th percentile, in the round where it was most.
    pub(crate) lag: f64,
}

/// Many guests who say nothing. Bytes and shares of a core.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Idle {
    pub(crate) guests: usize,
    pub(crate) bytes_each: f64,
    pub(crate) bytes_each_after: f64,
    pub(crate) seconds: f64,
    pub(crate) pings: u64,
    pub(crate) cpu: f64,
    pub(crate) joined_in: f64,
}

/// Many rooms in one process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rooms {
    pub(crate) rooms: usize,
    pub(crate) guests_each: usize,
    pub(crate) bytes_each: f64,
    pub(crate) rate: f64,
    pub(crate) median: Spread,
    pub(crate) late: Spread,
    pub(crate) server: Spread,
    pub(crate) idle_cpu: f64,
}

/// One hub's handshakes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Handshakes {
    pub(crate) hub: String,
    pub(crate) hello: bool,
    pub(crate) rate: Spread,
    /// Microseconds of the server's CPU.
    pub(crate) server: Spread,
    /// Handshakes a second, over the floor's.
    pub(crate) ratio: Option<Spread>,
    /// Handshakes for a second of the server's CPU, over the floor's: this counts where the generator is the limit.
    pub(crate) cpu_ratio: Option<Spread>,
    pub(crate) generator: f64,
}

/// Guests who come into one room.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Joining {
    pub(crate) guests: usize,
    /// What all of them received together.
    pub(crate) bytes: u64,
    pub(crate) seconds: f64,
    pub(crate) server_cpu: f64,
}

/// What the others notice of somebody who is trouble.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Troubled {
    pub(crate) guest: String,
    pub(crate) median: Spread,
    pub(crate) late: Spread,
    pub(crate) late_ratio: Option<Spread>,
    /// Resident memory at the most.
    pub(crate) resident: u64,
    /// Messages a second that could be sent by whoever floods.
    pub(crate) flood: f64,
}

/// One number of worker threads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Threads {
    pub(crate) threads: usize,
    pub(crate) cores: String,
    pub(crate) load: String,
    pub(crate) server: Spread,
    /// Over the same with one thread.
    pub(crate) ratio: Option<Spread>,
}
