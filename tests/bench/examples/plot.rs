//! Draws the results of the wire benchmark:
//! `cargo run --release -p onionroom-bench --example plot -- docs/wire.json docs/images/wire.svg`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use onionroom_bench::report::Report;
use onionroom_bench::summary::Summary;
use onionroom_bench::{Outcome, exit};
use plotters::coord::Shift;
use plotters::prelude::*;
use serde::Deserialize;

const SIZE: (u32, u32) = (960, 400);
const COLORS: [RGBColor; 4] =
    [RGBColor(10, 122, 92), RGBColor(125, 70, 152), RGBColor(196, 107, 16), RGBColor(45, 105, 190)];

/// Draws a JSON document of the wire benchmark as SVG.
#[derive(Debug, Parser)]
struct Arguments {
    /// The document.
    json: PathBuf,
    /// The picture.
    svg: PathBuf,
    /// The number of guests whose results are drawn.
    #[arg(long, default_value_t = 1000)]
    guests: usize,
}

#[derive(Debug, Deserialize)]
struct Results {
    loads: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    server: String,
    guests: usize,
    load: Load,
    deliveries_per_second: Summary,
    latency: Option<Latency>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Load {
    Window(f64),
    Rate(f64),
}

#[derive(Debug, Deserialize)]
struct Latency {
    p99_ms: Summary,
}

/// The points of each server.
type Lines = BTreeMap<String, Vec<(f64, Summary)>>;

fn main() -> ExitCode {
    let Arguments { json, svg, guests } = Arguments::parse();
    exit(plot(&json, &svg, guests))
}

fn plot(json: &Path, svg: &Path, guests: usize) -> Outcome<()> {
    let report: Report<Results> = serde_json::from_str(&std::fs::read_to_string(json)?)?;
    let (mut closed, mut open) = (Lines::new(), Lines::new());
    for row in report.results.loads.into_iter().filter(|row| row.guests == guests) {
        let Row { server, load, deliveries_per_second: Summary { median, min, max }, latency, .. } = row;
        match (load, latency) {
            (Load::Window(window), _) => {
                let thousands = Summary { median: median / 1e3, min: min / 1e3, max: max / 1e3 };
                closed.entry(server).or_default().push((window, thousands));
            }
            (Load::Rate(rate), Some(latency)) => open.entry(server).or_default().push((rate, latency.p99_ms)),
            (Load::Rate(_), None) => {}
        }
    }
    let root = SVGBackend::new(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(SIZE.0 / 2);
    let caption = format!("thousand deliveries a second, {guests} guests");
    panel(&left, &caption, "messages in flight (window)", &closed)?;
    let caption = format!("99th percentile of the latency in ms, {guests} guests");
    panel(&right, &caption, "messages a second", &open)?;
    root.present()?;
    Ok(())
}

/// One diagram with logarithmic axes: medians, and bars from the smallest to the largest round.
fn panel(area: &DrawingArea<SVGBackend<'_>, Shift>, caption: &str, unit: &str, lines: &Lines) -> Outcome<()> {
    let points = || lines.values().flatten();
    if points().next().is_none() {
        return Ok(());
    }
    let x = range(points().map(|(x, _)| *x));
    let y = range(points().flat_map(|(_, summary)| [summary.min, summary.max]));
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 15))
        .margin(14)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(x.log_scale(), y.log_scale())?;
    let label = |value: &f64| value.to_string();
    let mesh = &mut chart.configure_mesh();
    mesh.x_desc(unit)
        .x_labels(5)
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .light_line_style(TRANSPARENT)
        .draw()?;
    for ((server, points), color) in lines.iter().zip(COLORS.iter().cycle()) {
        let median = points.iter().map(|(x, summary)| (*x, summary.median));
        let series = chart.draw_series(LineSeries::new(median, color.stroke_width(2)))?;
        series
            .label(server)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
        chart.draw_series(points.iter().map(|(x, Summary { median, min, max })| {
            ErrorBar::new_vertical(*x, *min, *median, *max, color.filled(), 6)
        }))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .label_font(("sans-serif", 13))
        .draw()?;
    Ok(())
}

/// From a little below the smallest value to a little above the largest.
fn range(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let (min, max) = (values.clone().fold(f64::MAX, f64::min), values.fold(0.0, f64::max));
    min / 1.3..max * 1.3
}
