//! Decodes frames from memory and encodes control frames to memory.
//!
//! tungstenite decodes what a guest sends and makes the control frames: pongs, pings and closes. They go into the same
//! buffer as the events of the room, so that one write sends both, and only the driver writes to the stream.

use std::io::{self, Read, Write};

use bytes::BytesMut;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use crate::protocol::FRAME_BYTES_MAX;

/// The size of tungstenite's read buffer, which each connection holds. It grows for larger frames while they last.
const READ_BUFFER_BYTES: usize = 256;

/// The largest message before the hello: more than any hello needs, and what each stranger can make the room hold.
const STRANGER_MESSAGE_BYTES_MAX: usize = 4 * 1024;

/// A gateway got an invalid response from upstream: the one close code that the registry of RFC 6455, section 11.7, has for
/// frames and that tungstenite 0.30 refuses with 1002 (snapview/tungstenite-rs#502).
const CLOSE_BAD_GATEWAY: u16 = 1014;

/// The WebSocket protocol state of one connection.
pub(super) struct Codec(WebSocketContext);

impl Codec {
    /// The state of a server before the hello.
    pub(super) fn new() -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_message_size(Some(STRANGER_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(STRANGER_MESSAGE_BYTES_MAX));
        Self(WebSocketContext::new(Role::Server, Some(config)))
    }

    /// Allows messages of the size that guests may send.
    pub(super) fn joined(&mut self) {
        self.0.set_config(|config| {
            config.max_message_size = Some(FRAME_BYTES_MAX);
            config.max_frame_size = Some(FRAME_BYTES_MAX);
        });
    }

    /// Decodes received bytes and calls `receive` with each complete message. Answers to control frames are appended
    /// to `out`. No bytes mean that the stream has ended.
    ///
    /// # Errors
    /// The peer broke the protocol, or closed: nothing more can be decoded.
    pub(super) fn decode(
        &mut self,
        bytes: &[u8],
        out: &mut BytesMut,
        mut receive: impl FnMut(Message),
    ) -> Result<(), Error> {
        let mut wire = Wire { incoming: bytes, ended: bytes.is_empty(), out };
        loop {
            match self.0.read(&mut wire) {
                Ok(message) => receive(message),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Appends the answer to a whole close frame to `out`: the same code and reason, or 1002 for a code that is in no
    /// registry or not for frames (RFC 6455, section 7.4).
    ///
    /// # Errors
    /// Always: the peer closed, or broke the protocol.
    pub(super) fn answer_close(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), Error> {
        match bad_gateway(frame) {
            Some(close) => {
                self.close(close, out);
                Err(Error::ConnectionClosed)
            }
            None => self.decode(frame, out, |_| {}),
        }
    }

    /// Appends a ping to `out`.
    pub(super) fn ping(&mut self, out: &mut BytesMut) {
        // Fails only after the close frame, when no answer is awaited.
        let _ = self.0.write(&mut Wire::outward(out), Message::Ping(Bytes::new()));
        let _ = self.0.flush(&mut Wire::outward(out));
    }

    /// Appends a close frame to `out`, unless both sides have closed already.
    pub(super) fn close(&mut self, frame: CloseFrame, out: &mut BytesMut) {
        let _ = self.0.close(&mut Wire::outward(out), Some(frame));
    }
}

/// What a client's close frame says if it is valid and has the code [`CLOSE_BAD_GATEWAY`].
fn bad_gateway(frame: &[u8]) -> Option<CloseFrame> {
    let (header, payload) = frame.split_first_chunk::<6>()?;
    let [first, length, mask @ ..] = *header;
    // FIN and the opcode, no reserved bit; masked, with a length of seven bits (RFC 6455, section 5.2).
    if first != 0x88 || payload.len() > 125 || usize::from(length) != 0x80 | payload.len() {
        return None;
    }
    let payload: Vec<u8> = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    let (code, reason) = payload.split_first_chunk()?;
    let code = u16::from_be_bytes(*code);
    let reason = std::str::from_utf8(reason).ok().filter(|_| code == CLOSE_BAD_GATEWAY)?;
    Some(CloseFrame { code: code.into(), reason: reason.into() })
}

/// The stream that tungstenite reads and writes.
struct Wire<'a> {
    incoming: &'a [u8],
    ended: bool,
    out: &'a mut BytesMut,
}

impl<'a> Wire<'a> {
    fn outward(out: &'a mut BytesMut) -> Self {
        Self { incoming: &[], ended: false, out }
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.incoming.read(buffer)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio_tungstenite::tungstenite::protocol::WebSocket;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

    use super::*;

    /// What a client's tungstenite writes.
    fn written(messages: impl IntoIterator<Item = Message>) -> Vec<u8> {
        let mut client = WebSocket::from_raw_socket(io::Cursor::new(Vec::new()), Role::Client, None);
        messages.into_iter().for_each(|message| client.send(message).unwrap());
        client.into_inner().into_inner()
    }

    fn texts(codec: &mut Codec, bytes: &[u8], out: &mut BytesMut) -> Result<Vec<String>, Error> {
        let mut texts = Vec::new();
        let taken = codec.decode(bytes, out, |message| match message {
            Message::Text(text) => texts.push(text.to_string()),
            _ => texts.push("control".to_owned()),
        });
        taken.map(|()| texts)
    }

    #[test]
    fn a_ping_is_answered_into_what_is_to_be_written() {
        let (mut codec, mut out) = (Codec::new(), BytesMut::new());
        let bytes = written([Message::Ping(Bytes::from_static(b"are you there"))]);
        assert_eq!(texts(&mut codec, &bytes, &mut out).unwrap(), ["control"]);
        // RFC 6455, section 5.5.3: a pong, FIN set, with the ping's payload.
        assert_eq!(&out[..], b"\x8a\x0dare you there");
    }

    #[test]
    fn a_close_is_answered_and_is_the_end() {
        let (mut codec, mut out) = (Codec::new(), BytesMut::new());
        let bytes = written([Message::Close(None)]);
        assert!(matches!(texts(&mut codec, &bytes, &mut out), Err(Error::ConnectionClosed)));
        assert_eq!(&out[..], b"\x88\x00");
    }

    /// A close frame of a client, with a masking key.
    fn close_frame(code: u16, reason: &[u8]) -> Vec<u8> {
        let payload = [&code.to_be_bytes(), reason].concat();
        let mask = [0x12, 0x34, 0x56, 0x78];
        let header = [0x88, 0x80 | payload.len() as u8];
        let masked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        header.into_iter().chain(mask).chain(masked).collect()
    }

    /// The answer to a close frame.
    fn answer(frame: &[u8]) -> (Error, Vec<u8>) {
        let (mut codec, mut out) = (Codec::new(), BytesMut::new());
        let end = codec.answer_close(frame, &mut out).unwrap_err();
        (end, out.to_vec())
    }

    #[test]
    fn a_registered_code_comes_back_with_its_reason_and_another_one_not() {
        for code in 0..=u16::MAX {
            let allowed = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            let (end, answer) = answer(&close_frame(code, b"why"));
            assert!(matches!(end, Error::ConnectionClosed), "{code}");
            let expected = if allowed { code } else { 1002 };
            assert_eq!(answer[2..4], expected.to_be_bytes(), "{code}");
            assert_eq!(&answer[4..] == b"why", allowed, "{code}");
        }
    }

    #[test]
    fn a_bad_gateway_has_to_be_a_valid_close_frame() {
        for reason in [&b""[..], "an onion 🧅".as_bytes(), &[b'a'; 123]] {
            let (_, answer) = answer(&close_frame(1014, reason));
            assert_eq!(answer[2..], [&1014u16.to_be_bytes(), reason].concat());
        }
        let valid = close_frame(1014, b"why");
        let changed = |index: usize, byte: u8| {
            let mut frame = valid.clone();
            frame[index] = byte;
            frame
        };
        let unmasked = [&[0x88, 2], &1014u16.to_be_bytes()[..]].concat();
        for frame in [changed(0, 0x08), changed(0, 0xc8), unmasked] {
            assert!(matches!(answer(&frame).0, Error::Protocol(_)), "{frame:?}");
        }
        assert!(matches!(answer(&close_frame(1014, b"\xff")).0, Error::Utf8(_)));
        assert!(matches!(answer(&close_frame(1014, b"an onion \xf0\x9f")).0, Error::Utf8(_)));
    }

    #[test]
    fn tungstenite_does_not_know_bad_gateway() {
        assert!(!CloseCode::from(CLOSE_BAD_GATEWAY).is_allowed(), "now it does, and `bad_gateway` can go");
    }

    #[test]
    fn the_end_of_the_stream_is_an_error() {
        let (mut codec, mut out) = (Codec::new(), BytesMut::new());
        assert!(texts(&mut codec, b"", &mut out).is_err());
    }

    #[test]
    fn the_own_control_frames_are_appended() {
        let (mut codec, mut out) = (Codec::new(), BytesMut::new());
        codec.ping(&mut out);
        codec.close(CloseFrame { code: 1001.into(), reason: "end".into() }, &mut out);
        assert_eq!(&out[..], b"\x89\x00\x88\x05\x03\xe9end");
    }

    proptest! {
        /// However the bytes are cut on their way, the messages are the same.
        #[test]
        fn messages_survive_any_cut(
            payloads in prop::collection::vec(".{0,400}", 1..6),
            cuts in prop::collection::vec(1usize..600, 1..20),
        ) {
            let bytes = written(payloads.iter().map(|payload| Message::text(payload.clone())));
            let (mut codec, mut out, mut seen) = (Codec::new(), BytesMut::new(), Vec::new());
            codec.joined();
            let (mut rest, mut cuts) = (&bytes[..], cuts.into_iter().cycle());
            while !rest.is_empty() {
                let (part, later) = rest.split_at(cuts.next().unwrap_or(1).min(rest.len()));
                seen.extend(texts(&mut codec, part, &mut out).unwrap());
                rest = later;
            }
            prop_assert_eq!(seen, payloads);
            prop_assert!(out.is_empty());
        }
    }
}
