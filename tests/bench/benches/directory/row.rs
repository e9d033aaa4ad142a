//! The figures of a phase, over all rounds.

use onionroom_bench::summary::Summary;
use serde::Serialize;

use crate::room::Measured;

/// What a build does with the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// From the start with an empty data directory.
    First,
    /// From the start with the directory stored.
    Stored,
    /// From when the next directory is asked for, of which the difference is downloaded.
    Next,
    /// Nothing happens.
    Idle,
}

/// One phase of one build, once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) phase: Phase,
    /// From the beginning of the phase.
    pub(crate) complete_seconds: f64,
    /// The bytes that the caches have sent to it, as they are on the wire.
    pub(crate) received: f64,
    pub(crate) room: Measured,
    /// The room without Tor.
    pub(crate) control: Measured,
}

#[derive(Debug, Serialize)]
pub(crate) struct Row {
    relays: usize,
    program: String,
    phase: Phase,
    complete_seconds: Summary,
    received_bytes: Summary,
    cpu_seconds: Summary,
    resident_bytes: Summary,
    peak_bytes: Summary,
    stored_bytes: Summary,
    median_ms: Summary,
    p99_ms: Summary,
    p999_ms: Summary,
    longest_ms: Summary,
    /// See [`listener::Period::computed`].
    computed_p99_ms: Summary,
    computed_p999_ms: Summary,
    computed_longest_ms: Summary,
    control_p999_ms: Summary,
    control_longest_ms: Summary,
}

impl Row {
    /// Of samples of that phase.
    pub(crate) fn new(relays: usize, program: String, phase: Phase, samples: &[Sample]) -> Self {
        let summary = |figure: fn(&Sample) -> f64| Summary::of(samples.iter().map(figure));
        Self {
            relays,
            program,
            phase,
            complete_seconds: summary(|it| it.complete_seconds),
            received_bytes: summary(|it| it.received),
            cpu_seconds: summary(|it| it.room.cpu_seconds),
            resident_bytes: summary(|it| it.room.resident),
            peak_bytes: summary(|it| it.room.peak),
            stored_bytes: summary(|it| it.room.stored),
            median_ms: summary(|it| it.room.period.latency.median),
            p99_ms: summary(|it| it.room.period.latency.p99),
            p999_ms: summary(|it| it.room.period.latency.p999),
            longest_ms: summary(|it| it.room.period.latency.longest),
            computed_p99_ms: summary(|it| it.room.period.computed.p99),
            computed_p999_ms: summary(|it| it.room.period.computed.p999),
            computed_longest_ms: summary(|it| it.room.period.computed.longest),
            control_p999_ms: summary(|it| it.control.period.latency.p999),
            control_longest_ms: summary(|it| it.control.period.latency.longest),
        }
    }

    /// One line on standard error.
    pub(crate) fn print(&self) {
        let Self {
            relays,
            program,
            phase,
            complete_seconds,
            cpu_seconds,
            median_ms,
            p99_ms,
            p999_ms,
            longest_ms,
            ..
        } = self;
        eprintln!(
            "{relays} relays, {phase:?}, {program}: complete after {complete_seconds} s, {cpu_seconds} s CPU, {} MB received, resident \
             {} MB, peak {} MB, stored {} MB; median {median_ms} ms, 99th {p99_ms} ms, 99.9th {p999_ms} ms, longest {longest_ms} ms; \
             computed meanwhile: 99th {} ms, 99.9th {} ms, longest {} ms; without Tor 99.9th {} ms, longest {} ms",
            self.received_bytes.scaled(1e-6),
            self.resident_bytes.scaled(1e-6),
            self.peak_bytes.scaled(1e-6),
            self.stored_bytes.scaled(1e-6),
            self.computed_p99_ms,
            self.computed_p999_ms,
            self.computed_longest_ms,
            self.control_p999_ms,
            self.control_longest_ms,
        );
    }
}
