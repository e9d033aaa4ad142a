//! The connection of one guest.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

/// The key of the example in RFC 6455, section 1.3, and the answer to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Waits for the response to the upgrade.
    Upgrading,
    /// Waits for the welcome.
    Joining,
    Joined,
}

/// One guest.
pub(super) struct Client {
    pub(super) stream: TcpStream,
    pub(super) state: State,
    /// The beginning of a frame that is not complete.
    pub(super) partial: Vec<u8>,
    /// What the socket did not take yet.
    unsent: Vec<u8>,
    /// Messages received.
    pub(super) received: u64,
}

impl Client {
    /// Connects and requests the upgrade. The connection need not be established: the request waits in `unsent`.
    pub(super) fn open(registry: &Registry, token: Token, address: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        let (partial, unsent) = (Vec::new(), Vec::new());
        let mut client = Self { stream, state: State::Upgrading, partial, unsent, received: 0 };
        client.send(
            format!(
                "GET /chat HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\nOrigin: http://{address}\r\n\
                 Sec-WebSocket-Protocol: chat\r\n\r\n"
            )
            .as_bytes(),
        )?;
        Ok(client)
    }

    /// Sends now or when the socket is writable.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = match self.unsent.is_empty() {
            true => would_block(self.stream.write(bytes))?.unwrap_or(0),
            false => 0,
        };
        self.unsent.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    /// Sends what is left over, as far as the socket takes it.
    pub(super) fn send_rest(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            let Some(written) = would_block(self.stream.write(&self.unsent))? else { return Ok(()) };
            self.unsent.drain(..written);
        }
        Ok(())
    }

    /// Reads behind the partial frame; returns how far the buffer is filled, `None` if nothing has arrived.
    #[inline]
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let partial = self.partial.len();
        buffer[..partial].copy_from_slice(&self.partial);
        match would_block(self.stream.read(&mut buffer[partial..]))? {
            Some(0) => Err(ErrorKind::UnexpectedEof.into()),
            Some(read) => {
                self.partial.clear();
                Ok(Some(partial + read))
            }
            None => Ok(None),
        }
    }
}

/// The length of the response to an upgrade, if it is complete.
pub(super) fn upgraded(bytes: &[u8]) -> io::Result<Option<usize>> {
    let Some(end) = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..end]);
    match head.starts_with("HTTP/1.1 101") && head.contains(ACCEPT) {
        true => Ok(Some(end + 4)),
        false => Err(io::Error::other(head.lines().next().unwrap_or_default().to_owned())),
    }
}

fn would_block(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
