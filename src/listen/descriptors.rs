//! The process's open files: how many connections, of this machine and over public listeners, they are enough for, and what
//! is done when there are none left.
//!
//! Streams through Tor need none of their own, but the log and Tor's few connections to relays do, and fail without.

use std::fs::File;
use std::io;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::LOOPBACK_RESERVE;

/// How many descriptors are left to the rest of the program: SQLite, Tor's state and its connections to relays.
const RESERVE: usize = 128;

/// The pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// How many connections that are files of this process may be open at once, of those that the settings allow. Says so in the
/// log if it is fewer.
pub fn for_connections(connections: usize) -> usize {
    let wanted = connections + LOOPBACK_RESERVE;
    let Some(limit) = limit() else { return wanted };
    let possible = possible(limit);
    if possible < wanted {
        tracing::warn!(
            "This process may have {limit} files open, so at most {possible} connections that do not come through \
             its own onion service can be open at once, and not {wanted}; others are refused. Raise the limit with `ulimit -n {}`, or LimitNOFILE= in a unit of \
             systemd, or lower listen.connections.",
            wanted + RESERVE
        );
    }
    possible.min(wanted)
}

/// How many connections a limit is enough for.
fn possible(limit: usize) -> usize {
    limit - RESERVE.min(limit / 2)
}

/// The soft limit of open files; `None` if there is none.
#[cfg(unix)]
fn limit() -> Option<usize> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Nofile).current.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

#[cfg(not(unix))]
fn limit() -> Option<usize> {
    None
}

/// A descriptor that is given up when no other is left, so that a connection can be accepted to be refused. Otherwise it would
/// wait without an answer, and others behind it.
#[derive(Debug)]
pub(super) struct SpareDescriptor {
    file: Option<File>,
    /// Whether it was said in the log.
    told: bool,
}

impl SpareDescriptor {
    /// Takes one.
    pub(super) fn new() -> Self {
        Self { file: spare(), told: false }
    }

    /// After a connection could not be accepted: without descriptors `refuse` is to accept one and close it, otherwise and
    /// if that fails, too, there is a pause. Says the error in the log, once.
    pub(super) async fn failed(&mut self, error: &io::Error, refuse: impl Future<Output = io::Result<()>>) {
        let exhausted = is_exhausted(error);
        if !self.told && exhausted {
            self.told = true;
            tracing::warn!(
                %error,
                "No further connection can be accepted for want of files, and those that come are refused. Raise the limit \
                 of open files, with `ulimit -n` or LimitNOFILE= in a unit of systemd."
            );
        } else if !exhausted {
            // Mostly of one connection, which ended before it was accepted.
            tracing::debug!(%error, "a connection could not be accepted");
        }
        let refused = match self.file.take() {
            Some(file) if exhausted => {
                drop(file);
                matches!(timeout(PAUSE, refuse).await, Ok(Ok(())))
            }
            file => {
                self.file = file;
                false
            }
        };
        if self.file.is_none() {
            self.file = spare();
        }
        if !refused {
            sleep(PAUSE).await;
        }
    }
}

/// A descriptor of something that is always there.
fn spare() -> Option<File> {
    File::open(if cfg!(windows) { "NUL" } else { "/dev/null" }).ok()
}

#[cfg(unix)]
fn is_exhausted(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(not(unix))]
fn is_exhausted(_error: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn the_rest_of_the_program_keeps_its_descriptors() {
        assert_eq!(possible(65_536), 65_408);
        assert_eq!(possible(1024), 896);
        assert_eq!(possible(100), 50, "half of few");
        assert_eq!(for_connections(0), LOOPBACK_RESERVE);
    }

    #[cfg(unix)]
    #[tokio::test(start_paused = true)]
    async fn without_descriptors_a_connection_is_refused_with_the_spare_one() {
        use rustix::io::Errno;

        let mut spare = SpareDescriptor::new();
        let refused = Cell::new(0);
        let refuse = || async {
            refused.set(refused.get() + 1);
            Ok(())
        };
        spare.failed(&Errno::MFILE.into(), refuse()).await;
        spare.failed(&Errno::NFILE.into(), refuse()).await;
        assert_eq!((refused.get(), spare.told, spare.file.is_some()), (2, true, true));
        spare.failed(&Errno::CONNABORTED.into(), refuse()).await;
        assert_eq!(refused.get(), 2, "that was about one connection");
        let nothing = std::future::pending();
        spare.failed(&Errno::MFILE.into(), nothing).await;
        assert!(spare.file.is_some(), "the connection was gone");
    }
}
