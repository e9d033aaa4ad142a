//! Decoding a request, encoding an event, framing it.

use bytes::BytesMut;
use divan::{Bencher, black_box};
use onionroom::protocol::{Request, frame};

use super::sample::{message, text};

/// More than the message has.
const MESSAGE_BYTES: usize = 4096;

#[divan::bench]
fn decode_say(bencher: Bencher<'_, '_>) {
    let frame = format!(r#"{{"type":"say","id":"9f3c2b1a-17","text":"{}"}}"#, text());
    bencher.bench(|| Request::decode(black_box(&frame), MESSAGE_BYTES));
}

#[divan::bench]
fn encode(bencher: Bencher<'_, '_>) {
    let message = message();
    bencher.bench(|| black_box(&message).event().encode());
}

#[divan::bench]
fn frame_header(bencher: Bencher<'_, '_>) {
    let length = message().event().encode().len();
    bencher.bench(|| frame::header(black_box(length)));
}

#[divan::bench]
fn frame_append(bencher: Bencher<'_, '_>) {
    let json = message().event().encode();
    let mut out = BytesMut::with_capacity(MESSAGE_BYTES);
    bencher.bench_local(|| {
        out.clear();
        frame::text(black_box(&json), &mut out);
        black_box(&out);
    });
}
