//! The picture for the documentation: deliveries over messages under way, and delays over the pace.

use super::hub::Hub;
use super::results::{Paced, Results, Saturated};
use crate::kit::svg::Svg;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 400.0;
const TOP: f64 = 92.0;
const BOTTOM: f64 = 344.0;
/// Where the panels begin, and how wide each is.
const DELIVERIES: f64 = 84.0;
const DELAYS: f64 = 560.0;
const PANEL: f64 = 360.0;
const GUESTS: usize = 1000;

/// A logarithmic axis.
#[derive(Clone, Copy)]
struct Axis {
    from: f64,
    to: f64,
    begin: f64,
    end: f64,
}

impl Axis {
    /// Over these values, from `begin` to `end` on the sheet, with a little room.
    fn over(values: impl Iterator<Item = f64>, begin: f64, end: f64) -> Self {
        let (least, most) =
            values.fold((f64::MAX, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
        Self { from: least * 0.8, to: most * 1.25, begin, end }
    }

    fn place(self, value: f64) -> f64 {
        let share = (value / self.from).ln() / (self.to / self.from).ln();
        self.begin + (self.end - self.begin) * share
    }

    /// The round numbers on it.
    fn marks(self) -> Vec<f64> {
        let mut marks: Vec<_> = (-3..8).map(|power| 10_f64.powi(power)).collect();
        marks.retain(|mark| (self.from..self.to).contains(mark));
        marks
    }
}

/// Draws it if both was measured.
pub(crate) fn draw(results: &Results) -> Option<String> {
    let saturated: Vec<_> = results.saturation.iter().filter(|row| row.guests == GUESTS).collect();
    if saturated.is_empty() || results.paced.is_empty() {
        return None;
    }
    let mut svg = Svg::begin(WIDTH, HEIGHT, "The hub beside the floor: deliveries and delays");
    svg.text(DELIVERIES - 60.0, 34.0, "head", "thousand deliveries a second, 1,000 guests");
    svg.text(DELAYS - 60.0, 34.0, "head", "99th percentile of the delay in ms, 1,000 guests");
    key(&mut svg);
    deliveries(&mut svg, &saturated);
    delays(&mut svg, &results.paced);
    Some(svg.end())
}

fn key(svg: &mut Svg) {
    let mut x = DELIVERIES - 55.0;
    for (class, words) in [("near", Hub::FloorTogether.name()), ("tor", Hub::Room.name())] {
        svg.put(format_args!("<circle cx=\"{x}\" cy=\"54\" r=\"4.5\" class=\"{class}\"/>"));
        svg.text(x + 10.0, 58.0, "soft", words);
        x += 120.0;
    }
}

fn deliveries(svg: &mut Svg, rows: &[&Saturated]) {
    let named = |name: &'static str| rows.iter().filter(move |row| row.hub == name);
    let all = || [Hub::FloorTogether, Hub::Room].into_iter().flat_map(|hub| named(hub.name()));
    let across = Axis::over(all().map(|row| row.window as f64), DELIVERIES, DELIVERIES + PANEL);
    let up = Axis::over(all().map(|row| row.deliveries.median / 1e3), BOTTOM, TOP);
    frame(svg, DELIVERIES, up, "messages under way");
    let mut windows: Vec<_> = all().map(|row| row.window).collect();
    windows.sort_unstable();
    windows.dedup();
    for window in windows {
        svg.text(across.place(window as f64), BOTTOM + 18.0, "soft middle", &window.to_string());
    }
    for (class, hub) in [("near", Hub::FloorTogether), ("tor", Hub::Room)] {
        let points = named(hub.name()).map(|row| {
            (
                across.place(row.window as f64),
                [row.deliveries.least, row.deliveries.median, row.deliveries.most]
                    .map(|value| up.place(value / 1e3)),
            )
        });
        line(svg, class, &points.collect::<Vec<_>>());
    }
}

fn delays(svg: &mut Svg, rows: &[Paced]) {
    let across = Axis::over(rows.iter().map(|row| row.rate), DELAYS, DELAYS + PANEL);
    let up = Axis::over(rows.iter().flat_map(|row| [row.late.least, row.late.most]), BOTTOM, TOP);
    frame(svg, DELAYS, up, "messages a second");
    let mut rates: Vec<_> = rows.iter().map(|row| row.rate as u64).collect();
    rates.dedup();
    for rate in rates {
        svg.text(across.place(rate as f64), BOTTOM + 18.0, "soft middle", &rate.to_string());
    }
    for (class, hub) in [("near", Hub::FloorTogether), ("tor", Hub::Room)] {
        let points = rows.iter().filter(|row| row.hub == hub.name()).map(|row| {
            (
                across.place(row.rate),
                [row.late.least, row.late.median, row.late.most].map(|value| up.place(value)),
            )
        });
        line(svg, class, &points.collect::<Vec<_>>());
    }
}

/// The lines at round numbers and what the panel goes over.
fn frame(svg: &mut Svg, left: f64, up: Axis, words: &str) {
    for mark in up.marks() {
        let y = up.place(mark);
        let right = left + PANEL;
        svg.put(format_args!(
            "<line x1=\"{left}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" class=\"line\"/>"
        ));
        svg.text(left - 8.0, y + 4.0, "soft end", &mark.to_string());
    }
    svg.text(left + PANEL / 2.0, BOTTOM + 38.0, "soft middle", words);
}

/// A dot at each median, its spread, and a line between.
fn line(svg: &mut Svg, class: &str, points: &[(f64, [f64; 3])]) {
    let mut path = String::new();
    for (x, [least, median, most]) in points {
        path.push_str(&format!("{}{x:.1} {median:.1}", if path.is_empty() { "M" } else { "L" }));
        svg.put(format_args!("<path d=\"M{x:.1} {least:.1}V{most:.1}\" class=\"{class}\"/>"));
    }
    svg.put(format_args!("<path d=\"{path}\" class=\"{class}\" style=\"fill:none\"/>"));
    for (x, [_, median, _]) in points {
        svg.put(format_args!("<circle cx=\"{x:.1}\" cy=\"{median:.1}\" r=\"4.5\" class=\"{class}\"/>"));
    }
}
