//! Ports on 127.0.0.1, reserved until a node takes them.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;

use tokio::net::TcpSocket;

use super::LabError;

/// A port that belongs to us and on which nothing listens: connecting to it is refused, nobody else gets it.
/// Dropping it makes room for the node that shall listen there.
#[derive(Debug)]
pub(super) struct Reserved {
    address: SocketAddr,
    #[allow(dead_code, reason = "held so that the port stays ours")]
    socket: TcpSocket,
}

/// Where free ports are looked for: below those that Linux, and IANA (49152 to 65535), give to outgoing connections.
/// Between our letting go of a port and a node's listening on it a connection could be given it.
const FREE_PORTS: Range<u16> = 10_240..32_768;

/// How many of them are tried before the system is asked for one of its own.
const TRIES: usize = 64;

impl Reserved {
    /// Reserves `port`, or any free one for 0.
    pub(super) fn port(port: u16) -> Result<Self, LabError> {
        if port > 0 {
            return Self::exactly(port);
        }
        let random =
            || getrandom::u32().map(|random| FREE_PORTS.start + (random % FREE_PORTS.len() as u32) as u16);
        let free = (0..TRIES).find_map(|_| Self::exactly(random().ok()?).ok());
        free.map_or_else(|| Self::exactly(0), Ok)
    }

    fn exactly(port: u16) -> Result<Self, LabError> {
        let complaint = |cause| LabError::Port { port, cause };
        let socket = TcpSocket::new_v4().map_err(complaint)?;
        socket.bind((Ipv4Addr::LOCALHOST, port).into()).map_err(complaint)?;
        let address = socket.local_addr().map_err(complaint)?;
        Ok(Self { address, socket })
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
        let reserved = Reserved::port(0).unwrap();
        let refused = tokio::net::TcpStream::connect(reserved.address()).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        let said = Reserved::port(reserved.address().port()).unwrap_err().to_string();
        assert!(said.contains(&reserved.address().port().to_string()) && said.contains("Choose"), "{said}");
        let address = reserved.address();
        drop(reserved);
        assert!(std::net::TcpListener::bind(address).is_ok());
    }
}
