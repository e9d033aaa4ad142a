//! Ports on 127.0.0.1, reserved until a node takes them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;

use tokio::net::{TcpListener, TcpSocket};

use super::error::LabError;

/// A bound port on which nothing listens: connecting to it is refused, and no other process gets it. Dropping it
/// releases the port for the node.
#[derive(Debug)]
pub(super) struct ReservedPort {
    address: SocketAddr,
    socket: TcpSocket,
}

/// The range of free ports to try: below the ephemeral ports of Linux and of IANA (49152 to 65535). Between the release
/// of an ephemeral port and the node's listening on it, an outgoing connection could be given it.
const FREE_PORTS: Range<u16> = 10_240..32_768;

/// How many connections may wait to be accepted: when a network starts, all nodes connect at once.
const BACKLOG: u32 = 1024;

/// How many ports of the range are tried before the system chooses one.
const TRIES: usize = 64;

impl ReservedPort {
    /// Reserves `port`, or any free one for 0.
    pub(super) fn new(port: u16) -> Result<Self, LabError> {
        if port > 0 {
            return Self::bind(port);
        }
        let random =
            || getrandom::u32().map(|random| FREE_PORTS.start + (random % FREE_PORTS.len() as u32) as u16);
        let free = (0..TRIES).find_map(|_| Self::bind(random().ok()?).ok());
        free.map_or_else(|| Self::bind(0), Ok)
    }

    fn bind(port: u16) -> Result<Self, LabError> {
        let error = |cause| LabError::Port { port, cause };
        let socket = TcpSocket::new_v4().map_err(error)?;
        socket.bind((Ipv4Addr::LOCALHOST, port).into()).map_err(error)?;
        let address = socket.local_addr().map_err(error)?;
        Ok(Self { address, socket })
    }

    /// Listens on the port, in place of a node.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn listen(self) -> io::Result<TcpListener> {
        self.socket.listen(BACKLOG)
    }

    /// 127.0.0.1 and the port.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    #[tokio::test]
    async fn a_reserved_port_refuses_connections_and_cannot_be_taken() {
        let reserved = ReservedPort::new(0).unwrap();
        let refused = tokio::net::TcpStream::connect(reserved.address()).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        let said = ReservedPort::new(reserved.address().port()).unwrap_err().to_string();
        assert!(said.contains(&reserved.address().port().to_string()) && said.contains("Choose"), "{said}");
        let address = reserved.address();
        drop(reserved);
        assert!(std::net::TcpListener::bind(address).is_ok());
    }
}
