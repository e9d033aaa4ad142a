//! The encoded frames that guests have not received yet.

use std::io::Write;
use std::time::Instant;

/// From this size on, in bytes, what all guests have received is removed.
const LARGE: usize = 1024 * 1024;

pub(super) struct Log {
    bytes: Vec<u8>,
    /// The position of the first byte.
    start: u64,
    /// The sequence number of the newest message.
    seq: u64,
    opened: Instant,
    json: Vec<u8>,
}

impl Log {
    pub(super) fn new(opened: Instant) -> Self {
        Self { bytes: Vec::new(), start: 0, seq: 0, opened, json: Vec::new() }
    }

    /// The position after the last byte.
    #[inline]
    pub(super) fn head(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// The frames from this position on.
    #[inline]
    pub(super) fn after(&self, position: u64) -> &[u8] {
        &self.bytes[(position - self.start) as usize..]
    }

    /// Appends a message; returns its sequence number.
    pub(super) fn append(&mut self, guest: u64, name: &str, id: &str, text: &str) -> u64 {
        self.seq += 1;
        self.json.clear();
        // Writing to memory cannot fail.
        let _ = write!(
            self.json,
            r#"{{"type":"message","seq":{},"at":{},"guest":{guest},"name":"{name}","id":"{id}","text":"{text}"}}"#,
            self.seq,
            self.opened.elapsed().as_secs()
        );
        frame(&self.json, &mut self.bytes);
        self.seq
    }

    pub(super) fn is_large(&self) -> bool {
        self.bytes.len() > LARGE
    }

    /// Removes everything before this position.
    pub(super) fn forget(&mut self, position: u64) {
        self.bytes.drain(..(position - self.start) as usize);
        self.start = position;
    }
}

/// Appends a text frame (RFC 6455, section 5.2) of less than 64 KiB.
pub(super) fn frame(json: &[u8], out: &mut Vec<u8>) {
    out.push(0x81);
    match json.len() {
        length @ ..126 => out.push(length as u8),
        length => {
            out.push(126);
            out.extend((length as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(json);
}
