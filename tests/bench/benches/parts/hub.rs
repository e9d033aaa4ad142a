//! What the benchmarks need of the inside of the hub.

use bytes::BytesMut;
use onionroom::hub::reader::BATCH_BYTES;
pub(crate) use onionroom::hub::ring::{RING_BYTES, Ring};
use onionroom::protocol::{EncodedEvent, EventKind, GuestId, frame};

/// Appends one encoded event.
pub(crate) fn push(ring: &mut Ring, json: &str, seq: u64) {
    ring.push(EncodedEvent { kind: EventKind::Message, seq: Some(seq), json }, GuestId(1));
}

/// Reads everything from `position` on, as much at once as for one write; `each` gets the bytes of each read.
pub(crate) fn read(ring: &Ring, mut position: u64, each: impl Fn(BytesMut)) {
    while position < ring.head() {
        let mut out = BytesMut::new();
        let copied =
            ring.copy(position, BATCH_BYTES, &mut out).expect("the ring has not overwritten the position");
        position = copied.position;
        each(out);
    }
}

/// The position from which a ring of equal events has this many to read.
pub(crate) fn position(ring: &Ring, json: &str, events: usize) -> u64 {
    ring.head() - (events * framed(json)) as u64
}

/// Bytes of an event in the ring.
pub(crate) fn framed(json: &str) -> usize {
    frame::header(json.len()).as_slice().len() + json.len()
}
