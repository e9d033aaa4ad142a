//! As many deliveries as the hub can make.

use super::Scope;
use super::hub::Hub;
use super::orders::{Loaded, Order};
use super::results::{Results, Saturated, Spread};
use super::stand::Stand;
use crate::kit::Outcome;

/// Above this share of its core, the generator is what was measured.
pub(crate) const LIMIT: f64 = 0.95;

/// With at least so many messages under way, our log on disk is measured, too.
const DURABLE: [u64; 2] = [32, 128];

/// Measures every number of guests with every number of messages under way.
pub(crate) async fn measure(scope: &Scope, results: &mut Results) -> Outcome<()> {
    for guests in scope.guests_or(&[100, 1000, 5000]) {
        results.saturation.retain(|row| row.guests != guests);
        let mut stands = Vec::new();
        for hub in hubs(scope, guests) {
            let mut stand = Stand::open(hub).await?;
            stand.join(guests).await?;
            stands.push(stand);
        }
        for window in scope.windows_or(&[1, 32, 128, 1024]) {
            let mut chosen: Vec<_> =
                stands.iter_mut().filter(|stand| belongs(stand.hub, guests, window)).collect();
            let mut rounds: Vec<Vec<Loaded>> = vec![Vec::new(); chosen.len()];
            for _ in 0..scope.rounds {
                for (stand, rounds) in chosen.iter_mut().zip(&mut rounds) {
                    let order = Order::Saturate { window, span: scope.span(1.0) };
                    rounds.push(stand.load(&order).await?);
                }
            }
            let hubs: Vec<_> = chosen.iter().map(|stand| stand.hub).collect();
            for (index, hub) in hubs.iter().enumerate() {
                let beside = hub.beside().and_then(|other| hubs.iter().position(|hub| *hub == other));
                let row = row(guests, window, *hub, &rounds[index], beside.map(|at| (hubs[at], &rounds[at])));
                row.tell();
                results.saturation.push(row);
            }
        }
        for stand in stands {
            stand.close().await?;
        }
    }
    results.saturation.sort_by_key(|row| (row.guests, row.window));
    Ok(())
}

fn hubs(scope: &Scope, guests: usize) -> Vec<Hub> {
    let mut hubs = vec![Hub::FloorTogether, Hub::Room, Hub::Durable];
    if guests == 1000 {
        hubs.insert(0, Hub::FloorEach);
        hubs.extend(scope.peers.iter().copied());
    }
    hubs
}

fn belongs(hub: Hub, guests: usize, window: u64) -> bool {
    match hub {
        Hub::Durable => DURABLE.contains(&window),
        // Without gathering there is nothing to learn from more messages, but much to wait for.
        Hub::FloorEach | Hub::Node => guests == 1000 && window <= DURABLE[0],
        _ => true,
    }
}

fn row(
    guests: usize,
    window: u64,
    hub: Hub,
    rounds: &[Loaded],
    beside: Option<(Hub, &Vec<Loaded>)>,
) -> Saturated {
    let speeds = |rounds: &[Loaded]| rounds.iter().map(Loaded::speed).collect::<Vec<_>>();
    let most = rounds.iter().map(|round| round.generator_cpu / round.seconds).fold(0.0, f64::max);
    let all = |of: fn(&Loaded) -> f64| rounds.iter().map(of).sum::<f64>();
    let deliveries = all(|round| round.deliveries as f64);
    Saturated {
        guests,
        window,
        hub: hub.name().into(),
        deliveries: Spread::of(speeds(rounds)),
        server: Spread::of(rounds.iter().map(Loaded::server_each)),
        ratio: beside.map(|(_, other)| Spread::of_ratios(&speeds(rounds), &speeds(other))),
        beside: beside.map(|(hub, _)| hub.name().into()),
        together: deliveries / all(|round| round.reads as f64),
        bytes: all(|round| round.bytes as f64) / deliveries,
        generator: most,
    }
}

impl Saturated {
    fn tell(&self) {
        let Self { guests, window, hub, deliveries, server, generator, .. } = self;
        let ratio = self.ratio.zip(self.beside.as_deref());
        let ratio = ratio.map_or_else(String::new, |(ratio, beside)| format!(", {ratio} of {beside}"));
        let limit = if *generator >= LIMIT { ", THE GENERATOR WAS THE LIMIT" } else { "" };
        eprintln!(
            "  {guests} guests, {window} under way, {hub}: {deliveries} a second, {server} µs of the server each, \
             {:.1} at once, generator {generator:.2}{ratio}{limit}",
            self.together,
        );
    }
}
