//! The page for the documentation: docs/wire.md, docs/wire.json and the picture.

use super::picture;
use super::results::{Results, Spread, small};
use super::saturation::LIMIT;
use crate::kit::figures::{self, table};
use crate::kit::{Outcome, docs};

const FIGURES: &str = "wire.json";
const PICTURE: &str = "images/wire.svg";

/// What the documentation has so far.
pub(crate) fn kept() -> Outcome<Results> {
    match std::fs::read_to_string(docs::file(FIGURES)) {
        Ok(text) => Ok(serde_json::from_str(&text)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Results::default()),
        Err(error) => Err(error.into()),
    }
}

/// Prints the tables; puts them, the figures and the picture into the documentation if they are meant for it.
pub(crate) fn show(results: &Results, for_docs: bool) -> Outcome<()> {
    let text = text(results);
    println!("{text}");
    let for_docs = for_docs && !cfg!(debug_assertions);
    let place = |name: &str| match for_docs {
        true => Ok(docs::file(name)),
        false => docs::scratch(name.trim_start_matches("images/")),
    };
    std::fs::write(place(FIGURES)?, serde_json::to_string_pretty(results)? + "\n")?;
    if let Some(picture) = picture::draw(results) {
        std::fs::write(place(PICTURE)?, picture)?;
    }
    if for_docs {
        docs::replace_measured("wire.md", &text)?;
    } else {
        println!("All figures are in {}.", place(FIGURES)?.display());
    }
    Ok(())
}

fn text(results: &Results) -> String {
    let mut parts = vec![format!("Measured {}.", docs::circumstances())];
    let mut part = |title: &str, table: Option<String>| {
        parts.extend(table.map(|table| format!("### {title}\n\n{table}")));
    };
    part("As many deliveries as possible", saturation(results));
    part("Messages at a pace", paced(results));
    part("Handshakes", handshakes(results));
    part("Coming into one room", joining(results));
    part("Silence", silence(results));
    part("One guest who is trouble", trouble(results));
    part("One worker thread or two", threads(results));
    parts.join("\n\n")
}

fn saturation(results: &Results) -> Option<String> {
    let rows: Vec<_> = results
        .saturation
        .iter()
        .map(|row| {
            let limit = if row.generator >= LIMIT { " †" } else { "" };
            [
                format!("{}, {}", figures::count(row.guests as u64), figures::count(row.window)),
                row.hub.clone(),
                format!("{}{limit}", figures::count((row.deliveries.median / 1e3).round() as u64)),
                small(row.server.median),
                figures::number(row.together),
                format!("{:.0}", row.bytes),
                row.ratio.as_ref().map_or_else(|| "—".into(), ratio),
            ]
        })
        .collect();
    let head = [
        "guests, messages under way",
        "hub",
        "thousand deliveries a second",
        "µs of the server for one",
        "messages a read brings",
        "bytes for one",
        "of the floor; on disk: of in memory",
    ];
    (!rows.is_empty()).then(|| noted(table(head, &rows)))
}

/// With what the mark means, if there is one.
fn noted(table: String) -> String {
    match table.contains('†') {
        true => {
            table
                + "\n† The generator had no time left: the hub could have done more, and only its CPU counts.\n"
        }
        false => table,
    }
}

fn paced(results: &Results) -> Option<String> {
    let rows: Vec<_> = results
        .paced
        .iter()
        .map(|row| {
            [
                figures::count(row.rate as u64),
                row.hub.clone(),
                small(row.median.median),
                row.late.to_string(),
                small(row.server.median),
                row.median_ratio.as_ref().map_or_else(|| "—".into(), ratio),
                row.late_ratio.as_ref().map_or_else(|| "—".into(), ratio),
            ]
        })
        .collect();
    let head = [
        "messages a second",
        "hub",
        "median, ms",
        "99th percentile, ms",
        "µs of the server for one delivery",
        "median, of the floor's",
        "99th, of the floor's",
    ];
    (!rows.is_empty()).then(|| table(head, &rows))
}

fn handshakes(results: &Results) -> Option<String> {
    let rows: Vec<_> = results
        .handshakes
        .iter()
        .map(|row| {
            let what = if row.hello { "handshake, hello, welcome" } else { "handshake" };
            let limit = if row.generator >= LIMIT { " †" } else { "" };
            [
                format!("{}: {what}", row.hub),
                format!("{}{limit}", figures::count(row.rate.median as u64)),
                small(row.server.median),
                row.ratio.as_ref().map_or_else(|| "—".into(), ratio),
                row.cpu_ratio.as_ref().map_or_else(|| "—".into(), ratio),
            ]
        })
        .collect();
    let head = [
        "",
        "a second",
        "µs of the server for one",
        "a second, of the floor",
        "for a second of CPU, of the floor",
    ];
    (!rows.is_empty()).then(|| noted(table(head, &rows)))
}

fn joining(results: &Results) -> Option<String> {
    let rows: Vec<_> = results
        .joining
        .iter()
        .map(|row| {
            [
                figures::count(row.guests as u64),
                figures::bytes(row.bytes as f64),
                figures::bytes(row.bytes as f64 / row.guests as f64),
                small(row.server_cpu * 1e6 / row.guests as f64),
            ]
        })
        .collect();
    let head = ["guests", "all of them receive", "each", "µs of the server for one"];
    (!rows.is_empty()).then(|| table(head, &rows))
}

fn silence(results: &Results) -> Option<String> {
    let kibibytes = |bytes: f64| format!("{:.1}", bytes / 1024.0);
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    let mut rows = Vec::new();
    if let Some(idle) = &results.idle {
        let guests = figures::count(idle.guests as u64);
        let name =
            format!("one room of {guests}; {} pings in {:.0} s", figures::count(idle.pings), idle.seconds);
        rows.push([name, kibibytes(idle.bytes_each), percent(idle.cpu), "—".into(), "—".into()]);
    }
    if let Some(rooms) = &results.rooms {
        rows.push([
            format!("{} rooms of {} in one process", rooms.rooms, rooms.guests_each),
            kibibytes(rooms.bytes_each),
            percent(rooms.idle_cpu),
            format!("{} / {}", small(rooms.median.median), small(rooms.late.median)),
            small(rooms.server.median),
        ]);
    }
    let head = [
        "",
        "KiB resident for each guest",
        "CPU in silence, of one core",
        "1,000 messages a second over all rooms: median / 99th, ms",
        "µs of the server for one delivery",
    ];
    (!rows.is_empty()).then(|| table(head, &rows))
}

fn trouble(results: &Results) -> Option<String> {
    let rows: Vec<_> = results
        .trouble
        .iter()
        .map(|row| {
            [
                row.guest.clone(),
                small(row.median.median),
                row.late.to_string(),
                row.late_ratio.as_ref().map_or_else(|| "—".into(), ratio),
                figures::bytes(row.resident as f64),
                figures::number(row.flood),
            ]
        })
        .collect();
    let head = [
        "among 1,000",
        "others' median, ms",
        "99th, ms",
        "99th, of that with nobody",
        "resident",
        "messages a second they could send",
    ];
    (!rows.is_empty()).then(|| table(head, &rows))
}

fn threads(results: &Results) -> Option<String> {
    let rows: Vec<_> = results
        .threads
        .iter()
        .map(|row| {
            let cores = if row.cores.contains(',') { "two cores" } else { "one core" };
            [
                format!(
                    "{cores}, {}, {} worker{}",
                    row.load,
                    row.threads,
                    if row.threads > 1 { "s" } else { "" }
                ),
                small(row.server.median),
                row.ratio.as_ref().map_or_else(|| "—".into(), ratio),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| table(["", "µs of the server for one delivery", "of one worker"], &rows))
}

/// A ratio and between which it was.
fn ratio(ratio: &Spread) -> String {
    format!("{:.2} ({:.2} to {:.2})", ratio.median, ratio.least, ratio.most)
}
