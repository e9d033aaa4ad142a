//! What the others notice of a guest who is trouble.

use super::Scope;
use super::hub::{Hub, Setting};
use super::orders::{Loaded, Order, Trouble};
use super::results::{Results, Spread, Troubled};
use super::stand::{SERVER, Stand};
use crate::kit::Outcome;

const KINDS: [(Option<Trouble>, &str); 4] = [
    (None, "nobody"),
    (Some(Trouble::Stalled), "somebody who reads nothing"),
    (Some(Trouble::Slow), "somebody who reads 1 kB a second"),
    (Some(Trouble::Flooding), "somebody who says as much as they can"),
];
/// Messages a second.
const RATE: f64 = 250.0;

/// Measures the delay among many with each kind of trouble and without, in turn.
pub(crate) async fn measure(scope: &Scope, results: &mut Results) -> Outcome<()> {
    results.trouble.clear();
    let guests = scope.guests_or(&[1000])[0];
    // With the program's own limits: they are what holds a flood.
    let mut stand = Stand::open_with(Hub::Room, SERVER, &Setting::default().limited()).await?;
    stand.join(guests).await?;
    let rate = scope.rates_or(&[RATE])[0];
    let mut rounds: [Vec<Loaded>; KINDS.len()] = Default::default();
    for _ in 0..scope.rounds {
        for ((trouble, _), rounds) in KINDS.iter().zip(&mut rounds) {
            if let Some(trouble) = trouble {
                stand.admit(*trouble).await?;
            }
            // Everybody speaks, so that nobody says too much.
            let (burst, span) = (scope.burst, scope.span(2.0));
            let order = Order::Pace { rate, burst, speakers: guests, spin: true, span };
            rounds.push(stand.load(&order).await?);
            if trouble.is_some() {
                stand.expel().await?;
            }
        }
    }
    stand.close().await?;
    let late = |rounds: &[Loaded]| rounds.iter().map(|round| round.late).collect::<Vec<_>>();
    for ((trouble, guest), troubled) in KINDS.iter().zip(&rounds) {
        let row = Troubled {
            guest: (*guest).into(),
            median: Spread::of(troubled.iter().map(|round| round.median)),
            late: Spread::of(late(troubled)),
            late_ratio: trouble.map(|_| Spread::of_ratios(&late(troubled), &late(&rounds[0]))),
            flood: Spread::of(troubled.iter().map(|round| round.flooded as f64 / round.seconds)).median,
            resident: troubled.iter().map(|round| round.resident).max().unwrap_or_default(),
        };
        eprintln!("  {}: 99th of the others {} ms", row.guest, row.late);
        results.trouble.push(row);
    }
    Ok(())
}
