//! The local listener, as the settings want it: on a loopback address, with or without a key, on a Unix socket, or none.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::files::LOCAL_KEY_FILE;
#[cfg(unix)]
use super::files::SOCKET_FILE;
use crate::config::{ListenSettings, LocalAccess};
use crate::http::local_key::{LocalKey, protect};
#[cfg(unix)]
use crate::listen::unix;
use crate::listen::{ConnectionLimiter, loopback, tcp};
use crate::storage::DataDirectory;

/// The port that clients of a Unix socket name in `Host`: none, which is that of `http`.
#[cfg(unix)]
const SOCKET_PORT: u16 = 80;

/// Why there is no local room.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The loopback address could not be bound.
    #[error(
        "Cannot listen on {address}: {error}. Choose another address with --listen, or port 0 for any free one."
    )]
    Listen {
        /// The wanted address.
        address: SocketAddr,
        /// What the operating system said.
        error: io::Error,
    },
    /// The Unix socket could not be bound.
    #[error(
        "Cannot listen on the socket {}: {error}. Choose another directory with --data-dir, or another way in with --local.",
        path.display()
    )]
    Socket {
        /// Where it should be.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// The key of the local room could not be kept.
    #[error(
        "The key of the local room cannot be kept in {}: {error}. Make the file readable and writable for the user who \
         runs onionroom.",
        path.display()
    )]
    Key {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// The operating system gave no randomness.
    #[error("The operating system gives no randomness: {0}. Nothing secret can be made without it.")]
    Randomness(#[from] getrandom::Error),
}

/// A bound listener, or none.
pub(super) enum LocalListener {
    Tcp(TcpListener, SocketAddr),
    #[cfg(unix)]
    Unix(unix::Socket),
    None,
}

impl LocalListener {
    /// Binds what the settings want. A Unix socket needs a directory.
    pub(super) async fn bind(
        settings: &ListenSettings,
        directory: Option<&DataDirectory>,
    ) -> Result<Self, LocalError> {
        match settings.local {
            LocalAccess::Key | LocalAccess::Open => {
                let failed = |error| LocalError::Listen { address: settings.address, error };
                let listener = tcp::bind(settings).await.map_err(failed)?;
                let address = listener.local_addr().map_err(failed)?;
                Ok(Self::Tcp(listener, address))
            }
            #[cfg(unix)]
            LocalAccess::Unix => {
                let path = directory.map(DataDirectory::path).unwrap_or("/".as_ref()).join(SOCKET_FILE);
                let socket = unix::Socket::bind(&path).map_err(|error| LocalError::Socket { path, error })?;
                Ok(Self::Unix(socket))
            }
            #[cfg(not(unix))]
            LocalAccess::Unix => Ok(Self::None),
            LocalAccess::Off => Ok(Self::None),
        }
    }

    /// The port that a local request names in `Host`; none has the number 0.
    pub(super) fn port(&self) -> u16 {
        match self {
            Self::Tcp(_, address) => address.port(),
            #[cfg(unix)]
            Self::Unix(_) => SOCKET_PORT,
            Self::None => 0,
        }
    }

    /// The loopback address.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(_, address) => Some(*address),
            _ => None,
        }
    }

    /// How it is reached: a URL, or `unix:` and a path.
    pub(super) fn url(&self, key: Option<&LocalKey>) -> Option<String> {
        match self {
            Self::Tcp(_, address) => Some(match key {
                Some(key) => format!("http://{address}/{}/", key.as_str()),
                None => format!("http://{address}/"),
            }),
            #[cfg(unix)]
            Self::Unix(socket) => Some(format!("unix:{}", socket.path().display())),
            Self::None => None,
        }
    }

    /// Accepts connections until `closing` is cancelled.
    pub(super) async fn accept(self, limiter: ConnectionLimiter, closing: CancellationToken) {
        match self {
            Self::Tcp(listener, _) => loopback::accept(listener, limiter, closing).await,
            #[cfg(unix)]
            Self::Unix(socket) => loopback::accept(socket, limiter, closing).await,
            Self::None => closing.cancelled().await,
        }
    }
}

/// The key, if the settings want one: that of the data directory, or a new one for a room that keeps nothing.
pub(super) fn key(
    settings: &ListenSettings,
    directory: Option<&DataDirectory>,
) -> Result<Option<LocalKey>, LocalError> {
    if settings.local != LocalAccess::Key {
        return Ok(None);
    }
    let key = match directory {
        Some(directory) => {
            let path = directory.path().join(LOCAL_KEY_FILE);
            LocalKey::kept_in(&path).map_err(|error| LocalError::Key { path, error })?
        }
        None => LocalKey::random()?,
    };
    Ok(Some(key))
}

/// The routes behind the key, if there is one.
pub(super) fn behind(key: Option<LocalKey>, router: Router) -> Router {
    match key {
        Some(key) => protect(router, key),
        None => router,
    }
}
