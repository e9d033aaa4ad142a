//! A listener as a Unix socket: file permissions decide who may connect.

use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::accept::Listener;

/// A bound socket; its file is removed when this is dropped.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Binds a socket at `path` with the mode 0600. The directory must be private and held by this process: a socket that
    /// is there already is of a process that has ended, and is replaced.
    ///
    /// # Errors
    /// What the operating system says; a path of more than about 100 bytes is too long for a socket.
    pub fn bind(path: &Path) -> io::Result<Self> {
        Self::replace(path, 0o600)
    }

    /// Binds a socket at `path` with the mode 0660, for a program of the group of the socket or its directory. A socket that
    /// is there already is replaced only if nothing accepts connections on it.
    ///
    /// # Errors
    /// What the operating system says; that the address is in use, if something does.
    pub async fn bind_for_group(path: &Path) -> io::Result<Self> {
        match UnixStream::connect(path).await {
            Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
            // Of a process that has more to accept than its queue takes, because it is busy or stopped.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::AddrInUse.into()),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
            {
                Self::replace(path, 0o660)
            }
            Err(error) => Err(error),
        }
    }

    fn replace(path: &Path, mode: u32) -> io::Result<Self> {
        if fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_socket()) {
            fs::remove_file(path)?;
        }
        let socket = Self { listener: UnixListener::bind(path)?, path: path.into() };
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        Ok(socket)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Listener for Socket {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, _) = self.listener.accept().await?;
        // Clients of a Unix socket have no address.
        Ok((stream, SocketAddr::from(([127, 0, 0, 1], 0))))
    }

    fn try_write(stream: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
        stream.try_write(bytes)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixSocket;

    use super::*;

    #[tokio::test]
    async fn a_socket_in_use_is_left_alone_and_one_that_was_left_behind_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let in_use = async || {
            let error = Socket::bind_for_group(&path).await.expect_err("it is in use");
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        };
        // Accepts nothing, so that its queue is full soon.
        let stopped = UnixSocket::new_stream().unwrap();
        stopped.bind(&path).unwrap();
        let stopped = stopped.listen(1).unwrap();
        in_use().await;
        let mut waiting = Vec::new();
        while let Ok(stream) = UnixStream::connect(&path).await {
            waiting.push(stream);
        }
        in_use().await;
        drop(stopped);
        let socket = Socket::bind_for_group(&path).await.unwrap();
        in_use().await;
        drop(socket);
        assert!(!path.exists());

        fs::write(&path, "a file").unwrap();
        in_use().await;
        assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
    }
}
