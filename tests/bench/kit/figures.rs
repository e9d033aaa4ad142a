//! Figures: what is said about many measurements, and how.

use std::time::Duration;

/// Many measurements of the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample(Vec<Duration>);

impl Sample {
    /// One more.
    pub(crate) fn add(&mut self, duration: Duration) {
        let place = self.0.partition_point(|other| *other <= duration);
        self.0.insert(place, duration);
    }

    /// Whether nothing was measured.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The smallest measurement that `percent` of all do not exceed (nearest rank).
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }

    /// The middle.
    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }
}

impl FromIterator<Duration> for Sample {
    fn from_iter<I: IntoIterator<Item = Duration>>(durations: I) -> Self {
        let mut durations: Vec<_> = durations.into_iter().collect();
        durations.sort_unstable();
        Sample(durations)
    }
}

/// A duration with about two meaningful digits: `0.32 ms`, `4.5 ms`, `270 ms`, `3.1 s`.
pub(crate) fn time(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1e3;
    match milliseconds {
        0.0..1.0 => format!("{milliseconds:.2} ms"),
        1.0..10.0 => format!("{milliseconds:.1} ms"),
        10.0..1000.0 => format!("{milliseconds:.0} ms"),
        _ => format!("{:.1} s", milliseconds / 1e3),
    }
}

/// A number of bytes with its unit, thousands to a kB: `87 B`, `1.6 kB`, `24 MB`.
pub(crate) fn bytes(bytes: f64) -> String {
    match bytes {
        ..999.5 => format!("{bytes:.0} B"),
        ..9_950.0 => format!("{:.1} kB", bytes / 1e3),
        ..999_500.0 => format!("{:.0} kB", bytes / 1e3),
        ..9_950_000.0 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.0} MB", bytes / 1e6),
    }
}

/// A whole number with its thousands apart: `16,412`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// A small number: `0`, `0.96`, `2.4`, `120`.
pub(crate) fn number(number: f64) -> String {
    match number {
        0.0 => "0".into(),
        ..1.0 => format!("{number:.2}"),
        ..10.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// A Markdown table; columns after the first are figures and stand to the right.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&head.map(str::to_owned));
    text.push_str(&format!("|---|{}\n", "--:|".repeat(N - 1)));
    rows.iter().for_each(|row| text.push_str(&line(row)));
    text
}
