//! The picture for the documentation.

use std::time::Duration;

use super::measure::Measured;
use crate::kit::figures;
use crate::kit::svg::Svg;

const WIDTH: f64 = 960.0;
const TOP: f64 = 92.0;
const ROW: f64 = 52.0;
const NAMES: f64 = 24.0;

/// Where a panel begins and how wide it is.
type Panel = (f64, f64);

const DELAY: Panel = (236.0, 330.0);
const MESSAGE: Panel = (606.0, 70.0);
const IDLE: Panel = (796.0, 54.0);

/// The ends of the delays' axis, in seconds; each line is ten times the one before.
const SHORTEST: f64 = 1e-4;
const LONGEST: f64 = 1.0;

/// Draws both measurements of the same transports.
pub(crate) fn draw(loopback: &[Measured], tor: &[Measured]) -> String {
    let rows = tor.len() as f64;
    let bottom = TOP + rows * ROW;
    let mut svg = Svg::begin(WIDTH, bottom + 66.0, "Five transports: delay, bytes and requests");
    delay_axis(&mut svg, bottom);
    svg.text(DELAY.0, 34.0, "head", "from say to seen");
    key(&mut svg, 54.0);
    svg.text(MESSAGE.0, 34.0, "head", "for each message");
    svg.text(MESSAGE.0, 54.0, "soft", "bytes, requests");
    svg.text(IDLE.0, 34.0, "head", "for an idle minute");
    svg.text(IDLE.0, 54.0, "soft", "bytes, requests");

    let most = |of: fn(&Measured) -> f64| tor.iter().map(of).fold(1.0, f64::max);
    let (message_most, idle_most) = (most(|it| it.bytes_per_message), most(|it| it.bytes_per_idle_minute));
    for (number, (near, far)) in loopback.iter().zip(tor).enumerate() {
        let y = TOP + (number as f64 + 0.5) * ROW;
        let mut name = far.transport.name().splitn(2, ", ");
        let first = name.next().unwrap_or_default();
        match name.next() {
            Some(second) => {
                svg.text(NAMES, y - 3.0, "", first);
                svg.text(NAMES, y + 14.0, "soft", second);
            }
            None => svg.text(NAMES, y + 5.0, "", first),
        }
        delay(&mut svg, y - 8.0, "near", near);
        delay(&mut svg, y + 8.0, "tor", far);
        let costs = [
            (MESSAGE, far.bytes_per_message, message_most, far.requests_per_message),
            (IDLE, far.bytes_per_idle_minute, idle_most, far.requests_per_idle_minute),
        ];
        for (panel, bytes, most, requests) in costs {
            bar(&mut svg, panel, y, bytes / most, &figures::bytes(bytes), &figures::number(requests));
        }
    }
    let key =
        "Dot: the median. Line: up to the 99th percentile. Bytes, both ways, and requests: through Tor.";
    svg.text(NAMES, bottom + 48.0, "soft", key);
    svg.end()
}

/// What the marks mean.
fn key(svg: &mut Svg, y: f64) {
    let marks = [("near", "on the loopback"), ("tor", "through Tor")];
    let mut x = DELAY.0 + 5.0;
    for (class, words) in marks {
        svg.put(format_args!("<circle cx=\"{x}\" cy=\"{}\" r=\"4.5\" class=\"{class}\"/>", y - 4.0));
        svg.text(x + 10.0, y, "soft", words);
        x += 118.0;
    }
}

fn delay_axis(svg: &mut Svg, bottom: f64) {
    let mut seconds = SHORTEST;
    while seconds <= LONGEST * 1.01 {
        let x = place(Duration::from_secs_f64(seconds));
        svg.put(format_args!(
            "<line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" class=\"line\"/>",
            TOP - 14.0
        ));
        let words = match seconds {
            ..0.9e-3 => "0.1 ms".to_owned(),
            ..0.9 => format!("{:.0} ms", seconds * 1e3),
            _ => "1 s".to_owned(),
        };
        svg.text(x, bottom + 18.0, "soft middle", &words);
        seconds *= 10.0;
    }
}

/// A dot at the median and a line to the 99th percentile.
fn delay(svg: &mut Svg, y: f64, class: &str, measured: &Measured) {
    let (median, late) = (place(measured.delay.median()), place(measured.delay.percentile(99)));
    svg.put(format_args!("<path d=\"M{median:.1} {y:.1}H{late:.1}m0 -4v8\" class=\"{class}\"/>"));
    svg.put(format_args!("<circle cx=\"{median:.1}\" cy=\"{y:.1}\" r=\"4.5\" class=\"{class}\"/>"));
}

fn bar(svg: &mut Svg, (x, width): Panel, y: f64, share: f64, bytes: &str, requests: &str) {
    let width = (width * share).max(1.5);
    let top = y - 8.0;
    svg.put(format_args!(
        "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"16\" rx=\"2\" class=\"bar\"/>"
    ));
    svg.text(x + width + 7.0, y + 5.0, "", &format!("{bytes}<tspan class=\"soft\">, {requests}</tspan>"));
}

/// Where a delay stands on its axis.
fn place(delay: Duration) -> f64 {
    let share = (delay.as_secs_f64() / SHORTEST).log10() / (LONGEST / SHORTEST).log10();
    DELAY.0 + DELAY.1 * share.clamp(0.0, 1.0)
}
