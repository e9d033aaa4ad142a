//! One worker thread or two.

use super::Scope;
use super::hub::{Hub, Setting};
use super::orders::{Loaded, Order};
use super::results::{Results, Spread, Threads};
use super::rooms;
use super::stand::{SERVER, Stand};
use crate::kit::Outcome;

const BOTH: &str = "0,1";
/// On both cores: so slow that hub and generator together do not fill them.
const RATE: f64 = 100.0;

/// Measures the same loads with one thread and with two.
pub(crate) async fn measure(scope: &Scope, results: &mut Results) -> Outcome<()> {
    results.threads.clear();
    let guests = scope.guests_or(&[1000])[0];
    let mut loads: Vec<(&str, String, Order)> = scope
        .windows_or(&[32, 128])
        .into_iter()
        .map(|window| {
            let order = Order::Saturate { window, span: scope.span(1.0) };
            (SERVER, format!("{window} under way"), order)
        })
        .collect();
    let (rate, burst, span) = (scope.rates_or(&[RATE])[0], scope.burst, scope.span(1.5));
    // Looking for events all the time would take the second core from the hub.
    let paced = Order::Pace { rate, burst, speakers: 4, spin: false, span };
    loads.push((BOTH, format!("{rate} messages a second"), paced));

    for (cores, load, order) in loads {
        let mut stands = Vec::new();
        for threads in [1, 2] {
            let setting = Setting::default().with(rooms::THREADS, threads);
            let mut stand = Stand::open_with(Hub::Rooms(1), cores, &setting).await?;
            stand.join(guests).await?;
            stands.push((threads, stand));
        }
        let mut rounds: [Vec<Loaded>; 2] = Default::default();
        for _ in 0..scope.rounds {
            for ((_, stand), rounds) in stands.iter_mut().zip(&mut rounds) {
                rounds.push(stand.load(&order).await?);
            }
        }
        let costs = |rounds: &[Loaded]| rounds.iter().map(Loaded::server_each).collect::<Vec<_>>();
        for ((threads, stand), loaded) in stands.into_iter().zip(&rounds) {
            stand.close().await?;
            let row = Threads {
                threads,
                cores: cores.into(),
                load: load.clone(),
                server: Spread::of(costs(loaded)),
                ratio: (threads > 1).then(|| Spread::of_ratios(&costs(loaded), &costs(&rounds[0]))),
            };
            eprintln!("  cores {cores}, {load}, {threads} threads: {} µs each", row.server);
            results.threads.push(row);
        }
    }
    Ok(())
}
