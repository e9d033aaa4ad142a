//! How long a message takes while messages come at a pace.

use super::Scope;
use super::hub::Hub;
use super::orders::{Loaded, Order};
use super::results::{Paced, Results, Spread};
use super::stand::Stand;
use crate::kit::Outcome;

const HUBS: [Hub; 2] = [Hub::FloorTogether, Hub::Room];
const SPEAKERS: usize = 4;

/// Measures every rate.
pub(crate) async fn measure(scope: &Scope, results: &mut Results) -> Outcome<()> {
    results.paced.clear();
    let guests = scope.guests_or(&[1000])[0];
    let mut stands = Vec::new();
    for hub in HUBS {
        let mut stand = Stand::open(hub).await?;
        stand.join(guests).await?;
        stands.push(stand);
    }
    for rate in scope.rates_or(&[100.0, 250.0, 500.0, 1000.0, 1500.0]) {
        let mut rounds: [Vec<Loaded>; HUBS.len()] = Default::default();
        for _ in 0..scope.rounds {
            for (stand, rounds) in stands.iter_mut().zip(&mut rounds) {
                let (burst, span) = (scope.burst, scope.span(1.5));
                let order = Order::Pace { rate, burst, speakers: SPEAKERS, spin: true, span };
                rounds.push(stand.load(&order).await?);
            }
        }
        let floor = &rounds[0];
        for (hub, rounds) in HUBS.iter().zip(&rounds) {
            let ratio = |of: fn(&Loaded) -> f64| {
                let [ours, theirs] = [rounds, floor].map(|rounds| rounds.iter().map(of).collect::<Vec<_>>());
                hub.beside().map(|_| Spread::of_ratios(&ours, &theirs))
            };
            let row = Paced {
                rate,
                hub: hub.name().into(),
                median: Spread::of(rounds.iter().map(|round| round.median)),
                late: Spread::of(rounds.iter().map(|round| round.late)),
                server: Spread::of(rounds.iter().map(Loaded::server_each)),
                median_ratio: ratio(|round| round.median),
                late_ratio: ratio(|round| round.late),
                lag: rounds.iter().map(|round| round.lag).fold(0.0, f64::max),
            };
            row.tell(guests);
            results.paced.push(row);
        }
    }
    for stand in stands {
        stand.close().await?;
    }
    Ok(())
}

impl Paced {
    fn tell(&self, guests: usize) {
        let Self { rate, hub, median, late, server, lag, .. } = self;
        let ratio =
            self.late_ratio.map_or_else(String::new, |ratio| format!(", 99th {ratio} of the floor's"));
        eprintln!(
            "  {guests} guests, {rate} messages a second, {hub}: {median} ms, 99th {late} ms, {server} µs of the server \
             each, generator late by {lag:.2} ms{ratio}"
        );
    }
}
