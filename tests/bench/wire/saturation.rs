//! As many deliveries as the hub can make.

use super::Arguments;
use super::hub::Hub;
use super::orders::{Order, Span};
use super::stand::Stand;
use crate::kit::Outcome;

pub(crate) async fn measure(arguments: &Arguments) -> Outcome<()> {
    for guests in &arguments.guests {
        let mut stands = Vec::new();
        for hub in [Hub::FloorEach, Hub::FloorTogether, Hub::Room, Hub::Durable] {
            let mut stand = Stand::open(hub).await?;
            let joined = stand.join(*guests).await?;
            eprintln!("{} {joined:?}", hub.name());
            stands.push(stand);
        }
        for window in &arguments.windows {
            for _ in 0..arguments.rounds.unwrap_or(5) {
                for stand in &mut stands {
                    let span = Span { warm: 0.3, measured: arguments.seconds.unwrap_or(1.0) };
                    let loaded = stand.load(&Order::Saturate { window: *window, span }).await?;
                    let deliveries = loaded.deliveries as f64;
                    println!(
                        "{guests} {window} {:20} {:8.0} k/s server {:.3} us {:.2} generator {:.3} us {:.2}, {:.1} per read, {:.0} bytes, {:.2}/{:.2} ms",
                        stand.hub.name(),
                        deliveries / loaded.seconds / 1e3,
                        loaded.server_cpu * 1e6 / deliveries,
                        loaded.server_cpu / loaded.seconds,
                        loaded.generator_cpu * 1e6 / deliveries,
                        loaded.generator_cpu / loaded.seconds,
                        deliveries / loaded.reads as f64,
                        loaded.bytes as f64 / deliveries,
                        loaded.median,
                        loaded.late,
                    );
                }
            }
        }
        for stand in stands {
            stand.close().await?;
        }
    }
    Ok(())
}
