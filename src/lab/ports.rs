//! Ports on 127.0.0.1, reserved until a node takes them.

use std::net::{Ipv4Addr, SocketAddr};

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

impl Reserved {
    /// Reserves `port`, or any free one for 0.
    pub(super) fn port(port: u16) -> Result<Self, LabError> {
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
