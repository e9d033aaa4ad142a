use std::time::Duration;

use proptest::prelude::*;
use tokio::time::advance;

use super::*;

const HOST: CircuitId = CircuitId::LOOPBACK;

fn acquire(permits: &Permits, circuit: u64, count: usize) -> Vec<Permit> {
    std::iter::repeat_with(|| permits.try_acquire(CircuitId(circuit)).expect("a permit"))
        .take(count)
        .collect()
}

fn evicted(held: &[Permit]) -> Vec<usize> {
    let evicted = held.iter().enumerate().filter(|(_, permit)| permit.evicted().is_cancelled());
    evicted.map(|(place, _)| place).collect()
}

#[tokio::test(start_paused = true)]
async fn the_circuit_that_holds_most_gives_up_its_oldest_idle_connection() {
    let permits = Permits::new(10, 20);
    let held = acquire(&permits, 1, 10);
    for place in [0, 2] {
        advance(Duration::from_secs(1)).await;
        permits.0.clock.now();
        held[place].activity().touch();
    }
    let _other = acquire(&permits, 2, 3);
    assert_eq!(evicted(&held), [1, 3, 4]);
    let rest = acquire(&permits, 2, 2);
    assert_eq!(evicted(&held), [1, 3, 4, 5, 6]);
    assert!(permits.try_acquire(CircuitId(2)).is_none(), "five and five");
    assert!(permits.try_acquire(CircuitId(1)).is_none());
    drop(rest);
    acquire(&permits, 1, 1);
}

#[tokio::test]
async fn an_evicted_connection_that_ends_gives_nothing_back() {
    let permits = Permits::new(4, 20);
    let mut held = acquire(&permits, 1, 4);
    let _second = acquire(&permits, 2, 2);
    assert!(permits.try_acquire(CircuitId(2)).is_none());
    held.retain(|permit| !permit.evicted().is_cancelled());
    assert_eq!(held.len(), 2);
    assert!(permits.try_acquire(CircuitId(2)).is_none(), "its permit was given away before");
}

#[tokio::test]
async fn everybody_with_one_connection_is_left_alone_until_there_are_more_circuits_than_permits() {
    let permits = Permits::new(100, 20);
    let honest: Vec<_> = (1..=50).flat_map(|circuit| acquire(&permits, circuit, 1)).collect();
    let mut flood: Vec<_> = (1000..1050).flat_map(|circuit| acquire(&permits, circuit, 1)).collect();
    for circuit in 1000..1050 {
        flood.extend(permits.try_acquire(CircuitId(circuit)));
    }
    assert!(permits.try_acquire(CircuitId(2000)).is_none());
    assert!(evicted(&honest).is_empty() && evicted(&flood).is_empty());
}

#[tokio::test]
async fn the_reserve_is_for_this_machine_alone_which_has_its_share_beside() {
    let permits = Permits::new(4, 20);
    let held = acquire(&permits, 1, 4);
    assert!(permits.try_acquire(CircuitId(1)).is_none());
    let host = acquire(&permits, HOST.0, LOOPBACK_RESERVE);
    assert!(evicted(&held).is_empty());
    let more = acquire(&permits, HOST.0, 2);
    assert_eq!(evicted(&held).len(), 2);
    assert!(permits.try_acquire(HOST).is_none());
    drop((host, more));
    acquire(&permits, HOST.0, LOOPBACK_RESERVE + 2);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_is_forgotten_when_its_last_connection_has_ended_and_its_budget_is_full_again() {
    let permits = Permits::new(10, 20);
    drop(acquire(&permits, 1, 3));
    assert!(permits.state().circuits.is_empty());
    let held = acquire(&permits, 2, 2);
    assert!(held[0].budget().take(200).is_none());
    drop(held);
    let again = acquire(&permits, 2, 1);
    assert!(again[0].budget().take(200).is_some(), "a new connection does not fill the budget");
    drop(again);
    advance(Duration::from_secs(10)).await;
    drop(acquire(&permits, 3, 1));
    let state = permits.state();
    assert!(state.circuits.is_empty() && state.resting.is_empty() && state.taken == 0);
}

/// Behind a proxy strangers come with files as well: one address must not take all of them from the others, nor from the
/// host, and what comes through Tor has none to give.
#[tokio::test]
async fn files_are_shared_between_addresses_and_some_are_left_to_the_host() {
    let permits = Permits::new(100, 20);
    permits.limit_files(LOOPBACK_RESERVE + 10);
    let through_tor = acquire(&permits, 1, 20);
    let flood = acquire(&permits, CircuitId::of_address(4).0, 10);
    assert!(permits.try_acquire(CircuitId::of_address(4)).is_none(), "no circuit through Tor gives way");
    let _other = acquire(&permits, CircuitId::of_address(8).0, 5);
    assert_eq!(evicted(&flood).len(), 5);
    assert!(permits.try_acquire(CircuitId::of_address(8)).is_none(), "five and five");
    let _exported = acquire(&permits, CircuitId::of_tor_daemon(7).0, 1);
    let _host = acquire(&permits, HOST.0, LOOPBACK_RESERVE);
    assert!(evicted(&through_tor).is_empty());
    drop(flood);
    assert_eq!(permits.state().files, 6, "five of an address and one circuit of a Tor daemon");
    acquire(&permits, 1, 74);
}

proptest! {
    /// Whatever comes and goes: the count is right, the limit is kept, and none is evicted for one who holds as much.
    #[test]
    fn the_limit_is_kept_and_shares_are_fair(steps in prop::collection::vec((0u64..6, any::<bool>()), 1..300)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let permits = Permits::new(12, 20);
            let mut held: Vec<Permit> = Vec::new();
            for (circuit, comes) in steps {
                let count = |held: &[Permit], circuit: CircuitId| {
                    let all = held.iter().filter(|it| it.circuit == circuit && !it.evicted().is_cancelled());
                    all.count().saturating_sub(reserve(circuit))
                };
                let before: Vec<_> = (0..6).map(|id| count(&held, CircuitId(id))).collect();
                if comes {
                    held.extend(permits.try_acquire(CircuitId(circuit)));
                } else if let Some(place) = held.iter().position(|it| it.circuit.0 == circuit) {
                    held.swap_remove(place);
                }
                let after: Vec<_> = (0..6).map(|id| count(&held, CircuitId(id))).collect();
                let taken = permits.state().taken;
                assert_eq!(taken, after.iter().sum::<usize>());
                assert!(taken <= 12);
                for id in 0..6 {
                    if after[id] < before[id] && id as u64 != circuit {
                        assert!(before[id] >= before[circuit as usize] + 2);
                        assert_eq!(Some(&before[id]), before.iter().max());
                    }
                }
            }
        });
    }
}
