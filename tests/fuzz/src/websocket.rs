//! Bytes after a WebSocket handshake. The first byte chooses how: bit 0 whether the rest is frames as they are or lines
//! that become text frames, bit 1 whether they come together with the handshake, the others how they are cut.

use serde_json::Value;

use super::exchange::{PORT, exchange};

/// More than this is not looked at, in bytes.
const INPUT_MAX: usize = 4096;

/// What the server may write unasked: the welcome, pings, a close.
const OUTPUT_BYTES: usize = 4096;

/// What it may write for each byte it was sent: the refusal of an empty frame of six bytes is the most.
const OUTPUT_FACTOR: usize = 64;

/// Whatever is sent after the handshake, what comes back is whole frames (RFC 6455, section 5.2) with JSON in the texts,
/// and not more than a multiple of what was sent.
pub fn run(data: &[u8]) {
    let Some((how, data)) = data.split_first() else { return };
    if data.len() > INPUT_MAX {
        return;
    }
    let frames = if how & 1 == 0 { data.to_vec() } else { text_frames(data) };
    let handshake = format!(
        "GET /chat HTTP/1.1\r\nHost: localhost:{PORT}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let cut = match usize::from(how >> 2) {
        0 => frames.len().max(1),
        bytes => bytes,
    };
    let written = if how & 2 == 0 {
        exchange(std::iter::once(handshake.as_bytes()).chain(frames.chunks(cut)))
    } else {
        exchange([&[handshake.as_bytes(), &frames[..]].concat()[..]])
    };
    let end =
        written.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer to the handshake");
    assert!(written.starts_with(b"HTTP/1.1 101 "));
    let written = &written[end + 4..];
    assert!(written.len() <= OUTPUT_BYTES + OUTPUT_FACTOR * frames.len(), "{} bytes", written.len());
    check(written);
}

/// One masked text frame for each line; the mask is zero.
fn text_frames(data: &[u8]) -> Vec<u8> {
    let mut frames = Vec::new();
    for line in data.split(|byte| *byte == b'\n') {
        frames.extend([0x81, 0x80 | 126]);
        frames.extend((line.len() as u16).to_be_bytes());
        frames.extend([0; 4]);
        frames.extend(line);
    }
    frames
}

/// Checks the server's frames.
fn check(mut written: &[u8]) {
    while let [first, second, ..] = *written {
        let (header, length) = match second {
            126 => (4, written[2..4].iter().fold(0, |length, byte| length << 8 | usize::from(*byte))),
            127 => (10, written[2..10].iter().fold(0, |length, byte| length << 8 | usize::from(*byte))),
            length => (2, usize::from(length)), // a mask would be above 127 and beyond the end
        };
        let payload = &written[header..header + length];
        match first {
            0x81 => {
                let event: Value = serde_json::from_slice(payload).expect("a text is JSON");
                assert!(event["type"].is_string(), "{event}");
            }
            0x88..=0x8a => assert!(length <= 125),
            other => panic!("a frame of type {other:x}"),
        }
        written = &written[header + length..];
    }
    assert!(written.is_empty());
}
