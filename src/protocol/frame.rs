//! A server's text frame on the wire (RFC 6455, section 5.2): unmasked, unfragmented, no extension.

use bytes::{BufMut, BytesMut};

/// The most bytes a header can have here: no masking key, payload below 2^64.
const HEADER_MAX: usize = 10;

/// FIN set, opcode 1 (text).
const FINAL_TEXT: u8 = 0x81;

/// The header of a frame.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    bytes: [u8; HEADER_MAX],
    length: u8,
}

impl Header {
    /// The header's bytes, 2 to 10.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// How many they are.
    pub fn length(&self) -> u8 {
        self.length
    }
}

/// The header of a text frame whose payload has this many bytes.
pub fn header(payload: usize) -> Header {
    let mut bytes = [FINAL_TEXT, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let length = match payload {
        0..=125 => {
            bytes[1] = payload as u8;
            2
        }
        126..=0xffff => {
            bytes[1] = 126;
            bytes[2..4].copy_from_slice(&(payload as u16).to_be_bytes());
            4
        }
        _ => {
            bytes[1] = 127;
            bytes[2..].copy_from_slice(&(payload as u64).to_be_bytes());
            HEADER_MAX as u8
        }
    };
    Header { bytes, length }
}

/// Appends `payload` to `out` as one text frame.
pub fn text(payload: &str, out: &mut BytesMut) {
    let header = header(payload.len());
    out.reserve(header.as_slice().len() + payload.len());
    out.put_slice(header.as_slice());
    out.put_slice(payload.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;
    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        // RFC 6455, section 5.7: a single-frame unmasked text message.
        let mut out = BytesMut::new();
        text("Hello", &mut out);
        assert_eq!(&out[..], [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    }

    #[test]
    fn the_three_forms_of_a_length() {
        for (length, header) in [
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (0xffff, vec![0x81, 126, 0xff, 0xff]),
            (0x1_0000, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut out = BytesMut::new();
            text(&"a".repeat(length), &mut out);
            assert_eq!(&out[..header.len()], header);
            assert_eq!(out.len(), header.len() + length);
        }
    }

    proptest! {
        #[test]
        fn tungstenite_reads_what_is_written(payloads in prop::collection::vec(".{0,300}", 1..5)) {
            let mut out = BytesMut::new();
            for payload in &payloads {
                text(payload, &mut out);
            }
            let mut reader = WebSocket::from_raw_socket(Cursor::new(out.to_vec()), Role::Client, None);
            for payload in &payloads {
                let read = reader.read().unwrap().into_text().unwrap();
                prop_assert_eq!(read.as_str(), payload);
            }
        }
    }
}
