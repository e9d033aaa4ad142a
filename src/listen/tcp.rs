//! The loopback listener: TCP on a loopback address.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};

use super::accept::Listener;
use crate::config::ListenSettings;

/// Binds the address of the settings, or any free port if it is the default address and in use.
///
/// # Errors
/// What the operating system says.
pub async fn bind(settings: &ListenSettings) -> io::Result<TcpListener> {
    match TcpListener::bind(settings.address).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && settings.address_is_default => {
            TcpListener::bind(SocketAddr::new(settings.address.ip(), 0)).await
        }
        bound => bound,
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, address) = TcpListener::accept(self).await?;
        // Frames are written whole, so waiting to fill packets only delays them.
        let _ = stream.set_nodelay(true);
        Ok((stream, address))
    }

    fn try_write(stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        stream.try_write(bytes)
    }
}
