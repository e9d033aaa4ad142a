//! A listener as a Unix socket: file permissions decide who may connect.
//!
//! A path that is too long for a socket's address goes through an open descriptor of its directory, where the system has
//! `/proc`.

use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use tokio::net::{UnixListener, UnixStream};

use super::accept::Listener;

/// The longest path that a socket's address takes, in bytes: `sun_path` without the zero at its end (unix(7)).
const PATH_BYTES_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

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
    /// What the operating system says; where it is not Linux, a path of more than 103 bytes is too long for a socket.
    pub fn bind(path: &Path) -> io::Result<Self> {
        Self::replace(path, 0o600)
    }

    /// Binds a socket at `path` with the mode 0660, for a program of the group of the socket or its directory. A socket that
    /// is there already is replaced only if nothing accepts connections on it.
    ///
    /// # Errors
    /// As [`Socket::bind`]; that the address is in use, if something accepts connections on it.
    pub async fn bind_for_group(path: &Path) -> io::Result<Self> {
        match connect(path).await {
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
        let address = Address::of(path)?;
        let socket = Self { listener: UnixListener::bind(address.path())?, path: path.into() };
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

/// Connects to the socket at `path`.
///
/// # Errors
/// What the operating system says; `WouldBlock` where more wait to be accepted than the listener's queue takes.
pub async fn connect(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(Address::of(path)?.path()).await
}

/// Whether the program at the other end runs as the user of this process, or as the superuser (`SO_PEERCRED`, unix(7)).
pub fn is_of_this_user(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == 0 || peer.uid() == own)
}

/// A path that fits into a socket's address.
enum Address<'a> {
    Whole(&'a Path),
    /// Below a directory that is open until the address was used.
    Within(PathBuf, #[allow(dead_code, reason = "held for its drop")] OwnedFd),
}

impl<'a> Address<'a> {
    fn of(path: &'a Path) -> io::Result<Self> {
        if path.as_os_str().len() <= PATH_BYTES_MAX {
            return Ok(Self::Whole(path));
        }
        Self::within_directory(path)
    }

    #[cfg(target_os = "linux")]
    fn within_directory(path: &Path) -> io::Result<Self> {
        use rustix::fd::AsRawFd;
        use rustix::fs::{Mode, OFlags};

        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(too_long(path));
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(directory, flags, Mode::empty())?;
        let short = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string());
        // Where there is no /proc, and for a name that is too long by itself.
        if !short.exists() || short.as_os_str().len() + 1 + name.len() > PATH_BYTES_MAX {
            return Err(too_long(path));
        }
        Ok(Self::Within(short.join(name), directory))
    }

    #[cfg(not(target_os = "linux"))]
    fn within_directory(path: &Path) -> io::Result<Self> {
        Err(too_long(path))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Whole(path) => path,
            Self::Within(path, _) => path,
        }
    }
}

fn too_long(path: &Path) -> io::Error {
    let bytes = path.as_os_str().len();
    let sentence = format!("the path of a socket may have {PATH_BYTES_MAX} bytes, and this one has {bytes}");
    io::Error::new(io::ErrorKind::InvalidInput, sentence)
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

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_path_that_is_too_long_for_an_address_goes_through_its_directory() {
        let outer = tempfile::tempdir().unwrap();
        let directory = outer.path().join("d".repeat(100)).join("e".repeat(200));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("socket");
        for _ in 0..2 {
            let socket = Socket::bind(&path).unwrap();
            let data = fs::metadata(&path).unwrap();
            assert!(data.file_type().is_socket() && data.permissions().mode() & 0o777 == 0o600);
            let (client, server) = tokio::join!(connect(&path), socket.accept());
            assert!(is_of_this_user(&client.unwrap()) && is_of_this_user(&server.unwrap().0));
            drop(socket);
            assert!(!path.exists());
            // Left behind by a process that was killed.
            UnixSocket::new_stream().unwrap().bind(Address::of(&path).unwrap().path()).unwrap();
            assert!(path.exists());
        }
        assert_eq!(connect(&path).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        let absent = connect(&directory.join("absent")).await.unwrap_err();
        assert_eq!(absent.kind(), io::ErrorKind::NotFound);
        let name = outer.path().join("n".repeat(120));
        assert!(Socket::bind(&name).unwrap_err().to_string().contains("107 bytes"));
    }
}
