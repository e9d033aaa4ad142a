//! What an observer learns from the edges of the clock, by simulation: guests time each edge for a day, and fit a line.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use super::*;

const DAY: f64 = 86_400.0;

/// How finely the observer looks, in seconds: enough for the clock as it was, and for the noise, of which more is seen anyway.
const FINE: f64 = 0.09731;
const COARSE: f64 = 0.4733;

/// The skew of the host's clock, in parts per million; in the afternoon it is one more.
const SKEW_PPM: f64 = 20.0;
const WARMER_PPM: f64 = 1.0;

/// The host's clock at a true time.
fn host(time: f64) -> f64 {
    let warm = (time - DAY / 2.0).max(0.0);
    time + time * SKEW_PPM * 1e-6 + warm * WARMER_PPM * 1e-6
}

/// The true times at which a clock was first seen to show another second, and the second.
fn edges(every: f64, mut shown: impl FnMut(Duration) -> u64) -> Vec<(f64, f64)> {
    let (mut edges, mut before) = (Vec::new(), shown(Duration::ZERO));
    for glance in 1..(DAY / every) as u32 {
        let time = f64::from(glance) * every;
        let now = shown(Duration::from_secs_f64(host(time)));
        if now != before {
            edges.push((time, now as f64));
            before = now;
        }
    }
    edges
}

/// The same as it arrives, each edge up to 100 ms later.
fn through_a_network(edges: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut noise = Noise { seed: [9; 32], drawn: 0 };
    edges.iter().map(|(time, shown)| (time + noise.below(100_000) as f64 / 1e6, *shown)).collect()
}

/// The clock's rate beside true time by linear regression, in parts per million.
fn fit(edges: &[(f64, f64)]) -> f64 {
    let count = edges.len() as f64;
    let mean_time = edges.iter().map(|(time, _)| time).sum::<f64>() / count;
    let mean_error = edges.iter().map(|(time, shown)| shown - time).sum::<f64>() / count;
    let (mut products, mut squares) = (0.0, 0.0);
    for (time, shown) in edges {
        products += (time - mean_time) * (shown - time - mean_error);
        squares += (time - mean_time).powi(2);
    }
    products / squares * 1e6
}

/// The skew of the morning as the observer sees it, and by how much it rises in the afternoon.
fn learned(edges: &[(f64, f64)]) -> (f64, f64) {
    let noon = edges.partition_point(|(time, _)| *time < DAY / 2.0);
    let morning = fit(&edges[..noon]);
    (morning, fit(&edges[noon..]) - morning)
}

fn noisy(seed: u8) -> impl FnMut(Duration) -> u64 {
    let mut state = State::new(0, &[seed; 32], [seed.wrapping_add(100); 32]);
    move |elapsed| state.at(elapsed)
}

fn root_mean_square(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len() as f64;
    (numbers.map(|number| number * number).sum::<f64>() / count).sqrt()
}

/// The clock as it was: whole seconds of the host's. A day gives the skew, and a change of temperature within it.
#[test]
fn the_hosts_own_seconds_give_its_skew_away() {
    let exact = edges(FINE, |elapsed| elapsed.as_secs());
    for seen in [through_a_network(&exact), exact] {
        let (skew, rise) = learned(&seen);
        assert!((skew - SKEW_PPM).abs() < 0.05 && (rise - WARMER_PPM).abs() < 0.05, "{skew} {rise}");
    }
}

/// A displacement of each edge alone would not have helped.
#[test]
fn late_edges_average_out() {
    let mut noise = Noise { seed: [5; 32], drawn: 0 };
    let mut late: Vec<_> = edges(FINE, |elapsed| elapsed.as_secs());
    late.iter_mut().for_each(|(time, _)| *time += noise.below(EDGE_NANOS) as f64 / 1e9);
    let skew = fit(&late);
    assert!((skew - SKEW_PPM).abs() < 1.0, "{skew}");
}

/// Eight rooms on one host: what is seen says nothing of its skew, of a change in it, or of their being on one host.
#[test]
fn a_day_of_edges_does_not_give_the_skew_away() {
    let days: Vec<_> = (0..8).map(|seed| edges(COARSE, noisy(seed))).collect();
    for blur in [through_a_network, <[_]>::to_vec] {
        let learned: Vec<_> = days.iter().map(|day| learned(&blur(day))).collect();
        let skew = root_mean_square(learned.iter().map(|(skew, _)| skew - SKEW_PPM));
        let rise = root_mean_square(learned.iter().map(|(_, rise)| rise - WARMER_PPM));
        println!("error of the skew {skew:.1} ppm, of its rise {rise:.1} ppm");
        assert!(skew > 50.0 && rise > 25.0, "skew ±{skew}, rise ±{rise}");
    }
}

#[test]
fn a_day_is_a_day_within_a_minute() {
    for seed in 0..4 {
        let mut shown = noisy(seed);
        for day in 1..=10 {
            let off = shown(Duration::from_secs(day * 86_400)).abs_diff(day * 86_400);
            assert!(off <= day * 52 + 1, "{off} s in {day} days");
        }
    }
}

#[test]
fn it_never_goes_back_also_when_the_room_is_opened_again() {
    let mut shown = 0;
    for opened in 0..10 {
        let mut state = State::new(shown, &[1; 32], [opened; 32]);
        assert_eq!(state.at(Duration::ZERO) > shown, shown > 0, "the first shows zero");
        for step in 0..2000 {
            let now = state.at(Duration::from_millis(step * 270));
            assert!((shown..=shown + 61).contains(&now), "{shown} {now}");
            shown = now;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_goes_with_the_runtimes_time() {
    let clock = RoomClock::start(100, &[1; 32]);
    let before = clock.now();
    assert!((101..=160).contains(&before), "{before}");
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert!(clock.now().abs_diff(before + 3600) <= 4);
}

/// Guards against a time that goes back in the order of the log: another machine's clock may be ahead.
#[test]
fn another_machines_clock_puts_it_forward() {
    let mut clock = State::new(100, &[1; 32], [2; 32]);
    let shown = clock.at(Duration::ZERO);
    clock.at_least(shown + 30);
    assert_eq!(clock.at(Duration::from_millis(1)), shown + 30);
    clock.at_least(shown + 10);
    assert!((shown + 30..=shown + 31).contains(&clock.at(Duration::from_secs(1))));
    assert!(clock.at(Duration::from_secs(60)) > shown + 85, "it goes on from there");
    let before = clock.at(Duration::from_secs(60));
    clock.at_least(before + 100_000);
    assert_eq!(clock.at(Duration::from_secs(60)), before, "no clock is ahead by more than a day");
}
