//! The listener for reverse proxies, as the settings want it: on an address, on a Unix socket, or none.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::{ListenSettings, ProxyAddress};
#[cfg(unix)]
use crate::listen::unix;
use crate::listen::{ConnectionLimiter, proxy};

/// Why there is no listener for proxies.
#[derive(Debug, thiserror::Error)]
#[error(
    "The listener for proxies cannot be opened on {address}: {error}. Choose another one with listen.proxy."
)]
pub struct ProxyError {
    /// Where it should be.
    address: String,
    /// What the operating system said.
    error: io::Error,
}

/// A bound listener, or none.
pub(super) enum ProxyListener {
    Tcp(TcpListener, SocketAddr),
    #[cfg(unix)]
    Unix(unix::Socket),
    None,
}

impl ProxyListener {
    /// Binds what the settings want.
    pub(super) async fn bind(settings: &ListenSettings) -> Result<Self, ProxyError> {
        match &settings.proxy {
            Some(ProxyAddress::Tcp(address)) => {
                let failed = |error| ProxyError { address: address.to_string(), error };
                let listener = TcpListener::bind(address).await.map_err(failed)?;
                let address = listener.local_addr().map_err(failed)?;
                if !address.ip().is_loopback() {
                    tracing::warn!(
                        "The listener for proxies can be reached from other machines. Nothing is encrypted between the proxy \
                         and the room, and with listen.proxy_protocol what connects is believed where it comes from: let a \
                         firewall admit the proxy alone."
                    );
                }
                Ok(Self::Tcp(listener, address))
            }
            #[cfg(unix)]
            Some(ProxyAddress::Unix(path)) => {
                let failed = |error| ProxyError { address: format!("the socket {}", path.display()), error };
                Ok(Self::Unix(unix::Socket::bind_for_group(path).await.map_err(failed)?))
            }
            #[cfg(not(unix))]
            Some(ProxyAddress::Unix(_)) => Ok(Self::None),
            None => Ok(Self::None),
        }
    }

    /// Where it is: an address with a port, or `unix:` and a path.
    pub(super) fn place(&self) -> Option<String> {
        match self {
            Self::Tcp(_, address) => Some(address.to_string()),
            #[cfg(unix)]
            Self::Unix(socket) => Some(format!("unix:{}", socket.path().display())),
            Self::None => None,
        }
    }

    /// Accepts connections until `closing` is cancelled; `protocol` says whether each begins with the PROXY protocol.
    pub(super) async fn accept(self, protocol: bool, limiter: ConnectionLimiter, closing: CancellationToken) {
        match self {
            Self::Tcp(listener, _) => proxy::accept(listener, protocol, limiter, closing).await,
            #[cfg(unix)]
            Self::Unix(socket) => proxy::accept(socket, protocol, limiter, closing).await,
            Self::None => closing.cancelled().await,
        }
    }
}
