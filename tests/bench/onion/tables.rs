//! The tables, as they stand in docs/performance.md.

use std::time::Duration;

use super::load::{Load, Round};
use super::opening::Opening;
use super::service::Kind;
use super::start::Starts;
use super::visits::Visits;
use crate::kit::figures::{self, Sample, bytes, time};
use crate::kit::{Outcome, program};

pub(crate) fn starts(starts: &[(Kind, Starts)]) -> String {
    let head = ["", "address known", "Tor is ready", "says it is reachable", "first visitor is in"];
    let mut rows = Vec::new();
    for (kind, starts) in starts {
        for (data, start) in [("fresh", &starts.fresh), ("data kept", &starts.kept)] {
            let shown = [&start.address, &start.ready, &start.reachable, &start.visitor]
                .map(|sample| if sample.is_empty() { "—".to_owned() } else { time(sample.median()) });
            let [address, ready, reachable, visitor] = shown;
            rows.push([format!("{}, {data}", kind.name()), address, ready, reachable, visitor]);
        }
    }
    figures::table(head, &rows)
}

pub(crate) fn visits(loopback: &Visits, through_tor: &[(Kind, Visits)], guests: usize) -> String {
    let columns: Vec<&Visits> =
        std::iter::once(loopback).chain(through_tor.iter().map(|(_, visits)| visits)).collect();
    let row = |what: &str, sample: fn(&Visits) -> &Sample| {
        let cells = columns.iter().map(|visits| match sample(visits) {
            sample if sample.is_empty() => "—".to_owned(),
            sample => format!("{} ({})", time(sample.median()), time(sample.percentile(90))),
        });
        let mut row = vec![what.to_owned()];
        row.extend(cells);
        <[String; 4]>::try_from(row).unwrap_or_default()
    };
    let rows = [
        row("connection and handshake, new circuit", |visits| &visits.new_circuit),
        row("connection and handshake, circuit there", |visits| &visits.same_circuit),
        row("the handshake alone", |visits| &visits.handshake),
        row("message acknowledged, alone in the room", |visits| &visits.message),
        row(&format!("message acknowledged, {guests} guests"), |visits| &visits.message_to_all),
    ];
    let head = ["", "loopback", "through Tor, onionroom", "through Tor, C Tor's service"];
    figures::table(head, &rows)
}

pub(crate) fn weight(through_tor: &[(Kind, Visits)], guests: usize) -> Outcome<String> {
    let size = std::fs::metadata(program::ROOM)?.len();
    let rows: Vec<_> = through_tor
        .iter()
        .map(|(kind, visits)| {
            let (idle, full) = visits.memory;
            let each = full.saturating_sub(idle) / guests as u64;
            let [idle, full, each, peak] =
                [idle, full, each, visits.memory_peak].map(|memory| bytes(memory as f64));
            let (name, size) = match kind {
                Kind::Room => ("onionroom: Tor and room", bytes(size as f64)),
                Kind::CTor => ("C Tor, and onionroom without Tor behind it", "—".into()),
                Kind::Other(_) => (kind.name(), "—".into()),
            };
            [name.to_owned(), size, idle, full, each, peak]
        })
        .collect();
    let with = format!("resident with {guests} guests");
    let head = ["", "on disk", "resident, idle", &with, "for each guest", "the most, under load"];
    Ok(figures::table(head, &rows))
}

/// One row for each load and service, with how it compares to C Tor's in the same rounds.
pub(crate) fn loads(through_tor: &[(Kind, Visits)]) -> String {
    let beside = through_tor.iter().find(|(kind, _)| *kind == Kind::CTor).map(|(_, visits)| visits);
    let mut rows = Vec::new();
    let loads = beside.map_or(0, |visits| visits.loads.len());
    for load in 0..loads {
        for (kind, visits) in through_tor {
            let (Load { name, .. }, rounds) = &visits.loads[load];
            let beside = beside.map_or(rounds.as_slice(), |visits| &visits.loads[load].1);
            let median = |of: fn(&Round) -> f64| middle(rounds.iter().map(of).collect());
            let delays = |percent| {
                time(Duration::from_secs_f64(middle(
                    rounds.iter().map(|round| round.delays.percentile(percent).as_secs_f64()).collect(),
                )))
            };
            let compared = |of: &dyn Fn(&Round) -> f64| match kind {
                Kind::CTor => String::new(),
                _ => ratio(rounds, beside, of),
            };
            rows.push([
                format!("{name}: {}", kind.name()),
                format!("{:.1} µs", median(|round| round.computing)),
                compared(&|round| round.computing),
                delays(50),
                delays(99),
                compared(&|round| round.delays.percentile(99).as_secs_f64()),
                format!("{:.2}", median(|round| round.cells_each)),
                format!("{:.0} %", 100.0 * median(|round| round.cells.fullness())),
                bytes(median(|round| round.resident as f64)),
                rounds.iter().map(|round| round.lost).sum::<usize>().to_string(),
            ]);
        }
    }
    let head = [
        "",
        "computing for each delivery",
        "to C Tor's",
        "delay, median",
        "delay, 99th percentile",
        "to C Tor's",
        "cells for each delivery",
        "of them filled",
        "resident",
        "lost",
    ];
    figures::table(head, &rows)
}

/// The middle of the rounds' ratios, and the least and the largest of them.
fn ratio(rounds: &[Round], beside: &[Round], of: &dyn Fn(&Round) -> f64) -> String {
    let mut ratios: Vec<f64> =
        rounds.iter().zip(beside).map(|(round, beside)| of(round) / of(beside)).collect();
    ratios.sort_by(f64::total_cmp);
    let [least, largest] = [ratios.first(), ratios.last()].map(|ratio| ratio.copied().unwrap_or_default());
    format!("{:.2} ({least:.2}–{largest:.2})", middle(ratios))
}

fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

pub(crate) fn opening(opening: &Opening) -> String {
    let rows: Vec<_> = opening
        .steps
        .iter()
        .map(|(what, counts, took)| {
            [
                (*what).to_owned(),
                counts.requests.to_string(),
                figures::count(counts.up),
                figures::count(counts.down),
                time(*took),
            ]
        })
        .collect();
    figures::table(["up to here", "requests", "bytes up", "bytes down", "time"], &rows)
}
