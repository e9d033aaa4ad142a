use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

const DAY: u64 = 24 * 60 * 60;
const START: u64 = 1_800_000_000;

/// A machine whose clocks a test moves.
#[derive(Clone)]
struct Machine {
    wall: Arc<AtomicU64>,
    passed: Arc<AtomicU64>,
}

impl Machine {
    fn new() -> Self {
        Self { wall: Arc::new(START.into()), passed: Arc::new(5.into()) }
    }

    fn set(&self, wall: u64) {
        self.wall.store(wall, Ordering::Relaxed);
    }

    /// It is switched off for so long.
    fn is_off(&self, seconds: u64) {
        self.wall.fetch_add(seconds, Ordering::Relaxed);
        self.passed.store(3, Ordering::Relaxed);
    }

    fn sleeps(&self, seconds: u64) {
        self.wall.fetch_add(seconds, Ordering::Relaxed);
        self.passed.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clocks for Machine {
    fn wall(&self) -> u64 {
        self.wall.load(Ordering::Relaxed)
    }

    fn passed(&self) -> Duration {
        Duration::from_secs(self.passed.load(Ordering::Relaxed))
    }
}

/// The room is open for so long, and looks every ten seconds; whether it is to be wiped at the end.
fn open(machine: &Machine, count: &mut Count<Machine>, seconds: u64) -> bool {
    for _ in 0..seconds / 10 {
        machine.sleeps(10);
        count.look();
    }
    count.is_due()
}

/// A room that was confirmed now, for 30 days.
fn confirmed(machine: &Machine) -> Count<Machine> {
    Count::new(30, None, machine.clone())
}

/// It was closed, and is opened again.
fn again(machine: &Machine, count: &Count<Machine>) -> Count<Machine> {
    let mut count = Count::new(30, Some(count.kept()), machine.clone());
    count.look();
    count
}

#[test]
fn a_room_that_is_open_all_the_time_is_wiped_an_hour_after_its_days() {
    let machine = Machine::new();
    let mut count = confirmed(&machine);
    assert_eq!((count.seconds_left(), count.is_soon()), (30 * DAY, false));
    assert!(!open(&machine, &mut count, 22 * DAY));
    assert!(!count.is_soon());
    assert!(!open(&machine, &mut count, DAY));
    assert!(count.is_soon() && !count.is_overdue(), "less than a quarter is left");
    assert!(!open(&machine, &mut count, 7 * DAY));
    assert_eq!((count.is_overdue(), count.seconds_left()), (true, 3600));
    assert!(!open(&machine, &mut count, 3590));
    assert!(open(&machine, &mut count, 10));
    count.confirm();
    assert!(!count.is_due() && !count.is_soon());
    assert_eq!(count.seconds_left(), 30 * DAY);
}

#[test]
fn a_clock_that_is_set_while_the_room_is_open_changes_nothing() {
    let machine = Machine::new();
    machine.set(100);
    let mut count = confirmed(&machine);
    // As on a machine without a battery, when it has reached a time server.
    for wall in [START, START + 400 * DAY, START - 400 * DAY, 0] {
        machine.set(wall);
        assert!(!open(&machine, &mut count, 2 * 3600));
        assert!(!count.is_overdue(), "{wall}");
        let left = 30 * DAY - count.seconds_left();
        assert!(left < 10 * 3600 && left > 0, "{left}");
    }
    // What is kept fits the new time.
    machine.set(START);
    open(&machine, &mut count, 10);
    machine.is_off(29 * DAY);
    assert!(!again(&machine, &count).is_overdue());
    machine.is_off(DAY);
    assert!(again(&machine, &count).is_overdue());
}

#[test]
fn a_clock_that_goes_wrong_while_the_room_is_closed_wipes_nothing_within_the_hour() {
    let machine = Machine::new();
    let count = confirmed(&machine);
    machine.set(START + 400 * DAY);
    let mut count = again(&machine, &count);
    assert!(count.is_overdue());
    assert!(!open(&machine, &mut count, 3500));
    machine.set(START + 4000);
    assert!(count.look(), "called off");
    assert!(!count.is_overdue() && !count.is_soon());
    assert!(!open(&machine, &mut count, 2 * 3600));
    // Forwards again: another whole hour.
    let mut count = again(&machine, &count);
    machine.set(START + 400 * DAY);
    assert!(!open(&machine, &mut count, 3590));
    assert!(open(&machine, &mut count, 20));
}

#[test]
fn a_clock_that_goes_back_does_not_keep_the_room_for_ever() {
    let machine = Machine::new();
    let mut count = confirmed(&machine);
    for _ in 0..30 {
        machine.set(0);
        count = again(&machine, &count);
        assert!(!count.is_overdue());
        assert!(!open(&machine, &mut count, DAY));
    }
    assert!(count.is_overdue());
    assert!(open(&machine, &mut count, 3600));
}

#[test]
fn a_room_that_was_closed_for_too_long_is_open_for_an_hour_first() {
    let machine = Machine::new();
    let count = confirmed(&machine);
    machine.is_off(90 * DAY);
    let mut count = again(&machine, &count);
    assert_eq!((count.is_overdue(), count.is_due(), count.seconds_left()), (true, false, 3600));
    assert!(!open(&machine, &mut count, 3590));
    assert!(open(&machine, &mut count, 10));
    // The next start of a room that was killed then, too.
    assert!(again(&machine, &count).is_due());
}

#[test]
fn restarts_do_not_begin_the_hour_anew_nor_end_it_at_once() {
    let machine = Machine::new();
    let mut count = confirmed(&machine);
    machine.is_off(31 * DAY);
    let mut starts = 0;
    while !count.is_due() {
        machine.is_off(2);
        count = again(&machine, &count);
        starts += 1;
    }
    assert_eq!(starts, 361, "each counts for ten seconds");
    count.confirm();
    let mut minutes = 0;
    machine.is_off(31 * DAY);
    while !count.is_due() {
        count = again(&machine, &count);
        open(&machine, &mut count, 60);
        minutes += 1;
    }
    assert!((50..=60).contains(&minutes), "{minutes}");
}

#[test]
fn a_machine_that_sleeps_is_not_open() {
    let machine = Machine::new();
    let mut count = confirmed(&machine);
    machine.sleeps(40 * DAY);
    assert!(!count.look() && !count.is_due() && count.is_overdue());
    for _ in 0..100 {
        machine.sleeps(DAY);
        count.look();
    }
    assert!(!count.is_due(), "a process that is stopped and goes on for a moment has not warned for an hour");
}
