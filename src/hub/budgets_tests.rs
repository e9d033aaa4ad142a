//! What guests, circuits and the room may publish.

use super::*;

const ANN: GuestId = GuestId(1);
const CIRCUIT: CircuitId = CircuitId(1);
const SECOND: Duration = Duration::from_secs(1);

/// One message a second for each guest and 12 at once; the room has eight a second, and 40 at once.
fn budgets() -> Budgets {
    Budgets::new(RateLimits::new(&RoomSettings {
        messages_per_minute: 60,
        messages_at_once: 12,
        room_messages_per_minute: 480,
        joins_per_minute: 60,
        ..RoomSettings::default()
    }))
}

/// How many messages are admitted at once.
fn at_once(budgets: &mut Budgets, guest: GuestId, circuit: CircuitId, now: Instant) -> usize {
    (0..1000).take_while(|_| budgets.charge_message(guest, circuit, 10, now).is_ok()).count()
}

#[test]
fn a_new_guest_begins_small_and_grows() {
    let (mut budgets, mut now) = (budgets(), Instant::now());
    assert_eq!(at_once(&mut budgets, ANN, CIRCUIT, now), 4);
    now += 3 * SECOND;
    assert_eq!(at_once(&mut budgets, ANN, CIRCUIT, now), 3);
    now += 60 * SECOND;
    assert_eq!(at_once(&mut budgets, ANN, CIRCUIT, now), 12);
}

#[test]
fn leaving_does_not_refill_a_bucket() {
    let (mut budgets, mut now) = (budgets(), Instant::now());
    assert_eq!(at_once(&mut budgets, ANN, CIRCUIT, now), 4);
    budgets.prune(|_| false, |_| false, now);
    assert_eq!(at_once(&mut budgets, ANN, CIRCUIT, now), 0);
    // Once it would be full it is forgotten, and a later one begins small again.
    now += 600 * SECOND;
    budgets.prune(|_| false, |_| false, now);
    assert_eq!((budgets.guests.len(), budgets.circuits.len()), (0, 0));
    assert_eq!(at_once(&mut budgets, ANN, CIRCUIT, now), 4);
    budgets.prune(|guest| guest == ANN, |_| false, now + 600 * SECOND);
    assert_eq!(budgets.guests.len(), 1, "a guest who is here keeps it");
}

#[test]
fn many_guests_of_one_circuit_share_one_budget() {
    let (mut budgets, now) = (budgets(), Instant::now());
    let said: usize = (1..=100).map(|guest| at_once(&mut budgets, GuestId(guest), CIRCUIT, now)).sum();
    assert!(said <= 24, "{said}");
    let later = now + 10 * SECOND;
    let said: usize = (1..=100).map(|guest| at_once(&mut budgets, GuestId(guest), CIRCUIT, later)).sum();
    assert!(said <= 24, "{said} after ten seconds");
}

/// Twenty circuits that publish all they can, for ten minutes, and a guest who says something every ten seconds.
#[test]
fn a_guest_who_speaks_rarely_does_not_wait_for_those_who_speak_always() {
    let (mut budgets, mut now) = (budgets(), Instant::now());
    let (mut flood, mut refused) = (0, 0);
    budgets.charge_join(CIRCUIT, now).unwrap();
    for tick in 0..6000 {
        now += SECOND / 10;
        if tick % 10 == 0 {
            budgets.prune(|_| true, |_| true, now);
        }
        for number in 0..20 {
            let (guest, circuit) = (GuestId(100 + number), CircuitId(100 + number));
            flood += at_once(&mut budgets, guest, circuit, now);
        }
        // A minute after she came: in the first she counts as one of them.
        if tick > 600 && tick % 100 == 99 && budgets.charge_message(ANN, CIRCUIT, 10, now).is_err() {
            refused += 1;
        }
    }
    assert_eq!(refused, 0);
    assert!((4600..5000).contains(&flood), "the rest of eight a second: {flood}");
}

/// Thirty guests who talk as people do, at the default limits, and circuits that begin to publish all they can after two
/// minutes. Returns the longest wait of a guest who talks, from the moment they wanted to.
fn longest_wait_of_thirty(circuits: u64) -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    let (mut budgets, begin) = (Budgets::new(RateLimits::new(&RoomSettings::default())), Instant::now());
    // Each says something every four seconds, beginning at different times.
    let mut wanted: Vec<Instant> = (0..30).map(|number| begin + number * 4 * SECOND / 30).collect();
    (0..30).for_each(|number| budgets.begin(GuestId(number), begin));
    let (mut now, mut longest) = (begin, Duration::ZERO);
    let mut again = vec![begin; circuits as usize];
    while now < begin + 180 * SECOND {
        now += TICK;
        if (now - begin).as_millis().is_multiple_of(1000) {
            budgets.prune(|_| true, |_| true, now);
        }
        if now > begin + 120 * SECOND {
            for (number, again) in (100..).zip(&mut again) {
                // With many guests on each circuit, whose own buckets are no limit.
                for guest in 0..100 {
                    if *again > now {
                        break;
                    }
                    let guest = GuestId(number * 1000 + guest);
                    while budgets.charge_message(guest, CircuitId(number), 3000, now).is_ok() {}
                }
                *again = now + 5 * TICK;
            }
        }
        for (number, wanted) in (0..).zip(&mut wanted) {
            if *wanted <= now
                && budgets.charge_message(GuestId(number), CircuitId(number + 1), 100, now).is_ok()
            {
                longest = longest.max(now - *wanted);
                *wanted = now + 4 * SECOND;
            }
        }
    }
    longest
}

#[test]
fn people_who_talk_do_not_wait_for_circuits_that_begin_to_flood() {
    for circuits in [1, 20, 200] {
        let longest = longest_wait_of_thirty(circuits);
        assert!(longest <= Duration::from_millis(100), "{circuits} circuits: {longest:?}");
    }
}

#[test]
fn a_long_text_costs_more() {
    let (mut budgets, now) = (budgets(), Instant::now());
    assert!(budgets.charge_message(ANN, CIRCUIT, 4096, now).is_ok());
    assert_eq!(at_once(&mut budgets, ANN, CIRCUIT, now), 0);
    // One that costs more than there can be is admitted when the buckets are full.
    let later = now + 600 * SECOND;
    assert!(budgets.charge_message(ANN, CIRCUIT, 32_000, later).is_ok());
    assert!(budgets.charge_message(ANN, CIRCUIT, 1, later + 20 * SECOND).is_err());
}

#[test]
fn joins_are_counted_by_circuit() {
    let (mut budgets, now) = (budgets(), Instant::now());
    let joins = |budgets: &mut Budgets, circuit, now| {
        (0..1000).take_while(|_| budgets.charge_join(circuit, now).is_ok()).count()
    };
    assert_eq!(joins(&mut budgets, CIRCUIT, now), 10);
    assert_eq!(joins(&mut budgets, CIRCUIT, now + 2 * SECOND), 2);
    assert_eq!(joins(&mut budgets, CircuitId(2), now), 10);
    assert_eq!(joins(&mut budgets, CircuitId::LOOPBACK, now), 100);
    assert_eq!(joins(&mut budgets, CircuitId::PROXY, now), 100);
    assert_eq!(joins(&mut budgets, CircuitId::of_tor_daemon(2), now), 10);
    assert_eq!(joins(&mut budgets, CircuitId::of_address(2), now), 10);
}

#[test]
fn without_limits_nothing_is_kept() {
    let mut budgets = Budgets::new(RateLimits::none());
    assert_eq!(at_once(&mut budgets, ANN, CIRCUIT, Instant::now()), 1000);
    assert!(budgets.charge_join(CIRCUIT, Instant::now()).is_ok());
    assert_eq!((budgets.guests.len(), budgets.circuits.len()), (0, 0));
}
