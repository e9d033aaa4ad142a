//! The ring of events when it is full, so that each event overwrites another.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

use super::hub::{self, RING_BYTES, Ring};
use super::sample::message;

#[divan::bench]
fn push(bencher: Bencher<'_, '_>) {
    let (mut ring, json) = full();
    let mut seq = RING_BYTES as u64;
    bencher.bench_local(|| {
        seq += 1;
        hub::push(&mut ring, black_box(&json), seq);
    });
}

/// For a reader that is this many messages behind.
#[divan::bench(args = [1, 32, 128])]
fn copy(bencher: Bencher<'_, '_>, messages: usize) {
    let (ring, json) = full();
    read(bencher, &ring, &json, messages);
}

/// For a reader that is as far behind as the ring reaches.
#[divan::bench]
fn copy_whole_ring(bencher: Bencher<'_, '_>) {
    let (ring, json) = full();
    read(bencher, &ring, &json, RING_BYTES / hub::framed(&json));
}

fn read(bencher: Bencher<'_, '_>, ring: &Ring, json: &str, messages: usize) {
    let position = hub::position(ring, json, messages);
    let bencher = bencher.counter(ItemsCount::new(messages));
    bencher.bench(|| hub::read(ring, black_box(position), |bytes| drop(black_box(bytes))));
}

/// A full ring, and the event it is full of.
fn full() -> (Ring, String) {
    let (mut ring, json) = (Ring::new(RING_BYTES), message().event().encode());
    // One and a half rings, so that the end of the buffer is in the middle of the events.
    (1..=RING_BYTES * 3 / 2 / hub::framed(&json)).for_each(|seq| hub::push(&mut ring, &json, seq as u64));
    (ring, json)
}
