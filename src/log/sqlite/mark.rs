//! The mark beside the log: which file belongs here, and up to which number messages were acknowledged.
//!
//! SQLite takes any write-ahead log for the file's own and drops what of it cannot be read, without a word. So a file that
//! was replaced, or a write-ahead log that was deleted or damaged, would open as a shorter log, and what is there would be
//! overwritten. The mark is in a file of its own, `messages.state`, and a log that does not agree with it is not opened.
//! Without the file nothing is compared: to remove it is to accept what is there.
//!
//! # Format
//! 64 bytes, in one sector of a disk: [`MAGIC`], the state, whether the number is synced, zeros up to 24; the epoch's
//! fingerprint, the number, the boot of the machine (64 bits each, little-endian); 8 bytes of SHA-256 of all that; zeros.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::keys::open_or_create;

/// What the file begins with.
const MAGIC: &[u8; 19] = b"onionroom state v1\n";

const LENGTH: usize = 64;

/// What the files are in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The log is open: the file's present epoch is that of the mark.
    Open,
    /// It is being opened or closed.
    Between,
    /// It was closed in good order: there is no write-ahead log.
    Closed,
}

/// What the mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) state: State,
    /// The [`fingerprint`] of the epoch.
    pub(super) epoch: u64,
    /// The newest number that was acknowledged.
    pub(super) head: u64,
    /// Whether the log waits for the disk before it acknowledges. Otherwise a loss of power may take the newest messages.
    pub(super) synced: bool,
    boot: u64,
}

/// The open file of the mark.
#[derive(Debug)]
pub(super) struct MarkFile {
    file: File,
    mark: Mark,
}

/// Where the mark of the log at `path` is.
pub(super) fn place(path: &Path) -> PathBuf {
    path.with_extension("state")
}

/// An epoch's name as a number; never 0.
pub(super) fn fingerprint(epoch: &str) -> u64 {
    number(&Sha256::digest(epoch), 0).max(1)
}

impl Mark {
    /// A mark of a log that is opened now.
    pub(super) fn new(state: State, epoch: u64, head: u64, synced: bool) -> Self {
        Self { state, epoch, head, synced, boot: boot() }
    }

    /// The same in another state.
    pub(super) fn in_state(self, state: State) -> Self {
        Self { state, ..self }
    }

    /// Reads it; `None` if there is none that can be read.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn at(path: &Path) -> io::Result<Option<Self>> {
        let mut bytes = [0; LENGTH];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
        match read {
            Ok(()) => Ok(Self::parse(&bytes)),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// The number up to which the log must have been written, however the program ended.
    pub(super) fn promised(&self) -> u64 {
        let survives = self.synced || (self.boot != 0 && self.boot == boot());
        if survives && self.state != State::Closed { self.head } else { 0 }
    }

    fn parse(bytes: &[u8; LENGTH]) -> Option<Self> {
        let state = match bytes[MAGIC.len()] {
            1 => State::Open,
            2 => State::Between,
            3 => State::Closed,
            _ => return None,
        };
        let mark = Self {
            state,
            synced: bytes[MAGIC.len() + 1] == 1,
            epoch: number(bytes, 24),
            head: number(bytes, 32),
            boot: number(bytes, 40),
        };
        (mark.bytes() == *bytes).then_some(mark)
    }

    /// What is in its file.
    pub(super) fn bytes(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..MAGIC.len()].copy_from_slice(MAGIC);
        bytes[MAGIC.len()] = match self.state {
            State::Open => 1,
            State::Between => 2,
            State::Closed => 3,
        };
        bytes[MAGIC.len() + 1] = self.synced.into();
        for (at, number) in [(24, self.epoch), (32, self.head), (40, self.boot)] {
            bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        let digest = Sha256::digest(&bytes[..48]);
        bytes[48..56].copy_from_slice(&digest[..8]);
        bytes
    }
}

impl MarkFile {
    /// Opens the file, or creates it with the mode 0600, and writes the mark into it.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn write(path: &Path, mark: Mark) -> io::Result<Self> {
        let mut file = Self { file: open_or_create(path)?, mark };
        file.set(mark)?;
        Ok(file)
    }

    /// What it says.
    pub(super) fn mark(&self) -> Mark {
        self.mark
    }

    /// Writes the mark, and waits for the disk.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn set(&mut self, mark: Mark) -> io::Result<()> {
        self.overwrite(mark)?;
        self.file.sync_data()
    }

    /// Notes the newest acknowledged number. The disk is not waited for: after a loss of power an earlier number is there.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn note(&mut self, head: u64) -> io::Result<()> {
        self.overwrite(Mark { head, ..self.mark })
    }

    fn overwrite(&mut self, mark: Mark) -> io::Result<()> {
        let bytes = mark.bytes();
        #[cfg(unix)]
        std::os::unix::fs::FileExt::write_all_at(&self.file, &bytes, 0)?;
        #[cfg(not(unix))]
        {
            use std::io::{Seek, Write};
            self.file.rewind()?;
            self.file.write_all(&bytes)?;
        }
        self.mark = mark;
        Ok(())
    }
}

fn number(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// What tells this run of the machine from others (random(4)); 0 where that is not known.
fn boot() -> u64 {
    std::fs::read("/proc/sys/kernel/random/boot_id").map_or(0, |id| number(&Sha256::digest(id), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        assert_eq!(Mark::at(&path).unwrap(), None);
        for state in [State::Open, State::Between, State::Closed] {
            let mark = Mark::new(state, 7, 9, state == State::Open);
            let mut file = MarkFile::write(&path, mark).unwrap();
            assert_eq!(Mark::at(&path).unwrap(), Some(mark));
            file.note(12).unwrap();
            assert_eq!(Mark::at(&path).unwrap(), Some(Mark { head: 12, ..mark }));
        }
        let whole = std::fs::read(&path).unwrap();
        for byte in 0..whole.len() {
            let mut changed = whole.clone();
            changed[byte] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            assert_eq!(Mark::at(&path).unwrap(), None, "{byte}");
            std::fs::write(&path, &whole[..byte]).unwrap();
            assert_eq!(Mark::at(&path).unwrap(), None, "{byte}");
        }
    }

    #[test]
    fn a_promise_that_was_not_synced_ends_with_the_machine() {
        let mark = |state, synced, boot| Mark { state, epoch: 1, head: 5, synced, boot };
        assert_eq!(mark(State::Open, true, 0).promised(), 5);
        assert_eq!(mark(State::Open, false, boot()).promised(), if boot() == 0 { 0 } else { 5 });
        assert_eq!(mark(State::Open, false, boot() ^ 1).promised(), 0);
        assert_eq!(mark(State::Closed, true, 0).promised(), 0);
    }
}
