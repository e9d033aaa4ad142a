//! Latency of messages: from when each was due to when it was read.

use onionroom_bench::latencies::Latencies;

use super::frames;

/// For so many messages it is known when they were due. More are never in flight.
const DUE: usize = 1 << 20;

pub(super) struct Latency {
    due: Vec<u64>,
    /// The numbers that are measured.
    measured: std::ops::Range<u32>,
    pub(super) latencies: Latencies,
}

impl Latency {
    pub(super) fn new() -> Self {
        Self { due: vec![0; DUE], measured: 0..0, latencies: Latencies::default() }
    }

    /// Measures all messages from this number on, until [`Latency::end`].
    pub(super) fn begin(&mut self, number: u32) {
        self.measured = number..u32::MAX;
        self.latencies.reset();
    }

    /// This number and later ones are not measured.
    pub(super) fn end(&mut self, number: u32) {
        self.measured.end = number;
    }

    /// A message is due at this time, in nanoseconds.
    #[inline]
    pub(super) fn sent(&mut self, number: u32, due: u64) {
        self.due[number as usize % DUE] = due;
    }

    /// A message was read at `now`; `digits` are those of its mark.
    #[inline]
    pub(super) fn received(&mut self, digits: &[u8], now: u64) {
        if let Some(number) = frames::number(digits).filter(|number| self.measured.contains(number)) {
            self.latencies.record(now.saturating_sub(self.due[number as usize % DUE]));
        }
    }
}
