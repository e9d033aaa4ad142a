//! Coming in, and being there: handshakes, what joining weighs, silence.

use super::Scope;
use super::hub::{Hub, Setting};
use super::orders::{Knocked, Loaded, Order};
use super::results::{Handshakes, Idle, Joining, Results, Rooms, Spread};
use super::stand::{SERVER, Stand};
use crate::kit::Outcome;

/// How many are under way.
const AT_ONCE: usize = 64;
/// As long as it takes until everybody was asked once for a sign of life.
const PING: f64 = 45.0;
const ROOMS: usize = 100;
const ROOM_GUESTS: usize = 100;
/// In all rooms together, messages a second.
const ROOMS_RATE: f64 = 1000.0;

/// Handshakes a second, beside the floor's; and with hello and welcome.
pub(crate) async fn handshakes(scope: &Scope, results: &mut Results) -> Outcome<()> {
    results.handshakes.clear();
    // Whoever is gone is gone: thousands of reset guests a second are to leave no seats behind.
    let setting = Setting::default().with("ONIONROOM_ROOM_AWAY_SECONDS", 0);
    let mut stands = [
        (Stand::open(Hub::FloorTogether).await?, false),
        (Stand::open(Hub::Room).await?, false),
        (Stand::open_with(Hub::Room, SERVER, &setting).await?, true),
    ];
    let mut rounds: [Vec<Knocked>; 3] = Default::default();
    for _ in 0..scope.rounds {
        for ((stand, hello), rounds) in stands.iter_mut().zip(&mut rounds) {
            rounds.push(stand.knock(AT_ONCE, *hello, scope.span(1.5)).await?);
        }
    }
    let all = |rounds: &[Knocked], of: fn(&Knocked) -> f64| rounds.iter().map(of).collect::<Vec<_>>();
    let rate = |round: &Knocked| round.handshakes as f64 / round.seconds;
    let per_cpu = |round: &Knocked| round.handshakes as f64 / round.server_cpu;
    for ((stand, hello), knocked) in stands.iter().zip(&rounds) {
        let ratio = |of: fn(&Knocked) -> f64| {
            stand.hub.beside().map(|_| Spread::of_ratios(&all(knocked, of), &all(&rounds[0], of)))
        };
        let row = Handshakes {
            hub: stand.hub.name().into(),
            hello: *hello,
            rate: Spread::of(all(knocked, rate)),
            server: Spread::of(all(knocked, |round| round.server_cpu * 1e6 / round.handshakes as f64)),
            ratio: ratio(rate),
            cpu_ratio: ratio(per_cpu),
            generator: all(knocked, |round| round.generator_cpu / round.seconds)
                .into_iter()
                .fold(0.0, f64::max),
        };
        let what = if row.hello { "with hello" } else { "handshakes alone" };
        eprintln!("  {}, {what}: {} a second, {} µs of the server", row.hub, row.rate, row.server);
        results.handshakes.push(row);
    }
    for (stand, _) in stands {
        stand.close().await?;
    }
    Ok(())
}

/// What guests who come into one room receive, all of them together.
pub(crate) async fn joining(scope: &Scope, results: &mut Results) -> Outcome<()> {
    results.joining.clear();
    for guests in scope.guests_or(&[500, 1000, 2000]) {
        let mut stand = Stand::open(Hub::Room).await?;
        let joined = stand.join(guests).await?;
        stand.close().await?;
        let (bytes, seconds, server_cpu) = (joined.bytes, joined.seconds, joined.server_cpu);
        let row = Joining { guests, bytes, seconds, server_cpu };
        eprintln!("  {guests} guests: {bytes} bytes, {:.1} a guest", bytes as f64 / guests as f64);
        results.joining.push(row);
    }
    Ok(())
}

/// Many guests in one room who say nothing.
pub(crate) async fn idle(scope: &Scope, results: &mut Results) -> Outcome<()> {
    let guests = scope.guests_or(&[10_000])[0];
    let mut stand = Stand::open(Hub::Room).await?;
    let joined = stand.join(guests).await?;
    let rested = stand.rest(scope.seconds.unwrap_or(PING)).await?;
    stand.close().await?;
    if rested.dead > 0 {
        return Err(format!("{} CONNECTIONS BROKEN while nobody said anything", rested.dead).into());
    }
    let (before, after) = joined.resident;
    let each = |resident: u64| resident.saturating_sub(before) as f64 / guests as f64;
    let row = Idle {
        guests,
        bytes_each: each(after),
        bytes_each_after: each(rested.resident),
        seconds: rested.seconds,
        pings: rested.pings,
        cpu: rested.server_cpu / rested.seconds,
        joined_in: joined.seconds,
    };
    let Idle { bytes_each, pings, cpu, .. } = row;
    eprintln!("  {guests} guests: {bytes_each:.0} bytes each, {:.2} % CPU, {pings} pings", cpu * 100.0);
    results.idle = Some(row);
    Ok(())
}

/// Many rooms in one process: silent, and talking.
pub(crate) async fn rooms(scope: &Scope, results: &mut Results) -> Outcome<()> {
    let mut stand = Stand::open(Hub::Rooms(ROOMS)).await?;
    let joined = stand.join(ROOM_GUESTS).await?;
    let rested = stand.rest(scope.seconds.unwrap_or(5.0)).await?;
    let mut rounds: Vec<Loaded> = Vec::new();
    for _ in 0..scope.rounds {
        let (rate, span) = (ROOMS_RATE, scope.span(1.5));
        rounds.push(stand.load(&Order::Pace { rate, burst: 1, speakers: 4, spin: true, span }).await?);
    }
    stand.close().await?;
    let (before, after) = joined.resident;
    let row = Rooms {
        rooms: ROOMS,
        guests_each: ROOM_GUESTS,
        bytes_each: after.saturating_sub(before) as f64 / (ROOMS * ROOM_GUESTS) as f64,
        rate: ROOMS_RATE,
        median: Spread::of(rounds.iter().map(|round| round.median)),
        late: Spread::of(rounds.iter().map(|round| round.late)),
        server: Spread::of(rounds.iter().map(Loaded::server_each)),
        idle_cpu: rested.server_cpu / rested.seconds,
    };
    eprintln!("  {:.0} bytes for each guest, 99th {} ms", row.bytes_each, row.late);
    results.rooms = Some(row);
    Ok(())
}
