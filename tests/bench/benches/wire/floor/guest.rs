//! One guest of the floor.

use std::io::{self, ErrorKind, IoSlice, Read, Write};

use mio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::log::{Log, frame};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Upgrading,
    /// Waits for the hello.
    Joining,
    Joined,
    Closed,
}

pub(super) struct Guest {
    stream: TcpStream,
    state: State,
    /// Of as many digits as onionroom's.
    id: u64,
    name: String,
    /// The beginning of a frame that is not complete.
    partial: Vec<u8>,
    /// What only this guest gets: the response to the upgrade, the welcome, acknowledgements.
    replies: Vec<u8>,
    /// Bytes of the log up to here were written.
    cursor: u64,
    /// Whether the socket was full at the last write.
    blocked: bool,
}

impl Guest {
    pub(super) fn new(stream: TcpStream, number: u64) -> Self {
        let (id, name) = (100_000_000_000_000 + number, String::new());
        let (partial, replies) = (Vec::new(), Vec::new());
        Self { stream, state: State::Upgrading, id, name, partial, replies, cursor: 0, blocked: false }
    }

    /// Up to where the log was written, if it is needed any more.
    pub(super) fn cursor(&self) -> Option<u64> {
        (self.state == State::Joined).then_some(self.cursor)
    }

    pub(super) fn close(&mut self) {
        self.state = State::Closed;
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }

    /// The socket has room again.
    pub(super) fn unblock(&mut self, log: &Log) -> io::Result<()> {
        match std::mem::take(&mut self.blocked) {
            true => self.write(log).map(drop),
            false => Ok(()),
        }
    }

    /// Writes everything that this guest has not got, in one call; returns whether there was something.
    #[inline]
    pub(super) fn write(&mut self, log: &Log) -> io::Result<bool> {
        let joined = self.state == State::Joined;
        let frames = if joined && !self.blocked { log.after(self.cursor) } else { &[] };
        if self.blocked || (frames.is_empty() && self.replies.is_empty()) {
            return Ok(false);
        }
        let written = match self.replies.is_empty() {
            true => self.stream.write(frames),
            false => self.stream.write_vectored(&[IoSlice::new(&self.replies), IoSlice::new(frames)]),
        };
        let written = match written {
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            written => written?,
        };
        self.blocked = written < self.replies.len() + frames.len();
        let replies = written.min(self.replies.len());
        self.replies.drain(..replies);
        self.cursor += (written - replies) as u64;
        Ok(true)
    }

    /// Reads everything that has arrived and appends messages to the log.
    pub(super) fn read(&mut self, buffer: &mut [u8], log: &mut Log) -> io::Result<()> {
        while self.state != State::Closed {
            let partial = self.partial.len();
            buffer[..partial].copy_from_slice(&self.partial);
            let filled = match self.stream.read(&mut buffer[partial..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => partial + read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let parsed = match self.state {
                State::Upgrading => self.upgrade(&buffer[..filled], log)?,
                _ => self.parse(&mut buffer[..filled], log)?,
            };
            self.partial.clear();
            self.partial.extend_from_slice(&buffer[parsed..filled]);
            if filled < buffer.len() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn upgrade(&mut self, head: &[u8], log: &Log) -> io::Result<usize> {
        let Some(end) = head.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(0) };
        let text = std::str::from_utf8(&head[..end]).map_err(io::Error::other)?;
        let key = text.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let accept = derive_accept_key(key.ok_or(ErrorKind::InvalidData)?.as_bytes());
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
        );
        self.replies.extend_from_slice(response.as_bytes());
        self.state = State::Joining;
        self.write(log)?;
        Ok(end + 4)
    }

    /// Handles the complete frames; returns how many bytes they are.
    fn parse(&mut self, bytes: &mut [u8], log: &mut Log) -> io::Result<usize> {
        let mut at = 0;
        while let Some((payload, end)) = unmask(&mut bytes[at..]) {
            at += end;
            let json = std::str::from_utf8(payload).map_err(io::Error::other)?;
            let json = json.strip_suffix("\"}").unwrap_or_default();
            if self.state == State::Joining {
                self.state = State::Joined;
                self.name = json.strip_prefix(r#"{"type":"hello","name":""#).unwrap_or_default().to_owned();
                self.cursor = log.head();
                frame(br#"{"type":"welcome"}"#, &mut self.replies);
                self.write(log)?;
                continue;
            }
            let say = json.strip_prefix(r#"{"type":"say","id":""#);
            let say = say.and_then(|say| say.split_once(r#"","text":""#));
            let (id, text) = say.ok_or(ErrorKind::InvalidData)?;
            let seq = log.append(self.id, &self.name, id, text);
            frame(
                format!(r#"{{"type":"acknowledged","id":"{id}","seq":{seq}}}"#).as_bytes(),
                &mut self.replies,
            );
        }
        Ok(at)
    }
}

/// The payload of the first frame in `bytes`, unmasked in place, and the end of the frame, if it is complete. All
/// frames of the generator are masked texts of less than 64 KiB.
fn unmask(bytes: &mut [u8]) -> Option<(&[u8], usize)> {
    let (length, header) = match bytes.get(1)? & 0x7f {
        126 => (usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])), 4),
        length => (usize::from(length), 2),
    };
    let begin = header + 4;
    let mask: [u8; 4] = bytes.get(header..begin)?.try_into().ok()?;
    let payload = bytes.get_mut(begin..begin + length)?;
    payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    Some((payload, begin + length))
}
