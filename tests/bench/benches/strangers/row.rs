//! The figures of one build in one period of one attack, over all rounds; the document and the table.

use std::collections::BTreeMap;

use onionroom_bench::summary::Summary;
use serde::Serialize;

use crate::attack::Deeds;
use crate::ledger::Period;
use crate::phase::{Cpu, Measured};

/// One line of the table. Times are in milliseconds unless their names say otherwise.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    program: String,
    attack: &'static str,
    /// `alone`, `another room` (the control), or `this room`.
    target: &'static str,
    say_to_seen_median_ms: Summary,
    say_to_seen_p99_ms: Summary,
    /// The ratio to the period alone in the same room.
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_to_alone: Option<Summary>,
    /// The ratio to the same traffic to another room.
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_to_control: Option<Summary>,
    acknowledged_median_ms: Summary,
    acknowledged_p99_ms: Summary,
    /// Sums of all rounds from here to `reasons`.
    messages: u64,
    lost: u64,
    duplicates: u64,
    unacknowledged: u64,
    put_out: u64,
    forgotten: u64,
    joins: u64,
    joined: u64,
    joined_at_once: u64,
    join_median_ms: Summary,
    reasons: BTreeMap<String, u64>,
    resident_before_bytes: Summary,
    resident_peak_bytes: Summary,
    resident_after_bytes: Summary,
    /// CPU seconds for each second, by who spent them.
    cores: Cores,
    /// Of each round.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attackers: Vec<Attackers>,
}

#[derive(Debug, Serialize)]
struct Cores {
    room: Summary,
    /// Seconds for each second in which the room was ready to run and had no core.
    room_waited: Summary,
    other_room: Summary,
    relays: Summary,
    honest: Summary,
    attackers: Summary,
    all: Summary,
}

#[derive(Debug, Serialize)]
struct Attackers {
    circuits: usize,
    circuits_at_once: usize,
    #[serde(flatten)]
    deeds: Deeds,
}

/// Explains the table; printed above it.
const EXPLANATION: &str = "Rooms, guests, attackers, their two Tor clients and all relays share the cores of this \
machine: a flood slows everybody, also when it goes to another room. The ratio to that is the room's own share.";

const HEAD: &str = "\
| program | traffic | to | say-to-seen, median | 99th percentile | to alone | to another room | acknowledged, 99th \
| messages | lost | duplicated | unacknowledged | put out | joins in 30 s | at once | welcome, median | memory, peak \
| after | CPU, room | waited | CPU, all |\n|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

impl Row {
    /// The rows of one attack: `rounds` has the periods of each round, in the same order.
    pub(crate) fn of(program: &str, attack: &'static str, rounds: &[Vec<Measured>]) -> Vec<Self> {
        let periods = rounds.first().map_or(0, Vec::len);
        let column = |index: usize| rounds.iter().map(|round| &round[index]).collect::<Vec<_>>();
        let control = (0..periods).map(column).find(|column| column[0].period == Period::Beside);
        let alone = (periods > 0).then(|| column(0));
        (0..periods)
            .map(|index| Self::one(program, attack, &column(index), alone.as_deref(), control.as_deref()))
            .collect()
    }

    fn one(
        program: &str,
        attack: &'static str,
        rounds: &[&Measured],
        alone: Option<&[&Measured]>,
        control: Option<&[&Measured]>,
    ) -> Self {
        let period = rounds[0].period;
        let p99 = |round: &&Measured| round.figures.seen.quantile_ms(0.99);
        let sum = |count: fn(&Measured) -> u64| rounds.iter().map(|round| count(round)).sum();
        let of = |figure: fn(&Measured) -> f64| Summary::of(rounds.iter().map(|round| figure(round)));
        let cores =
            |who: fn(Cpu) -> f64| Summary::of(rounds.iter().map(|round| who(round.cpu) / round.seconds));
        let ratio = |others: &[&Measured]| Summary::of_ratios(rounds, others, p99);
        let mut reasons = BTreeMap::new();
        for (reason, count) in rounds.iter().flat_map(|round| &round.figures.reasons) {
            *reasons.entry(reason.clone()).or_default() += count;
        }
        Self {
            program: program.to_owned(),
            attack,
            target: match period {
                Period::Against => "this room",
                Period::Beside => "another room",
                Period::Alone | Period::Between => "alone",
            },
            say_to_seen_median_ms: of(|round| round.figures.seen.quantile_ms(0.5)),
            say_to_seen_p99_ms: Summary::of(rounds.iter().map(p99)),
            p99_to_alone: alone.filter(|_| period != Period::Alone).map(ratio),
            p99_to_control: control.filter(|_| period == Period::Against).map(ratio),
            acknowledged_median_ms: of(|round| round.figures.acknowledged.quantile_ms(0.5)),
            acknowledged_p99_ms: of(|round| round.figures.acknowledged.quantile_ms(0.99)),
            messages: sum(|round| round.figures.messages),
            lost: sum(|round| round.figures.lost),
            duplicates: sum(|round| round.figures.duplicates),
            unacknowledged: sum(|round| round.figures.unacknowledged),
            put_out: sum(|round| round.figures.put_out),
            forgotten: sum(|round| round.figures.forgotten),
            joins: sum(|round| round.figures.joins),
            joined: sum(|round| round.figures.joined),
            joined_at_once: sum(|round| round.figures.joined_at_once),
            join_median_ms: of(|round| round.figures.joining.quantile_ms(0.5)),
            reasons,
            resident_before_bytes: of(|round| round.resident[0] as f64),
            resident_peak_bytes: of(|round| round.resident[1] as f64),
            resident_after_bytes: of(|round| round.resident[2] as f64),
            cores: Cores {
                room: cores(|cpu| cpu.room),
                room_waited: cores(|cpu| cpu.room_waited),
                other_room: cores(|cpu| cpu.other_room),
                relays: cores(|cpu| cpu.relays),
                honest: cores(|cpu| cpu.honest),
                attackers: cores(|cpu| cpu.attackers),
                all: cores(Cpu::sum),
            },
            attackers: rounds
                .iter()
                .filter_map(|round| {
                    let [circuits, circuits_at_once] = round.circuits;
                    Some(Attackers { circuits, circuits_at_once, deeds: round.deeds.clone()? })
                })
                .collect(),
        }
    }

    fn line(&self) -> String {
        let share = |count: u64| match self.joins {
            0 => "—".to_owned(),
            joins => format!("{:.0} %", count as f64 * 100.0 / joins as f64),
        };
        let ratio = |ratio: Option<Summary>| ratio.map_or_else(String::new, |ratio| ratio.to_string());
        let megabytes = |bytes: Summary| format!("{:.0} MB", bytes.median / 1e6);
        let cells = [
            self.program.clone(),
            self.attack.to_owned(),
            self.target.to_owned(),
            format!("{} ms", self.say_to_seen_median_ms),
            format!("{} ms", self.say_to_seen_p99_ms),
            ratio(self.p99_to_alone),
            ratio(self.p99_to_control),
            format!("{} ms", self.acknowledged_p99_ms),
            self.messages.to_string(),
            self.lost.to_string(),
            self.duplicates.to_string(),
            self.unacknowledged.to_string(),
            self.put_out.to_string(),
            share(self.joined),
            share(self.joined_at_once),
            format!("{:.0} ms", self.join_median_ms.median),
            megabytes(self.resident_peak_bytes),
            megabytes(self.resident_after_bytes),
            format!("{:.2}", self.cores.room.median),
            format!("{:.2}", self.cores.room_waited.median),
            format!("{:.2}", self.cores.all.median),
        ];
        format!("| {} |", cells.join(" | "))
    }

    /// What the room and Tor refused, and what the attackers did.
    fn remarks(&self) -> Vec<String> {
        let Self { program, attack, target, .. } = self;
        let mut remarks = Vec::new();
        if !self.reasons.is_empty() {
            remarks.push(format!("{program}, {attack}, {target}: the honest met {:?}", self.reasons));
        }
        for Attackers { circuits, circuits_at_once, deeds } in &self.attackers {
            remarks.push(format!(
                "{program}, {attack}, {target}: the attackers had {circuits} circuits, {circuits_at_once} at once; {deeds:?}"
            ));
        }
        remarks
    }
}

/// Prints the remarks and the table to standard error.
pub(crate) fn print(rows: &[Row]) {
    for remark in rows.iter().flat_map(Row::remarks) {
        eprintln!("{remark}");
    }
    eprintln!("\n{EXPLANATION}\n\n{HEAD}");
    for row in rows {
        eprintln!("{}", row.line());
    }
}

/// Prints the lines of the table alone, while the measurement goes on.
pub(crate) fn print_progress(rows: &[Row]) {
    for row in rows {
        eprintln!("{}", row.line());
    }
}
