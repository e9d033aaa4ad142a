//! One guest's connection, and how it is opened.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use crate::wire::orders::{Dialect, Trouble};

/// The key of RFC 6455's own example, and the answer that proves that it was read.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// How far a guest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Upgrading,
    Joining,
    Inside,
    Gone,
}

/// One guest.
pub(super) struct Guest {
    pub(super) stream: TcpStream,
    pub(super) stage: Stage,
    pub(super) room: usize,
    /// What has come of a frame that is not whole.
    pub(super) begun: Vec<u8>,
    /// How much of a large frame that nobody reads is still to come.
    pub(super) skip: usize,
    /// What could not be written yet.
    pub(super) unsent: Vec<u8>,
    /// Messages that counted.
    pub(super) got: u64,
    pub(super) opened: u64,
    pub(super) trouble: Option<Trouble>,
}

impl Guest {
    /// Connects and asks for the WebSocket, without waiting for the connection to stand: on the loopback it does
    /// at once, and otherwise the request waits with what is unsent.
    pub(super) fn open(
        registry: &Registry,
        token: Token,
        (room, address): (usize, SocketAddr),
        request: &[u8],
        opened: u64,
        trouble: Option<Trouble>,
    ) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        if trouble == Some(Trouble::Stalled) || trouble == Some(Trouble::Slow) {
            // Otherwise the kernel reads megabytes in the guest's place.
            SockRef::from(&stream).set_recv_buffer_size(4096)?;
        }
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        let (begun, unsent) = (Vec::new(), Vec::new());
        let stage = Stage::Upgrading;
        let mut guest = Self { stream, stage, room, begun, skip: 0, unsent, got: 0, opened, trouble };
        guest.send(request)?;
        Ok(guest)
    }

    /// Sends, now or when there is room.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return self.send_rest();
        }
        match self.stream.write(bytes) {
            Ok(written) if written == bytes.len() => Ok(()),
            Ok(written) => {
                self.unsent.extend_from_slice(&bytes[written..]);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.unsent.extend_from_slice(bytes);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Sends what was left over, as far as there is room.
    pub(super) fn send_rest(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads behind what has begun; `None` when there is nothing now.
    #[inline]
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let begun = self.begun.len();
        buffer[..begun].copy_from_slice(&self.begun);
        match self.stream.read(&mut buffer[begun..]) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                self.begun.clear();
                Ok(Some(begun + read))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads what there is and forgets it.
    pub(super) fn forget(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.begun.clear();
        while let Some(read) = self.read(buffer)? {
            if read < buffer.len() {
                break;
            }
        }
        Ok(())
    }

    /// Whether what they get is counted.
    pub(super) fn counts(&self) -> bool {
        self.stage == Stage::Inside && self.trouble.is_none()
    }

    pub(super) fn is_gone(&self) -> bool {
        self.stage == Stage::Gone
    }

    /// Makes the connection end in a reset, which leaves no port waiting.
    pub(super) fn reset(&mut self) {
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        self.stage = Stage::Gone;
    }
}

/// The request for a WebSocket.
pub(super) fn request(dialect: &Dialect, host: SocketAddr) -> Vec<u8> {
    let path = &dialect.path;
    let mut head = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\nOrigin: http://{host}\r\n"
    );
    if let Some(protocol) = &dialect.protocol {
        head.push_str(&format!("Sec-WebSocket-Protocol: {protocol}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// How long the head of the answer is, if all of it is there.
pub(super) fn answered(bytes: &[u8]) -> io::Result<Option<usize>> {
    let Some(end) = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..end]);
    match head.starts_with("HTTP/1.1 101") && head.contains(ACCEPT) {
        true => Ok(Some(end + 4)),
        false => Err(io::Error::other(head.lines().next().unwrap_or_default().to_owned())),
    }
}
