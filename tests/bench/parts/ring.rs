//! The ring of a room that has been talking for a while: it is full, and every event pushes one out.

use bytes::BytesMut;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use onionroom::hub::reader::BATCH_BYTES;
use onionroom::hub::ring::{RING_BYTES, Ring};
use onionroom::protocol::frame;

use super::sample::message;

#[divan::bench]
fn push(bencher: Bencher<'_, '_>) {
    let (mut ring, json) = full();
    let mut seq = RING_BYTES as u64;
    bencher.bench_local(|| {
        seq += 1;
        ring.push(black_box(&json), seq);
    });
}

/// For a reader who is so many messages behind, into memory of its own, as for a write.
#[divan::bench(args = [1, 32, 128])]
fn copy(bencher: Bencher<'_, '_>, messages: usize) {
    let (ring, json) = full();
    let position = ring.head() - (messages * framed(&json)) as u64;
    bencher.counter(ItemsCount::new(messages)).bench(|| read_from(&ring, position));
}

/// For a reader who has not read for as long as the ring reaches back.
#[divan::bench]
fn copy_whole_ring(bencher: Bencher<'_, '_>) {
    let (ring, json) = full();
    let messages = RING_BYTES / framed(&json);
    let position = ring.head() - (messages * framed(&json)) as u64;
    bencher.counter(ItemsCount::new(messages)).bench(|| read_from(&ring, position));
}

/// Copies everything up to the head, as much at once as goes into one write.
fn read_from(ring: &Ring, mut position: u64) {
    while position < ring.head() {
        let mut out = BytesMut::new();
        let copied = ring.copy(black_box(position), BATCH_BYTES, &mut out).expect("the ring has it");
        position = copied.position;
        black_box(out);
    }
}

/// A full ring, and the event that it is full of.
fn full() -> (Ring, String) {
    let (mut ring, json) = (Ring::new(RING_BYTES), message().event().encode());
    // Once and a half around, so that the bytes have their seam in the middle.
    (1..=RING_BYTES * 3 / 2 / framed(&json)).for_each(|seq| ring.push(&json, seq as u64));
    (ring, json)
}

/// How many bytes an event has in the ring.
fn framed(json: &str) -> usize {
    frame::header(json.len()).as_slice().len() + json.len()
}
