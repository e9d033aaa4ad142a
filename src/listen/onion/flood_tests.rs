//! Circuits without a use, without a network: they end, and never at the cost of the next one. The clock is paused.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use tokio::time::sleep;

use super::tests::{IDLE, PORT, PendingRendezvous, Room};
use super::*;

/// Lets every task run until it waits.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

/// Circuits under construction, as many as may be.
async fn all_building(room: &Room) -> Vec<PendingRendezvous> {
    let mut building = Vec::new();
    for _ in 0..PENDING_CIRCUITS_MAX {
        building.push(room.introduce().await.1);
    }
    settle().await;
    building
}

/// Guards: 64 circuits that were never built once refused every introduction, for as long as Arti tried.
#[tokio::test(start_paused = true)]
async fn circuits_that_are_never_built_do_not_keep_the_next_one_out() {
    let room = Room::open(8, 8);
    let mut building = all_building(&room).await;
    let last = building.split_off(1);
    let (client, rendezvous) = room.introduce().await;
    settle().await;
    assert!(!building[0].is_dropped(), "each construction gets its time");

    sleep(PENDING_LEAST).await;
    rendezvous.built();
    let _stream = client.connect().await;
    assert!(building[0].is_dropped(), "the oldest makes room");
    assert!(!last.iter().any(PendingRendezvous::is_dropped), "and only the oldest");
}

/// While a construction may still succeed, introductions wait where they can be ordered; none is dropped.
#[tokio::test(start_paused = true)]
async fn introductions_wait_for_a_place_and_take_the_first() {
    let room = Room::open(8, 8);
    let mut building = all_building(&room).await;
    let (waiting, rendezvous) = room.introduce().await;
    settle().await;
    assert_eq!(room.waiting(), 1);
    building.swap_remove(7).built();
    settle().await;
    assert_eq!(room.waiting(), 0);
    rendezvous.built();
    let _stream = waiting.connect().await;
    assert!(!building.iter().any(PendingRendezvous::is_dropped));
}

#[tokio::test(start_paused = true)]
async fn a_construction_has_a_deadline() {
    let room = Room::open(8, 8);
    let (_client, building) = room.introduce().await;
    sleep(RENDEZVOUS_TIMEOUT - Duration::from_secs(1)).await;
    assert!(!building.is_dropped());
    sleep(Duration::from_secs(2)).await;
    assert!(building.is_dropped());
}

/// Guards: circuits without streams once lived for as long as their clients liked.
#[tokio::test(start_paused = true)]
async fn a_circuit_without_streams_ends() {
    let mut room = Room::open(8, 8);
    let (never, used, in_use) = (room.client().await, room.client().await, room.client().await);
    let _there = (used.connect().await, in_use.connect().await);
    let (first, _second) = (room.arrival().await, room.arrival().await);
    sleep(IDLE + Duration::from_secs(1)).await;
    assert!(never.is_closed(), "it never had a stream");
    assert!(!used.is_closed() && !in_use.is_closed());

    drop(first);
    sleep(IDLE - Duration::from_secs(1)).await;
    assert!(!used.is_closed());
    sleep(Duration::from_secs(2)).await;
    assert!(used.is_closed() && !in_use.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_stream_prolongs_a_circuit_and_a_refused_one_does_not() {
    let mut room = Room::open(8, 8);
    let (returns, knocks) = (room.client().await, room.client().await);
    for _ in 0..3 {
        sleep(IDLE * 3 / 4).await;
        let _there = returns.connect().await;
        drop(room.arrival().await);
        if !knocks.is_closed() {
            knocks.refused(Some(PORT + 1)).await;
        }
    }
    assert!(!returns.is_closed());
    assert!(knocks.is_closed());
}

/// Guards: 4,096 idle circuits once refused every introduction.
#[tokio::test(start_paused = true)]
async fn at_the_limit_the_circuit_that_is_idle_for_longest_ends() {
    let mut room = Room::open(8, 8);
    let oldest = room.client().await;
    let _there = oldest.connect().await;
    let in_use = room.arrival().await;
    let mut idle = Vec::new();
    for _ in 0..IDLE_CIRCUITS_MAX {
        idle.push(room.client().await);
        settle().await;
    }
    assert!(!idle.iter().any(|client| client.is_closed()));

    let newcomer = room.client().await;
    let _there = newcomer.connect().await;
    assert!(idle[0].is_closed() && !idle[1].is_closed(), "only the first has to go");
    assert!(!oldest.is_closed(), "a circuit with a stream stays, however old");
    drop(in_use);
    settle().await;
    assert!(!oldest.is_closed() && !idle[1].is_closed(), "the newcomer has a stream: one place is free");
    let _newest = room.client().await;
    settle().await;
    assert!(idle[1].is_closed() && !oldest.is_closed(), "idle from when its last stream ended");
}
